"""The life of a transgene result: recorded, corrected, cancelled."""

from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.biomarkers.domain.facts import Facts
from services.biomarkers.domain.laboratory_report import CollectedInFuture, ZeroWithoutLimit
from services.biomarkers.domain.life import Unrecorded
from services.biomarkers.domain.transgene_result import (
    DECIDER,
    CancelTransgeneResult,
    CorrectTransgeneResult,
    NoSuchTransgeneResult,
    RecordTransgeneResult,
    TransgeneResultAlreadyRecorded,
    TransgeneResultIsCancelled,
)
from shared.contracts.biomarkers import Ground
from shared.contracts.biomarkers_transgene import (
    TransgeneReport,
    TransgeneResultCancelled,
    TransgeneResultCorrected,
    TransgeneResultRecorded,
)
from tests.services.biomarkers.reports import NOW, PARTICIPANT, PROTOCOL, TRANSGENE, a_transgene_report
from tests.specs import Spec

spec = Spec(DECIDER)
FACTS = Facts(NOW, PROTOCOL)
WHY = "The standards were diluted twice"


def recording(**given_: Any) -> RecordTransgeneResult:
    identity = {"transgene_result_id": TRANSGENE, "participant_id": PARTICIPANT}
    return RecordTransgeneResult.model_validate(a_transgene_report(**{**identity, **given_}))


def correcting(**given_: Any) -> CorrectTransgeneResult:
    return CorrectTransgeneResult.model_validate(a_transgene_report(**{"reason": WHY, **given_}))


def cancelling(ground: Ground = Ground.ENTERED_IN_ERROR) -> CancelTransgeneResult:
    return CancelTransgeneResult(ground=ground, reason=WHY)


def recorded(**given_: Any) -> TransgeneResultRecorded:
    event = DECIDER.decide(recording(**given_), Unrecorded(), FACTS)[0]
    assert isinstance(event, TransgeneResultRecorded)
    return event


def corrected(**given_: Any) -> TransgeneResultCorrected:
    event = recorded(**given_)
    return TransgeneResultCorrected(**dict(event), reason=WHY)


CANCELLED = TransgeneResultCancelled(
    transgene_result_id=TRANSGENE, participant_id=PARTICIPANT, ground=Ground.ENTERED_IN_ERROR, reason=WHY
)


def test_a_result_goes_on_record_with_the_report_unchanged_and_what_was_read_beside_it() -> None:
    event = recorded()
    assert event.report == TransgeneReport.model_validate(a_transgene_report())
    assert event.level.copies_per_ug == 15200
    assert event.protocol == "CMD03@1.0.0"
    spec.given().when(recording(), FACTS).then(event)


def test_the_same_report_twice_decides_to_nothing() -> None:
    spec.given(recorded()).when(recording(copies_per_ug="15200.0"), FACTS).then_nothing()


def test_the_first_report_again_decides_to_nothing_after_a_correction_or_a_cancellation() -> None:
    spec.given(recorded(), corrected(copies_per_ug="1520")).when(recording(), FACTS).then_nothing()
    spec.given(recorded(), CANCELLED).when(recording(), FACTS).then_nothing()


def test_another_report_under_the_same_id_is_rejected() -> None:
    spec.given(recorded()).when(recording(copies_per_ug="1520"), FACTS).then_rejected(TransgeneResultAlreadyRecorded)
    other = recording(participant_id=UUID(int=7))
    spec.given(recorded()).when(other, FACTS).then_rejected(TransgeneResultAlreadyRecorded)
    spec.given(recorded(), CANCELLED).when(other, FACTS).then_rejected(TransgeneResultAlreadyRecorded)


def test_what_cannot_be_a_result_is_neither_recorded_nor_a_correction() -> None:
    zero = {"copies_per_ug": "0", "lloq_copies_per_ug": None}
    spec.given().when(recording(**zero), FACTS).then_rejected(ZeroWithoutLimit)
    spec.given(recorded()).when(correcting(**zero), FACTS).then_rejected(ZeroWithoutLimit)
    future = {"specimen": {"collected_at": "2027-01-01T00:00:00Z"}}
    spec.given().when(recording(**future), FACTS).then_rejected(CollectedInFuture)


def test_a_correction_supersedes_with_its_reason() -> None:
    spec.given(recorded()).when(correcting(copies_per_ug="1520"), FACTS).then(corrected(copies_per_ug="1520"))
    spec.given(recorded(), corrected(copies_per_ug="1520")).when(correcting(), FACTS).then(corrected())


def test_a_correction_to_what_stands_decides_to_nothing() -> None:
    spec.given(recorded()).when(correcting(), FACTS).then_nothing()
    spec.given(recorded(), corrected(copies_per_ug="1520")).when(correcting(copies_per_ug="1520"), FACTS).then_nothing()


def test_a_cancelled_result_no_longer_counts() -> None:
    spec.given(recorded()).when(cancelling(), FACTS).then(CANCELLED)
    spec.given(recorded(), CANCELLED).when(cancelling(), FACTS).then_nothing()
    spec.given(recorded(), CANCELLED).when(cancelling(Ground.CANCELLED), FACTS).then_rejected(
        TransgeneResultIsCancelled
    )
    spec.given(recorded(), CANCELLED).when(correcting(copies_per_ug="1520"), FACTS).then_rejected(
        TransgeneResultIsCancelled
    )


def test_what_is_not_on_record_is_neither_corrected_nor_cancelled() -> None:
    spec.given().when(correcting(), FACTS).then_rejected(NoSuchTransgeneResult)
    spec.given().when(cancelling(), FACTS).then_rejected(NoSuchTransgeneResult)


def test_a_fold_takes_whatever_it_is_handed() -> None:
    assert DECIDER.fold([CANCELLED, corrected()]) == Unrecorded()


@given(
    st.lists(
        st.sampled_from(
            [
                recording(),
                correcting(copies_per_ug="1520"),
                correcting(copies_per_ug="0"),
                correcting(method="ddpcr"),
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
        except TransgeneResultIsCancelled:
            continue
        assert DECIDER.decide(command, DECIDER.fold(history), FACTS) == []
