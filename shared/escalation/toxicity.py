"""What was known of dose-limiting toxicity (DLT) at an instant, by the steps that safety told."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

Said = Literal["proposed", "withdrawn", "confirmed", "refuted"]


@dataclass(frozen=True, slots=True)
class Toxicity:
    """What safety has decided about somebody's toxicities. DLT: dose-limiting toxicity."""

    has_dlt: bool = False
    undecided: bool = False


@dataclass(frozen=True, slots=True)
class ToxicityStep:
    """What safety said of one toxicity at an instant."""

    dlt_id: str
    participant_id: UUID
    said: Said
    at: datetime


def toxicities_at(steps: Iterable[ToxicityStep], at: datetime) -> dict[UUID, Toxicity]:
    """What was known at an instant, of whom anything was; `steps` are in order of time."""
    latest = {each.dlt_id: each for each in steps if each.at <= at}
    known: dict[UUID, Toxicity] = {}
    for each in latest.values():
        before = known.get(each.participant_id, Toxicity())
        known[each.participant_id] = Toxicity(
            has_dlt=before.has_dlt or each.said == "confirmed",
            undecided=before.undecided or each.said == "proposed",
        )
    return known
