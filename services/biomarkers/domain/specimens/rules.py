"""What no step of a custody may break: time runs forward, and no more comes out of a tube than was in it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import pairwise

from services.biomarkers.domain.specimens.custody import Custody, Step
from shared.contracts.biomarkers_specimens import Absence, Aliquoting, Collection, SpecimenType
from shared.kernel.clock import CLOCK_SKEW
from shared.kernel.errors import AlreadyExists, Conflict, NotFound, Unacceptable
from shared.protocol import Protocol


class NoSuchSpecimen(NotFound):
    """There is no specimen under this id, or none that this caller may know of."""


class SpecimenAlreadyRecorded(AlreadyExists):
    """Another content is on record under this id."""


class SpecimenNeverWas(Conflict):
    """The specimen was retracted."""


class CustodyWouldNotFollow(Conflict):
    """The step cannot follow the last one on record."""


class StepInFuture(Unacceptable):
    """A step cannot have been taken after the present instant."""


class StepOutOfTime(Conflict):
    """A step cannot lie before the one that it follows, or after the one that follows it."""


class NoSuchStep(NotFound):
    """The custody has no step of this number."""


class NotThisStep(Conflict):
    """The step is of another kind than what was sent."""


class OneStepToCorrect(Unacceptable):
    """A correction puts one step right."""


class StepCannotBeRetracted(Conflict):
    """Something rests on this step."""


class VisitPlansNone(Unacceptable):
    """The protocol plans no such specimen at this visit."""


class NotMadeOfThis(Unacceptable):
    """A tube of this kind is not made of a specimen of that kind."""


class MoreThanThereWas(Conflict):
    """The tubes hold more than was collected."""


class AliquotTwice(Unacceptable):
    """Each tube has an id of its own."""


# What can be made of what: serum and plasma are what blood leaves behind.
MADE_OF: Mapping[SpecimenType, frozenset[SpecimenType]] = {
    **{kind: frozenset({kind}) for kind in SpecimenType},
    SpecimenType.BLOOD: frozenset({SpecimenType.BLOOD, SpecimenType.SERUM, SpecimenType.PLASMA}),
    SpecimenType.BONE_MARROW: frozenset({SpecimenType.BONE_MARROW, SpecimenType.PLASMA}),
}


def refuse_future(at: datetime | None, now: datetime) -> None:
    """Raises: StepInFuture."""
    if at is not None and at > now + CLOCK_SKEW:
        raise StepInFuture("the step lies in the future; check the date and the offset of its instant")


def check_sequence(steps: Sequence[Step]) -> None:
    """Steps at the same instant are in order; an analysis has no instant of its own.

    Raises:
        StepOutOfTime.
    """
    timed = [(step, step.at) for step in steps if step.at is not None]
    for (earlier, before), (later, after) in pairwise(timed):
        if after < before:
            raise StepOutOfTime(
                f"step {later.number} ({later.kind}) would lie before step {earlier.number} ({earlier.kind}): "
                "check the instant and its offset, or correct the other step first"
            )


def check_planned(absence: Absence, protocol: Protocol) -> None:
    """Raises: VisitPlansNone."""
    planned = [visit.code for visit in protocol.visits if absence.purpose.value in visit.due]
    if absence.visit not in planned:
        named = ", ".join(planned) or "no visit"
        raise VisitPlansNone(f"the protocol plans specimens for this purpose at {named}: send one of them")


def check_aliquots(state: Custody, aliquoting: Aliquoting) -> None:
    """Raises: NotMadeOfThis, AliquotTwice, MoreThanThereWas."""
    made = [*state.aliquots, *aliquoting.aliquots]
    if len({each.aliquot_id for each in made}) < len(made):
        raise AliquotTwice("two tubes have the same aliquot_id: give each its own")
    for each in aliquoting.aliquots:
        if state.type is not None and each.type not in MADE_OF[state.type]:
            able = ", ".join(sorted(MADE_OF[state.type]))
            raise NotMadeOfThis(f"of {state.type} are made {able}, no {each.type}: check the type")
    first = state.steps[0].details
    held = first.volume_ml if isinstance(first, Collection) else None
    if held is not None and sum(each.volume_ml for each in made if each.volume_ml is not None) > held:
        raise MoreThanThereWas("the tubes hold more than the volume collected: check volume_ml of each, in mL")
