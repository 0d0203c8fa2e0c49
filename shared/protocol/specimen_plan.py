"""Which specimens the protocol plans of a participant, and which of those that were drawn serve its visits.

Nothing of it is stored: it follows from the visits, the infusion and what was drawn, all of which may be corrected.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.protocol.model import Protocol
from shared.protocol.schedule import assign_visits, moment_of
from shared.protocol.visits import Assessment, Visit

SAMPLED = (Assessment.CAR_T_FLOW, Assessment.CYTOKINES)  # what a visit asks for that begins with a specimen


@dataclass(frozen=True, slots=True)
class Drawn:
    """A specimen for one kind of assessment. `usable`: neither rejected nor lost."""

    specimen_id: UUID
    collected_at: datetime
    usable: bool = True


def specimens_by_visit(
    protocol: Protocol, assessment: Assessment, day_zero: datetime | None, drawn: Sequence[Drawn]
) -> tuple[tuple[Visit, UUID | None], ...]:
    """Each visit that asks for a specimen, in order of time, and the one that serves it.

    Those that can be used serve first; a visit that none of them serves has the one that could not be used [D].
    Before the infusion nothing serves: no visit has its days yet.
    """
    visits = protocol.visits_for(assessment)
    if day_zero is None:
        return tuple((visit, None) for visit in visits)
    served: dict[str, UUID] = {}
    in_time = sorted(drawn, key=lambda each: (each.collected_at, each.specimen_id))
    for usable in (True, False):
        offered = [each for each in in_time if each.usable is usable]
        moments = [moment_of(protocol, each.collected_at, day_zero) for each in offered]
        for each, visit in zip(offered, assign_visits(protocol, assessment, moments), strict=True):
            if visit is not None:
                served.setdefault(visit.code, each.specimen_id)
    return tuple((visit, served.get(visit.code)) for visit in visits)
