"""The life of a flow result: recorded, corrected, cancelled."""

from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.biomarkers.domain.facts import Facts
from services.biomarkers.domain.flow_result import (
    DECIDER,
    CancelFlowResult,
    CorrectFlowResult,
    FlowResultAlreadyRecorded,
    FlowResultIsCancelled,
    NoSuchFlowResult,
    RecordFlowResult,
)
from services.biomarkers.domain.laboratory_report import CollectedInFuture, ZeroWithoutLimit
from services.biomarkers.domain.life import Unrecorded
from shared.contracts.biomarkers import (
    FlowReport,
    FlowResultCancelled,
    FlowResultCorrected,
    FlowResultRecorded,
    Ground,
)
from tests.services.biomarkers.reports import NOW, PARTICIPANT, PROTOCOL, RESULT, a_flow_report
from tests.specs import Spec

spec = Spec(DECIDER)
FACTS = Facts(NOW, PROTOCOL)
WHY = "Read from the wrong gate"


def recording(**given_: Any) -> RecordFlowResult:
    identity = {"flow_result_id": RESULT, "participant_id": PARTICIPANT}
    return RecordFlowResult.model_validate(a_flow_report(**{**identity, **given_}))


def correcting(**given_: Any) -> CorrectFlowResult:
    return CorrectFlowResult.model_validate(a_flow_report(**{"reason": WHY, **given_}))


def cancelling(ground: Ground = Ground.ENTERED_IN_ERROR) -> CancelFlowResult:
    return CancelFlowResult(ground=ground, reason=WHY)


def recorded(**given_: Any) -> FlowResultRecorded:
    event = DECIDER.decide(recording(**given_), Unrecorded(), FACTS)[0]
    assert isinstance(event, FlowResultRecorded)
    return event


def corrected(**given_: Any) -> FlowResultCorrected:
    event = recorded(**given_)
    return FlowResultCorrected(**dict(event), reason=WHY)


CANCELLED = FlowResultCancelled(
    flow_result_id=RESULT, participant_id=PARTICIPANT, ground=Ground.ENTERED_IN_ERROR, reason=WHY
)


def test_a_result_goes_on_record_with_the_report_unchanged_and_the_count_beside_it() -> None:
    event = recorded()
    assert event.report == FlowReport.model_validate(a_flow_report())
    assert event.count.cells_per_ul == 96
    assert event.protocol == "CMD03@1.0.0"
    spec.given().when(recording(), FACTS).then(event)


def test_the_same_report_twice_decides_to_nothing() -> None:
    spec.given(recorded()).when(recording(percent="10.00"), FACTS).then_nothing()


def test_the_first_report_again_decides_to_nothing_after_a_correction_or_a_cancellation() -> None:
    spec.given(recorded(), corrected(percent="11")).when(recording(), FACTS).then_nothing()
    spec.given(recorded(), CANCELLED).when(recording(), FACTS).then_nothing()


def test_another_report_under_the_same_id_is_rejected() -> None:
    spec.given(recorded()).when(recording(percent="11"), FACTS).then_rejected(FlowResultAlreadyRecorded)
    other = recording(participant_id=UUID(int=7))
    spec.given(recorded()).when(other, FACTS).then_rejected(FlowResultAlreadyRecorded)
    spec.given(recorded(), CANCELLED).when(other, FACTS).then_rejected(FlowResultAlreadyRecorded)


def test_what_cannot_be_a_result_is_neither_recorded_nor_a_correction() -> None:
    zero = {"percent": "0", "parent_events": None}
    spec.given().when(recording(**zero), FACTS).then_rejected(ZeroWithoutLimit)
    spec.given(recorded()).when(correcting(**zero), FACTS).then_rejected(ZeroWithoutLimit)
    future = {"specimen": {"collected_at": "2027-01-01T00:00:00Z"}, "alc": None}
    spec.given().when(recording(**future), FACTS).then_rejected(CollectedInFuture)


def test_a_correction_supersedes_with_its_reason() -> None:
    spec.given(recorded()).when(correcting(percent="11"), FACTS).then(corrected(percent="11"))
    spec.given(recorded(), corrected(percent="11")).when(correcting(), FACTS).then(corrected())


def test_a_correction_to_what_stands_decides_to_nothing() -> None:
    spec.given(recorded()).when(correcting(), FACTS).then_nothing()
    spec.given(recorded(), corrected(percent="11")).when(correcting(percent="11"), FACTS).then_nothing()


def test_a_cancelled_result_no_longer_counts() -> None:
    spec.given(recorded()).when(cancelling(), FACTS).then(CANCELLED)
    spec.given(recorded(), CANCELLED).when(cancelling(), FACTS).then_nothing()
    spec.given(recorded(), CANCELLED).when(cancelling(Ground.CANCELLED), FACTS).then_rejected(FlowResultIsCancelled)
    spec.given(recorded(), CANCELLED).when(correcting(percent="11"), FACTS).then_rejected(FlowResultIsCancelled)


def test_what_is_not_on_record_is_neither_corrected_nor_cancelled() -> None:
    spec.given().when(correcting(), FACTS).then_rejected(NoSuchFlowResult)
    spec.given().when(cancelling(), FACTS).then_rejected(NoSuchFlowResult)


def test_a_fold_takes_whatever_it_is_handed() -> None:
    assert DECIDER.fold([CANCELLED, corrected()]) == Unrecorded()


@given(
    st.lists(
        st.sampled_from(
            [
                recording(),
                correcting(percent="11"),
                correcting(percent="0"),
                correcting(cells_per_ul="90", platform="single"),
                cancelling(),
            ]
        ),
        max_size=8,
    )
)
def test_any_command_twice_decides_to_nothing(commands: list[Any]) -> None:
    history: list[Any] = [recorded()]
    for command in commands:
        try:
            history += DECIDER.decide(command, DECIDER.fold(history), FACTS)
        except FlowResultIsCancelled:
            continue
        assert DECIDER.decide(command, DECIDER.fold(history), FACTS) == []
