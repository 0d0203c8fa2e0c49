"""The custody of a specimen: which step may follow which, when, and what can be taken back."""

from datetime import timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.biomarkers.domain.facts import Facts
from services.biomarkers.domain.specimens import rules, specimen
from services.biomarkers.domain.specimens.custody import FOLLOWS, Custody, StepKind, Unrecorded
from services.biomarkers.domain.specimens.specimen import DECIDER, aliquots_of, rejected_with_parent
from shared.contracts import biomarkers_specimens as told
from shared.kernel.decider import Command
from shared.kernel.errors import TrialError
from tests.services.biomarkers.reports import NOW, PARTICIPANT, PROTOCOL
from tests.services.biomarkers.specimen_steps import (
    ALIQUOT,
    ALIQUOTED,
    ANALYSED,
    COLLECTED,
    LOST,
    MADE,
    NOT_COLLECTED,
    RECEIVED,
    REJECTED,
    SHIPPED,
    SPECIMEN,
    WHOSE,
    WITHDRAWN,
    a_collection,
    a_loss,
    a_receipt,
    a_rejection,
    a_shipment,
    after,
    an_absence,
    an_aliquot,
    an_aliquoting,
    event,
    retracted,
)
from tests.specs import Spec

spec = Spec(DECIDER)
FACTS = Facts(NOW, PROTOCOL)
WHY = "The slip tells otherwise"


def collect(**given_: Any) -> Command:
    return specimen.CollectSpecimen.model_validate({**WHOSE, **a_collection(**given_)})


def not_collect(**given_: Any) -> Command:
    return specimen.RecordNotCollected.model_validate({**WHOSE, **an_absence(**given_)})


def correct(step: int, **part: Any) -> Command:
    return specimen.CorrectCustodyStep.model_validate({"step": step, "reason": WHY, **part})


def retract(step: int) -> Command:
    return specimen.RetractCustodyStep(step=step, reason="Entered for another specimen")


SHIP = specimen.ShipSpecimen.model_validate(a_shipment())
RECEIVE = specimen.ReceiveSpecimen.model_validate(a_receipt())
DIVIDE = specimen.AliquotSpecimen.model_validate(an_aliquoting())
REJECT = specimen.RejectSpecimen.model_validate(a_rejection())
LOSE = specimen.ReportSpecimenLost.model_validate(a_loss())
NEXT = {
    StepKind.SHIPPED: specimen.ShipSpecimen.model_validate(a_shipment(9)),
    StepKind.RECEIVED: specimen.ReceiveSpecimen.model_validate(a_receipt(9)),
    StepKind.ALIQUOTED: specimen.AliquotSpecimen.model_validate(
        an_aliquoting(9, an_aliquot(aliquot_id="018f3a52-0000-7000-8000-0000000000a9"))
    ),
    StepKind.REJECTED: specimen.RejectSpecimen.model_validate(a_rejection(9)),
    StepKind.LOST: specimen.ReportSpecimenLost.model_validate(a_loss(9)),
}
REACHED: dict[StepKind, list[Any]] = {
    StepKind.COLLECTED: [COLLECTED],
    StepKind.NOT_COLLECTED: [NOT_COLLECTED],
    StepKind.MADE: [MADE],
    StepKind.SHIPPED: [COLLECTED, SHIPPED],
    StepKind.RECEIVED: [COLLECTED, SHIPPED, RECEIVED],
    StepKind.ALIQUOTED: [COLLECTED, ALIQUOTED],
    StepKind.ANALYSED: [COLLECTED, RECEIVED, ANALYSED],
    StepKind.LOST: [COLLECTED, LOST],
    StepKind.REJECTED: [COLLECTED, REJECTED],
}


def folded(*events: Any) -> Custody:
    state = DECIDER.fold(events)
    assert isinstance(state, Custody)
    return state


def test_a_custody_goes_from_the_draw_to_the_tubes() -> None:
    spec.given().when(collect(), FACTS).then(COLLECTED)
    spec.given(COLLECTED).when(SHIP, FACTS).then(SHIPPED)
    spec.given(COLLECTED, SHIPPED).when(RECEIVE, FACTS).then(RECEIVED)
    spec.given(COLLECTED, SHIPPED, RECEIVED).when(DIVIDE, FACTS).then(ALIQUOTED)
    spec.given(COLLECTED, SHIPPED, RECEIVED).when(REJECT, FACTS).then(REJECTED)
    spec.given(COLLECTED, SHIPPED).when(LOSE, FACTS).then(LOST)
    spec.given().when(not_collect(), FACTS).then(NOT_COLLECTED)


def test_the_table_of_steps_is_whole() -> None:
    assert set(FOLLOWS) == set(StepKind) == set(REACHED)


@pytest.mark.parametrize("kind", list(NEXT))
@pytest.mark.parametrize("last", list(REACHED))
def test_a_step_follows_another_or_is_refused(last: StepKind, kind: StepKind) -> None:
    when = spec.given(*REACHED[last]).when(NEXT[kind], FACTS)
    if kind in FOLLOWS[last]:
        assert len(when.decide()) == 1
    else:
        when.then_rejected(rules.CustodyWouldNotFollow)


def test_what_is_recorded_twice_is_recorded_once() -> None:
    spec.given(COLLECTED).when(collect(), FACTS).then_nothing()
    spec.given(COLLECTED, SHIPPED).when(SHIP, FACTS).then_nothing()
    spec.given(NOT_COLLECTED).when(not_collect(), FACTS).then_nothing()
    spec.given(COLLECTED).when(collect(volume_ml="5"), FACTS).then_rejected(rules.SpecimenAlreadyRecorded)
    other = {"participant_id": UUID(int=7)}
    spec.given(COLLECTED).when(collect(**other), FACTS).then_rejected(rules.SpecimenAlreadyRecorded)
    spec.given(COLLECTED).when(not_collect(), FACTS).then_rejected(rules.SpecimenAlreadyRecorded)


@pytest.mark.parametrize(("minutes", "is_future"), [(5, False), (6, True)])  # a clock may run 5 minutes ahead
def test_no_step_lies_in_the_future(minutes: int, is_future: bool) -> None:
    at = (NOW + timedelta(minutes=minutes)).isoformat()
    for history, command in (
        ([], collect(collected_at=at)),
        ([COLLECTED], specimen.ShipSpecimen.model_validate(a_shipment(shipped_at=at))),
        ([COLLECTED], correct(1, collection=a_collection(collected_at=at))),
    ):
        when = spec.given(*history).when(command, FACTS)
        if is_future:
            when.then_rejected(rules.StepInFuture)
        else:
            assert len(when.decide()) == 1


@pytest.mark.parametrize(("hours", "fits"), [(2, True), (1.99, False)])
def test_no_step_lies_before_the_one_it_follows(hours: float, fits: bool) -> None:
    when = spec.given(COLLECTED, SHIPPED).when(specimen.ReceiveSpecimen.model_validate(a_receipt(hours)), FACTS)
    if fits:
        assert len(when.decide()) == 1
    else:
        when.then_rejected(rules.StepOutOfTime)


def test_an_analysis_has_no_instant_and_hides_none() -> None:
    early = specimen.RejectSpecimen.model_validate(a_rejection(4))
    spec.given(COLLECTED, RECEIVED, ANALYSED).when(early, FACTS).then_rejected(rules.StepOutOfTime)


def test_a_missing_specimen_is_one_that_the_protocol_plans() -> None:
    spec.given().when(not_collect(visit="D60", purpose="car-t-flow"), FACTS).then(
        event(told.SpecimenNotCollected, absence=an_absence(visit="D60", purpose="car-t-flow"))
    )
    for planned_nowhere in ({"visit": "D60"}, {"visit": "D8"}, {"purpose": "transgene"}):
        spec.given().when(not_collect(**planned_nowhere), FACTS).then_rejected(rules.VisitPlansNone)
    spec.given(NOT_COLLECTED).when(correct(1, absence=an_absence(visit="D8")), FACTS).then_rejected(
        rules.VisitPlansNone
    )


@pytest.mark.parametrize(
    ("tubes", "error"),
    [
        ([an_aliquot(volume_ml="4")], None),
        ([an_aliquot(volume_ml=None)], None),
        ([an_aliquot(volume_ml="4.01")], rules.MoreThanThereWas),
        ([an_aliquot(), an_aliquot()], rules.AliquotTwice),
        ([an_aliquot(type="plasma")], None),
        ([an_aliquot(type="tumour")], rules.NotMadeOfThis),
    ],
)
def test_no_more_comes_out_of_a_tube_than_was_in_it(tubes: list[Any], error: type[TrialError] | None) -> None:
    command = specimen.AliquotSpecimen.model_validate(an_aliquoting(6, *tubes))
    when = spec.given(COLLECTED).when(command, FACTS)
    if error is None:
        assert len(when.decide()) == 1
    else:
        when.then_rejected(error)


def test_what_was_taken_before_counts_too() -> None:
    other = "018f3a52-0000-7000-8000-0000000000a9"
    fits, spills = (an_aliquoting(6, an_aliquot(aliquot_id=other, volume_ml=ml)) for ml in ("3.5", "3.6"))
    divided = spec.given(COLLECTED, ALIQUOTED)
    assert divided.when(specimen.AliquotSpecimen.model_validate(fits), FACTS).decide()
    divided.when(specimen.AliquotSpecimen.model_validate(spills), FACTS).then_rejected(rules.MoreThanThereWas)


def test_a_volume_nobody_measured_holds_any_tube() -> None:
    unmeasured = event(told.SpecimenCollected, collection=a_collection(volume_ml=None))
    assert spec.given(unmeasured).when(DIVIDE, FACTS).decide()


def test_each_tube_begins_a_custody_of_its_own_where_its_specimen_is() -> None:
    state = folded(COLLECTED, SHIPPED, RECEIVED)
    assert aliquots_of(state, [ALIQUOTED]) == [MADE]
    assert not aliquots_of(folded(COLLECTED), [ALIQUOTED])[0].at_laboratory
    assert aliquots_of(state, [REJECTED]) == []


def test_a_tube_is_rejected_with_what_it_was_made_of() -> None:
    with_it = event(told.SpecimenRejected, specimen_id=ALIQUOT, rejection=a_rejection(), with_parent=True)
    tube_lost = event(told.SpecimenLost, specimen_id=ALIQUOT, loss=a_loss())
    tube_rejected = event(told.SpecimenRejected, specimen_id=ALIQUOT, rejection=a_rejection(6), with_parent=False)
    assert rejected_with_parent(folded(MADE), [REJECTED]) == [with_it]
    assert rejected_with_parent(folded(MADE, tube_lost), [REJECTED]) == [with_it]
    assert rejected_with_parent(folded(MADE, tube_rejected), [REJECTED]) == []
    assert rejected_with_parent(folded(MADE, retracted(1)), [REJECTED]) == []
    assert rejected_with_parent(Unrecorded(), [REJECTED]) == []
    assert rejected_with_parent(folded(MADE), [SHIPPED]) == []


@pytest.mark.parametrize(
    ("step", "part"),
    [
        (1, {"collection": a_collection(volume_ml="5")}),
        (2, {"shipment": a_shipment(3)}),
        (3, {"receipt": a_receipt(condition="clotted")}),
        (4, {"rejection": a_rejection(because="haemolysis")}),
    ],
)
def test_a_step_is_put_right_and_its_place_stays(step: int, part: dict[str, Any]) -> None:
    history = [COLLECTED, SHIPPED, RECEIVED, REJECTED]
    ((name, details),) = part.items()
    expected = event(told.SpecimenStepCorrected, step=step, details=details, reason=WHY)
    spec.given(*history).when(correct(step, **part), FACTS).then(expected)
    spec.given(*history, expected).when(correct(step, **part), FACTS).then_nothing()
    state = folded(*history, expected)
    assert [each.number for each in state.steps] == [1, 2, 3, 4]
    assert name in {"collection", "shipment", "receipt", "rejection"}
    assert state.steps[step - 1].details == expected.details


def test_a_correction_keeps_the_order_of_time() -> None:
    given_ = spec.given(COLLECTED, SHIPPED, RECEIVED)
    given_.when(correct(2, shipment=a_shipment(5.1)), FACTS).then_rejected(rules.StepOutOfTime)
    given_.when(correct(1, collection=a_collection(collected_at=after(2.1))), FACTS).then_rejected(rules.StepOutOfTime)


def test_a_correction_names_one_step_and_the_part_of_its_kind() -> None:
    given_ = spec.given(COLLECTED, SHIPPED)
    given_.when(correct(2), FACTS).then_rejected(rules.OneStepToCorrect)
    both = correct(2, shipment=a_shipment(), receipt=a_receipt())
    given_.when(both, FACTS).then_rejected(rules.OneStepToCorrect)
    given_.when(correct(2, receipt=a_receipt()), FACTS).then_rejected(rules.NotThisStep)
    given_.when(correct(3, receipt=a_receipt()), FACTS).then_rejected(rules.NoSuchStep)


def test_the_last_step_alone_is_taken_back() -> None:
    spec.given(COLLECTED, SHIPPED).when(retract(2), FACTS).then(retracted(2))
    spec.given(COLLECTED, SHIPPED).when(retract(1), FACTS).then_rejected(rules.StepCannotBeRetracted)
    spec.given(COLLECTED, SHIPPED, retracted(2)).when(retract(2), FACTS).then_rejected(rules.NoSuchStep)
    spec.given(COLLECTED, REJECTED, retracted(2)).when(RECEIVE, FACTS).then(RECEIVED)


def test_what_something_rests_on_is_not_taken_back() -> None:
    spec.given(COLLECTED, RECEIVED, ANALYSED).when(retract(3), FACTS).then_rejected(rules.StepCannotBeRetracted)
    spec.given(COLLECTED, ALIQUOTED).when(retract(2), FACTS).then_rejected(rules.StepCannotBeRetracted)


def test_without_its_first_step_there_never_was_a_specimen() -> None:
    assert folded(COLLECTED, retracted(1)).status is None
    for command in (SHIP, retract(1), correct(1, collection=a_collection())):
        spec.given(COLLECTED, retracted(1)).when(command, FACTS).then_rejected(rules.SpecimenNeverWas)


def test_what_is_not_on_record_takes_no_step() -> None:
    for command in (SHIP, retract(1), correct(1, collection=a_collection())):
        spec.given().when(command, FACTS).then_rejected(rules.NoSuchSpecimen)


@pytest.mark.parametrize(
    ("history", "there"),
    [
        ([COLLECTED], False),
        ([COLLECTED, SHIPPED], False),
        ([COLLECTED, SHIPPED, RECEIVED], True),
        ([COLLECTED, RECEIVED, SHIPPED], False),
        ([COLLECTED, RECEIVED, LOST], False),
        ([MADE], True),
    ],
)
def test_who_has_a_specimen_follows_from_its_steps(history: list[Any], there: bool) -> None:
    assert folded(*history).is_at_laboratory is there


def test_what_stands_is_read_from_the_steps() -> None:
    state = folded(COLLECTED, RECEIVED, ALIQUOTED, ANALYSED)
    assert (state.status, state.type, state.specimen_id) == (StepKind.ANALYSED, "blood", SPECIMEN)
    assert state.results == (ANALYSED.result,)
    assert [each.aliquot_id for each in state.aliquots] == [ALIQUOT]
    assert state.receipt == RECEIVED.receipt
    assert state.rejection is None
    assert folded(COLLECTED, REJECTED).rejection == REJECTED.rejection
    assert folded(COLLECTED, RECEIVED, ANALYSED, WITHDRAWN).results == ()
    never = folded(COLLECTED, retracted(1))
    assert (never.collection, never.type, never.rejection, never.receipt) == (None, None, None, None)
    assert folded(NOT_COLLECTED).type is None


def test_a_fold_takes_whatever_it_is_handed() -> None:
    assert DECIDER.fold([SHIPPED, RECEIVED]) == Unrecorded()


COMMANDS = [
    SHIP,
    RECEIVE,
    DIVIDE,
    REJECT,
    LOSE,
    *NEXT.values(),
    correct(1, collection=a_collection(volume_ml="9")),
    correct(2, shipment=a_shipment(3)),
    retract(1),
    retract(2),
    retract(3),
]


@given(st.lists(st.sampled_from(COMMANDS), max_size=10))
def test_whatever_is_tried_time_runs_forward_and_the_chain_holds(commands: list[Any]) -> None:
    history: list[Any] = [COLLECTED]
    for command in commands:
        try:
            history += DECIDER.decide(command, DECIDER.fold(history), FACTS)
        except TrialError:
            continue
    state = folded(*history)
    times = [step.at for step in state.steps if step.at is not None]
    assert times == sorted(times)
    kinds = [step.kind for step in state.steps]
    assert all(later in FOLLOWS[earlier] for earlier, later in pairwise(kinds))
    assert (state.participant_id, state.version) == (PARTICIPANT, len(history))
