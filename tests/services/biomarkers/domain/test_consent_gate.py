"""What the consent of the day of collection does not cover is not taken; what is on record is put right."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from services.biomarkers.domain import flow_result, transgene_result
from services.biomarkers.domain.cytokine_panel import DECIDER as PANELS
from services.biomarkers.domain.cytokine_panel import CorrectCytokinePanel, RecordCytokinePanel
from services.biomarkers.domain.facts import Facts
from services.biomarkers.domain.flow_result import CorrectFlowResult, RecordFlowResult
from services.biomarkers.domain.specimens import specimen
from services.biomarkers.domain.specimens.specimen import CollectSpecimen, CorrectCustodyStep
from services.biomarkers.domain.transgene_result import CorrectTransgeneResult, RecordTransgeneResult
from shared.consent.coverage import ConsentDoesNotCover, Coverage
from shared.consent.record import Consent, ConsentRecord, Screening, Withdrawal
from shared.contracts.enrollment_terms import ConsentKind, ConsentScope
from tests.services.biomarkers.reports import (
    NOW,
    PARTICIPANT,
    PROTOCOL,
    a_cytokine_report,
    a_flow_report,
    a_transgene_report,
)
from tests.specs import Spec

KEY = UUID("018f3a52-0000-7000-8000-0000000000f1")
COLLECTED = datetime.fromisoformat("2026-03-09T08:30:00+07:00")


def under(*, withdrawn_on: str = "2026-03-09") -> Facts:
    day = date.fromisoformat(withdrawn_on)
    own = Consent(ConsentKind.OWN, None, "1.0", "th", date(2026, 1, 5))
    withdrawn = Screening(date(2026, 1, 5), (own,), (Withdrawal(ConsentScope.SAMPLES, day),))
    record = ConsentRecord("CU", "Asia/Bangkok", "2004-03", (withdrawn,))
    return Facts(NOW, PROTOCOL, consent=Coverage(record, PROTOCOL))


def drawn(days: float) -> dict[str, Any]:
    return {"collected_at": (COLLECTED + timedelta(days=days)).isoformat()}


def flow_report(specimen: dict[str, Any]) -> dict[str, Any]:
    alc = {"value": "1.2", "unit": "10*9/L", "drawn_at": specimen["collected_at"]}
    return a_flow_report(specimen=specimen, alc=alc)


def result(make: Any, decider: Any, record: Any, correct: Any, key: str) -> Any:
    def commands(days: float) -> tuple[Any, Any]:
        report = make(specimen=drawn(days))
        return (
            record.model_validate({**report, key: KEY, "participant_id": PARTICIPANT}),
            correct.model_validate({**report, "reason": "Read from the wrong gate"}),
        )

    return pytest.param(decider, commands, id=key)


RESULTS = [
    result(flow_report, flow_result.DECIDER, RecordFlowResult, CorrectFlowResult, "flow_result_id"),
    result(a_cytokine_report, PANELS, RecordCytokinePanel, CorrectCytokinePanel, "cytokine_panel_id"),
    result(
        a_transgene_report,
        transgene_result.DECIDER,
        RecordTransgeneResult,
        CorrectTransgeneResult,
        "transgene_result_id",
    ),
]


@pytest.mark.parametrize(("decider", "commands"), RESULTS)
def test_a_result_of_a_sample_of_an_uncovered_day_is_not_taken(decider: Any, commands: Any) -> None:
    spec = Spec(decider)
    on_the_day, after = commands(0)[0], commands(1)[0]
    assert spec.given().when(on_the_day, under()).decide()
    spec.given().when(after, under()).then_rejected(ConsentDoesNotCover)
    assert spec.given().when(after, replace(under(), consent=None)).decide()


@pytest.mark.parametrize(("decider", "commands"), RESULTS)
def test_a_correction_is_refused_only_where_it_moves_to_an_uncovered_day(decider: Any, commands: Any) -> None:
    spec = Spec(decider)
    before = under(withdrawn_on="2026-03-20")
    recorded = spec.given().when(commands(1)[0], before).decide()
    on_record = spec.given(*recorded)
    on_record.when(commands(1)[0], under()).then_nothing()
    later_that_day = commands(1.1)[1]
    assert on_record.when(later_that_day, under()).decide()
    on_record.when(commands(2)[1], under()).then_rejected(ConsentDoesNotCover)
    assert on_record.when(commands(0)[1], under()).decide()


def collected(days: float) -> dict[str, Any]:
    return {**specimen.EXAMPLE_COLLECTION, **drawn(days)}  # type: ignore[arg-type]


def test_a_specimen_of_an_uncovered_day_is_not_taken() -> None:
    spec = Spec(specimen.DECIDER)
    whose = {"specimen_id": KEY, "participant_id": PARTICIPANT}
    first = spec.given().when(CollectSpecimen.model_validate({**collected(0), **whose}), under()).decide()
    spec.given().when(CollectSpecimen.model_validate({**collected(1), **whose}), under()).then_rejected(
        ConsentDoesNotCover
    )
    moved = {"step": 1, "reason": "The tube's label tells another day"}
    on_record = spec.given(*first)
    later = CorrectCustodyStep.model_validate({**moved, "collection": collected(1)})
    on_record.when(later, under()).then_rejected(ConsentDoesNotCover)
    assert on_record.when(CorrectCustodyStep.model_validate({**moved, "collection": collected(0.1)}), under()).decide()
