"""What a result may name as its specimen, and what that does to the specimen.

A specimen's stream takes the analysis in the same append as the result's, so that of a result and a rejection at the
same moment one is decided again on top of the other: a result that comes second is refused.
"""

from datetime import datetime
from uuid import UUID

from services.biomarkers.domain.specimens.custody import Custody, State, StepKind
from shared.contracts.biomarkers_specimens import (
    ResultRef,
    SpecimenAnalysed,
    SpecimenAnalysisWithdrawn,
    SpecimenEvent,
)
from shared.contracts.specimen_flags import SpecimenFlag, flags_of, suits
from shared.kernel.errors import Conflict, TrialError, Unacceptable


class NoSpecimenOfParticipant(Unacceptable):
    """The specimen is unknown, or another participant's. One error for both: another would tell who has it."""


class SpecimenIsRejected(Conflict):
    """No further result is taken of a specimen that cannot be used."""


class SpecimenNotAtLaboratory(Conflict):
    """A laboratory measures what it has."""


class SpecimenDiffers(Conflict):
    """Type and time of collection in the report are not those of the specimen that it names."""


# What can be wrong with the specimen that a result names.
OF_SPECIMEN: tuple[type[TrialError], ...] = (
    NoSpecimenOfParticipant,
    SpecimenIsRejected,
    SpecimenNotAtLaboratory,
    SpecimenDiffers,
)


def named(
    state: State, origin: State, *, participant_id: UUID, result: ResultRef, type_: str, collected_at: datetime
) -> list[SpecimenEvent]:
    """What a specimen takes when a result names it; `origin` is what it was made of, or itself.

    Raises:
        NoSpecimenOfParticipant, SpecimenIsRejected, SpecimenNotAtLaboratory, SpecimenDiffers.
    """
    if not isinstance(state, Custody) or state.participant_id != participant_id or state.type is None:
        raise NoSpecimenOfParticipant(
            "this participant has no such specimen: record its collection first, or leave specimen_id out"
        )
    is_known = result in state.results
    if not is_known and state.status is StepKind.REJECTED:
        raise SpecimenIsRejected("the specimen was rejected: no result of it is taken; measure another one")
    if not is_known and not state.is_at_laboratory:
        raise SpecimenNotAtLaboratory("no laboratory has received the specimen: record its receipt first")
    if differs(state, origin, type_=type_, collected_at=collected_at):
        raise SpecimenDiffers(
            "the report's specimen has another type or time of collection than the one it names: send those on "
            "record, or correct the record of the specimen first"
        )
    if is_known:  # a correction that keeps its specimen, which may have been rejected meanwhile
        return []
    return [SpecimenAnalysed(specimen_id=state.specimen_id, participant_id=participant_id, result=result)]


def differs(state: Custody, origin: State, *, type_: str, collected_at: datetime) -> bool:
    """Whether a report tells another type or time of collection. Serum and plasma may be told of a tube of blood."""
    collection = origin.collection if isinstance(origin, Custody) else None
    return (
        state.type is None
        or not suits(state.type, type_)
        or collection is None
        or collection.collected_at != collected_at
    )


def no_longer_named(state: State, result: ResultRef) -> list[SpecimenEvent]:
    """What a specimen takes when a result that named it is cancelled, or names another one."""
    if not isinstance(state, Custody) or result not in state.results:
        return []
    return [
        SpecimenAnalysisWithdrawn(specimen_id=state.specimen_id, participant_id=state.participant_id, result=result)
    ]


def flags(state: State | None, origin: State | None, *, type_: str, collected_at: datetime) -> tuple[SpecimenFlag, ...]:
    """What a reader should know of a result's specimen, as it stands now; None: the result names none."""
    if not isinstance(state, Custody) or origin is None:
        return (SpecimenFlag.NO_SPECIMEN,)
    return flags_of(
        rejected=state.status is StepKind.REJECTED,
        lost=state.status is StepKind.LOST,
        condition=None if state.receipt is None else state.receipt.condition,
        differs=differs(state, origin, type_=type_, collected_at=collected_at),
    )
