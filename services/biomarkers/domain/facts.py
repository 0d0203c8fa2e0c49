"""What a decision about a laboratory result needs besides its stream."""

from dataclasses import dataclass
from datetime import datetime

from shared.consent.coverage import Coverage
from shared.contracts.biomarkers_assays import AssayLotRegistered
from shared.protocol import Protocol


@dataclass(frozen=True, slots=True)
class Facts:
    """The present instant, the protocol in force, and the lot of an assay that a panel names.

    `consent`: what the participant's covers, where the protocol lets it gate what is taken.
    """

    now: datetime
    protocol: Protocol
    lot: AssayLotRegistered | None = None
    consent: Coverage | None = None
