"""Specimens in the sample trial's files: who had them, and where the tubes went."""

from typing import Annotated

from pydantic import AfterValidator

from services.loading.sample_rows import Row, says_one_thing
from shared.contracts.biomarkers_specimens import Absence, Collection, Purpose, Receipt, Rejection, Shipment
from shared.contracts.terms import Code, Instant


class CustodyStep(Row):
    """What became of a specimen after it was taken: one verb each."""

    ship: Shipment | None = None
    receive: Receipt | None = None
    reject: Rejection | None = None


class Specimen(Collection):
    """A tube by the number on it. What is measured in blood of its instant and for its purpose is measured in it."""

    label: Code
    then: tuple[Annotated[CustodyStep, AfterValidator(says_one_thing)], ...] = ()

    def gave(self, purpose: Purpose, collected_at: Instant) -> bool:
        """Whether a result of this purpose and instant is this specimen's."""
        rejected = any(step.reject is not None for step in self.then)
        return purpose in self.purposes and self.collected_at == collected_at and not rejected


class NotCollected(Absence):
    """A specimen that a visit plans, and that was not taken."""
