"""The life of a cytokine panel: recorded, corrected, cancelled."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.biomarkers.domain.cytokine_panel import (
    DECIDER,
    CancelCytokinePanel,
    CorrectCytokinePanel,
    CytokinePanelAlreadyRecorded,
    CytokinePanelIsCancelled,
    NoSuchCytokinePanel,
    RecordCytokinePanel,
)
from services.biomarkers.domain.facts import Facts
from services.biomarkers.domain.laboratory_report import CollectedInFuture, ZeroWithoutLimit
from services.biomarkers.domain.life import Unrecorded
from shared.contracts.biomarkers import (
    CytokinePanelCancelled,
    CytokinePanelCorrected,
    CytokinePanelRecorded,
    CytokineReport,
    Ground,
)
from tests.services.biomarkers.reports import NOW, PANEL, PARTICIPANT, PROTOCOL, a_cytokine_report, a_line
from tests.specs import Spec

spec = Spec(DECIDER)
FACTS = Facts(NOW, PROTOCOL)
WHY = "The kit's standard curve was read wrongly"


def recording(*lines: dict[str, Any], **given_: Any) -> RecordCytokinePanel:
    identity = {"cytokine_panel_id": PANEL, "participant_id": PARTICIPANT}
    return RecordCytokinePanel.model_validate(a_cytokine_report(*lines, **{**identity, **given_}))


def correcting(*lines: dict[str, Any], **given_: Any) -> CorrectCytokinePanel:
    return CorrectCytokinePanel.model_validate(a_cytokine_report(*lines, **{"reason": WHY, **given_}))


def cancelling(ground: Ground = Ground.CANCELLED) -> CancelCytokinePanel:
    return CancelCytokinePanel(ground=ground, reason=WHY)


def recorded(*lines: dict[str, Any], **given_: Any) -> CytokinePanelRecorded:
    event = DECIDER.decide(recording(*lines, **given_), Unrecorded(), FACTS)[0]
    assert isinstance(event, CytokinePanelRecorded)
    return event


def corrected(*lines: dict[str, Any], **given_: Any) -> CytokinePanelCorrected:
    return CytokinePanelCorrected(**dict(recorded(*lines, **given_)), reason=WHY)


CANCELLED = CytokinePanelCancelled(
    cytokine_panel_id=PANEL, participant_id=PARTICIPANT, ground=Ground.CANCELLED, reason=WHY
)


def test_a_panel_goes_on_record_with_the_report_unchanged_and_the_results_beside_it() -> None:
    event = recorded(a_line("IL-6", value="0.0384", lloq="0.0025", uloq=None, unit="ng/mL"))
    assert event.report.results[0].value == Decimal("0.0384")
    assert event.results[2].value_pg_ml == Decimal("38.4")
    assert event.report.lot == "A1"
    assert event.protocol == "CMD03@1.0.0"
    assert recorded().report == CytokineReport.model_validate(a_cytokine_report())
    spec.given().when(recording(), FACTS).then(recorded())


def test_the_same_report_twice_decides_to_nothing() -> None:
    spec.given(recorded()).when(recording(), FACTS).then_nothing()


def test_the_first_report_again_decides_to_nothing_after_a_correction_or_a_cancellation() -> None:
    spec.given(recorded(), corrected(a_line())).when(recording(), FACTS).then_nothing()
    spec.given(recorded(), CANCELLED).when(recording(), FACTS).then_nothing()


def test_another_report_under_the_same_id_is_rejected() -> None:
    spec.given(recorded()).when(recording(a_line()), FACTS).then_rejected(CytokinePanelAlreadyRecorded)
    other = recording(participant_id=UUID(int=7))
    spec.given(recorded()).when(other, FACTS).then_rejected(CytokinePanelAlreadyRecorded)
    spec.given(recorded(), CANCELLED).when(other, FACTS).then_rejected(CytokinePanelAlreadyRecorded)


def test_what_cannot_be_a_panel_is_neither_recorded_nor_a_correction() -> None:
    zero = a_line(value="0", lloq=None)
    spec.given().when(recording(zero), FACTS).then_rejected(ZeroWithoutLimit)
    spec.given(recorded()).when(correcting(zero), FACTS).then_rejected(ZeroWithoutLimit)
    future = {"specimen": {"collected_at": "2027-01-01T00:00:00Z"}}
    spec.given().when(recording(**future), FACTS).then_rejected(CollectedInFuture)


def test_a_correction_supersedes_with_its_reason() -> None:
    spec.given(recorded()).when(correcting(a_line()), FACTS).then(corrected(a_line()))
    spec.given(recorded(), corrected(a_line())).when(correcting(), FACTS).then(corrected())


def test_a_correction_to_what_stands_decides_to_nothing() -> None:
    spec.given(recorded()).when(correcting(), FACTS).then_nothing()
    spec.given(recorded(), corrected(a_line())).when(correcting(a_line()), FACTS).then_nothing()


def test_a_cancelled_panel_no_longer_counts() -> None:
    spec.given(recorded()).when(cancelling(), FACTS).then(CANCELLED)
    spec.given(recorded(), CANCELLED).when(cancelling(), FACTS).then_nothing()
    other = cancelling(Ground.ENTERED_IN_ERROR)
    spec.given(recorded(), CANCELLED).when(other, FACTS).then_rejected(CytokinePanelIsCancelled)
    spec.given(recorded(), CANCELLED).when(correcting(a_line()), FACTS).then_rejected(CytokinePanelIsCancelled)


def test_what_is_not_on_record_is_neither_corrected_nor_cancelled() -> None:
    spec.given().when(correcting(), FACTS).then_rejected(NoSuchCytokinePanel)
    spec.given().when(cancelling(), FACTS).then_rejected(NoSuchCytokinePanel)


def test_a_fold_takes_whatever_it_is_handed() -> None:
    assert DECIDER.fold([CANCELLED, corrected()]) == Unrecorded()


@given(
    st.lists(
        st.sampled_from([recording(), correcting(a_line()), correcting(a_line(value="1", lloq="2")), cancelling()]),
        max_size=8,
    )
)
def test_any_command_twice_decides_to_nothing(commands: list[Any]) -> None:
    history: list[Any] = [recorded()]
    for command in commands:
        try:
            history += DECIDER.decide(command, DECIDER.fold(history), FACTS)
        except CytokinePanelIsCancelled:
            continue
        assert DECIDER.decide(command, DECIDER.fold(history), FACTS) == []
