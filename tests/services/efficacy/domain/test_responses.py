"""Responses follow whatever changes: late, corrected and retracted assessments, partial dates, a new protocol."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from services.efficacy.domain.assessments import RetractAssessment
from services.efficacy.domain.criteria import TrialCriteria, UnknownCriteria
from services.efficacy.domain.lesions import CorrectLesion
from services.efficacy.domain.tumour_burden import DECIDER
from shared.contracts.efficacy import ResponseAssigned, SupportiveResponsesAssigned
from shared.contracts.efficacy_terms import Response
from shared.kernel.decider import Command
from shared.kernel.events import Event
from shared.protocol import Protocol
from tests.services.efficacy.domain.builders import (
    FACTS,
    PROTOCOL,
    a_baseline,
    a_correction,
    a_lesion,
    a_new_lesion,
    an_assessment,
    an_id,
)
from tests.specs import Given, Spec

spec = Spec(DECIDER)


def recorded(*commands: Command) -> Given:
    history: list[Event] = []
    for command in commands:
        history += spec.given(*history).when(command, FACTS).decide()
    return spec.given(*history)


def assigned(given: Given, name: str = "month 1") -> ResponseAssigned:
    event: ResponseAssigned = given.state.assessments[an_id(name)].assigned
    return event


def reassigned(given: Given, command: Command) -> dict[str, tuple[str | None, str]]:
    """What a command re-assigns: from, to, by the name of the visit it was recorded for."""
    events = given.when(command, FACTS).decide()
    return {e.visit or "": (e.supersedes, e.response) for e in events if isinstance(e, ResponseAssigned)}


def visit(name: str, targets: str, on: str, **given: Any) -> Command:
    return an_assessment(name, targets, assessed_on=on, visit=name, **given)


SHRUNK = visit("M1", "T01=20x20", "2026-02-05")  # 40 of 100 mm
REGROWN = visit("M3", "T01=26x26", "2026-04-05")  # 52 mm: -48 % from baseline, +30 % from the nadir


def test_a_response_shows_the_numbers_it_rests_on() -> None:
    response = assigned(recorded(a_lesion(), a_baseline(), SHRUNK, REGROWN), "M3")
    basis = response.basis
    assert (response.response, response.rule) == (Response.PD, "growth-over-nadir")
    assert (basis.sum, basis.baseline_sum, basis.nadir_sum) == (Decimal(52), Decimal(100), Decimal(40))
    assert (basis.baseline_on, basis.nadir_on) == ("2026-01-05", "2026-02-05")
    assert (basis.percent_from_baseline, basis.percent_from_nadir) == (Decimal("-48.00"), Decimal("30.00"))
    assert (basis.progression_above, basis.response_below) == (Decimal(50), Decimal(50))
    assert (basis.measure, basis.unit) == ("sum-of-diameters", "mm")
    assert response.explanation == (
        "The sum is 52 mm. Progression is above 50 mm: +25 % on the nadir of 40 mm (2026-02-05). "
        "Response is below 50 mm: -50 % on the baseline of 100 mm (2026-01-05)."
    )


def test_a_late_assessment_re_assigns_those_after_it() -> None:
    given = recorded(a_lesion(), a_baseline(), REGROWN)
    assert assigned(given, "M3").response == "SD"
    assert reassigned(given, SHRUNK) == {"M1": (None, "PR"), "M3": ("SD", "PD")}


def test_a_late_baseline_re_assigns_everything() -> None:
    given = recorded(a_lesion(), SHRUNK, REGROWN)
    assert assigned(given, "M1").rule == "no-baseline"
    assert reassigned(given, a_baseline()) == {"M1": ("NE", "PR"), "M3": ("NE", "PD")}


def test_a_correction_re_assigns_what_rests_on_it() -> None:
    given = recorded(a_lesion(), a_baseline(), SHRUNK, REGROWN)
    correction = a_correction("M1", "T01=25x20", assessed_on="2026-02-05", visit="M1")
    assert reassigned(given, correction) == {"M1": ("PR", "PR"), "M3": ("PD", "SD")}


def test_a_retraction_re_assigns_what_rested_on_it() -> None:
    given = recorded(a_lesion(), a_baseline(), SHRUNK, REGROWN)
    retraction = RetractAssessment(assessment_id=an_id("M1"), reason="Another child's images")
    assert reassigned(given, retraction) == {"M3": ("PD", "SD")}


def test_a_corrected_lesion_re_assigns_too() -> None:
    given = recorded(a_lesion("T01", organ="mediastinum"), a_baseline(), visit("M1", "T01=14x9", "2026-02-05"))
    assert assigned(given, "M1").response == "PR"
    as_node = a_lesion("T01", organ="mediastinum", node=True).model_dump()
    assert reassigned(given, CorrectLesion(**as_node, reason="It is a node")) == {"M1": ("PR", "CR")}


def test_what_does_not_change_is_not_assigned_again() -> None:
    given = recorded(a_lesion(), a_baseline(), SHRUNK)
    assert reassigned(given, REGROWN) == {"M3": (None, "PD")}


def test_a_new_protocol_version_alone_re_assigns_nothing() -> None:
    given = recorded(a_lesion(), a_baseline(), SHRUNK)
    later = replace(FACTS, protocol=PROTOCOL.model_copy(update={"version": "1.1.0"}))
    events = [e for e in given.when(REGROWN, later).decide() if isinstance(e, ResponseAssigned)]
    assert [(e.visit, e.protocol) for e in events] == [("M3", "CMD03@1.1.0")]


def test_new_limits_re_assign_with_the_next_change() -> None:
    limits = PROTOCOL.response.model_copy(
        update={"pr_decrease_percent": PROTOCOL.response.pr_decrease_percent.model_copy(update={"value": Decimal(70)})}
    )
    protocol = PROTOCOL.model_copy(update={"version": "2.0.0", "response": limits})
    later = replace(FACTS, protocol=protocol, criteria=TrialCriteria(protocol).of(None).deciding)
    events = recorded(a_lesion(), a_baseline(), SHRUNK).when(REGROWN, later).decide()
    assert {(e.visit, e.response) for e in events if isinstance(e, ResponseAssigned)} == {("M1", "SD"), ("M3", "PD")}


def test_criteria_that_nobody_wrote_stop_the_start() -> None:
    named = PROTOCOL.response.criteria.model_copy(update={"value": "WHO_1980"})
    protocol = PROTOCOL.model_copy(update={"response": PROTOCOL.response.model_copy(update={"criteria": named})})
    assert isinstance(protocol, Protocol)
    with pytest.raises(UnknownCriteria, match="SEED_V1"):
        TrialCriteria(protocol)


@pytest.mark.parametrize(
    ("on", "rule"),
    [
        ("2026-01-04", "before-baseline"),
        ("2025", "before-baseline"),
        ("2026-01", "shrinkage-from-baseline"),  # may be after the 5th: only what must precede does
        ("2026-01-05", "shrinkage-from-baseline"),
        ("2026-01-06", "shrinkage-from-baseline"),
    ],
)
def test_an_assessment_before_the_baseline_has_nothing_to_respond_from(on: str, rule: str) -> None:
    assert assigned(recorded(a_lesion(), a_baseline(), visit("M1", "T01=20x20", on)), "M1").rule == rule


def test_what_precedes_the_baseline_is_no_nadir_and_no_progression() -> None:
    early = visit("early", "T01=11x10", "2025-12-01", new_lesions=[a_new_lesion()])
    given = recorded(a_lesion(), early, a_baseline(), REGROWN)
    assert (assigned(given, "early").response, assigned(given, "early").basis.sum) == (Response.NE, Decimal(21))
    assert assigned(given, "M3").basis.nadir_on == "2026-01-05"


def test_progression_that_needs_no_comparison_needs_no_baseline() -> None:
    given = recorded(a_lesion(), visit("M1", "T01=20x20", "2026-02-05", new_lesions=[a_new_lesion()]))
    assert (assigned(given, "M1").response, assigned(given, "M1").basis.baseline_sum) == (Response.PD, None)


def test_of_two_assessments_on_one_day_neither_is_the_others_nadir() -> None:
    morning, evening = visit("a", "T01=20x20", "2026-02-05"), visit("b", "T01=26x26", "2026-02-05")
    given = recorded(a_lesion(), a_baseline(), morning, evening)
    assert (assigned(given, "a").response, assigned(given, "b").response) == ("PR", "SD")
    assert list(given.state.standing) == [an_id("baseline"), an_id("a"), an_id("b")]


def test_a_lesion_identified_after_a_follow_up_was_not_assessed_at_it() -> None:
    given = recorded(SHRUNK_WITHOUT_LESIONS, a_lesion(), a_baseline(non_target="ne"))
    assert (assigned(given, "M1").rule, assigned(given, "M1").basis.not_assessed) == (
        "target-not-assessed",
        (an_id("T01"),),
    )
    assert assigned(given, "M1").basis.seen_sum is None


SHRUNK_WITHOUT_LESIONS = visit("M1", "", "2026-02-05", non_target="none")


def test_a_non_target_lesion_nobody_spoke_of_is_not_evaluable() -> None:
    given = recorded(
        a_lesion("T01"),
        visit("M1", "T01=0x0", "2026-02-05", non_target="none"),
        a_lesion("NT01", role="non-target"),
        a_baseline(non_target="non-cr-non-pd"),
    )
    assert (assigned(given, "M1").response, assigned(given, "M1").rule) == ("PR", "targets-gone-other-disease-left")


def test_an_equivocal_new_lesion_asks_for_another_image() -> None:
    given = recorded(
        a_lesion(), a_baseline(), visit("M1", "T01=60x40", "2026-02-05", new_lesions=[a_new_lesion("N", "equivocal")])
    )
    assert assigned(given, "M1").response is Response.SD
    assert "image again" in assigned(given, "M1").explanation


def test_too_small_to_measure_counts_with_the_default_and_says_so() -> None:
    basis = assigned(recorded(a_lesion(), a_baseline(), visit("M1", "T01=TSTM", "2026-02-05")), "M1").basis
    assert (basis.sum, basis.too_small, basis.default_diameter_mm) == (Decimal(10), (an_id("T01"),), Decimal(5))


def test_a_target_not_assessed_leaves_no_sum() -> None:
    given = recorded(a_lesion("T01"), a_lesion("T02"), a_baseline("T01=60x40|T02=20x10"))
    at = assigned(recorded_on(given, visit("M1", "T01=30x20|T02=NE", "2026-02-05")), "M1")
    assert (at.response, at.basis.sum, at.basis.seen_sum) == (Response.NE, None, Decimal(50))
    assert at.basis.percent_from_nadir is None
    assert "sum of the lesions seen" in at.explanation
    unseen = assigned(recorded_on(given, visit("M1", "T01=NE|T02=NE", "2026-02-05")), "M1")
    assert (unseen.basis.seen_sum, unseen.explanation.count("No target lesion was assessed")) == (None, 1)


def recorded_on(given: Given, command: Command) -> Given:
    return spec.given(*given.history, *given.when(command, FACTS).decide())


BESIDE = replace(FACTS, supportive=TrialCriteria(PROTOCOL).of("neuroblastoma").supportive)


def supportive(given: Given, command: Command) -> list[dict[str, str | None]]:
    events = given.when(command, BESIDE).decide()
    told = [event for event in events if isinstance(event, SupportiveResponsesAssigned)]
    return [{each.criteria: each.response for each in event.responses} for event in told]


def test_other_criteria_judge_the_same_measurements_beside_those_that_decide() -> None:
    assert supportive(recorded(a_lesion(), a_baseline()), SHRUNK) == [
        {"SEED_SPD": "PR", "WHO_1979": "PR", "RECIST_1_1": "PR", "IRECIST": "iPR", "INRC_2017": None}
    ]


def test_what_they_say_is_told_again_where_it_changes_and_only_there() -> None:
    history: list[Event] = []
    for command in (a_lesion(), a_baseline(), SHRUNK, REGROWN):
        history += spec.given(*history).when(command, BESIDE).decide()
    given = spec.given(*history)
    assert supportive(given, SHRUNK) == []
    later = given.when(a_correction("M3", "T01=27x26", assessed_on="2026-04-05", visit="M3"), BESIDE).decide()
    assert [type(event).__name__ for event in later] == [
        "AssessmentCorrected",
        "ResponseAssigned",
        "SupportiveResponsesAssigned",
    ]
    beside = given.state.assessments[an_id("M3")].supportive
    assert beside is not None
    assert beside.responses[0].basis.unit == "mm2"


def test_the_diagnosis_chooses_the_criteria() -> None:
    every = TrialCriteria(PROTOCOL)
    assert [each.name for each in every.of("high-grade-glioma").supportive][-2:] == ["RANO_HGG_2010", "RAPNO_HGG"]
    assert "INRC_2017" not in {each.name for each in every.of("osteosarcoma").supportive}
    decides = PROTOCOL.response.criteria_by_diagnosis.model_copy(update={"value": {"neuroblastoma": "INRC_2017"}})
    response = PROTOCOL.response.model_copy(update={"criteria_by_diagnosis": decides})
    chosen = TrialCriteria(PROTOCOL.model_copy(update={"response": response})).of("neuroblastoma")
    assert chosen.deciding.name == "INRC_2017"
    assert [each.name for each in chosen.supportive] == ["SEED_V1", "SEED_SPD", "WHO_1979", "RECIST_1_1", "IRECIST"]
    facts = replace(FACTS, criteria=chosen.deciding)
    events = recorded(a_lesion(), a_baseline()).when(SHRUNK, facts).decide()
    found = next(event for event in events if isinstance(event, ResponseAssigned))
    assert (found.response, found.rule) == ("NE", "uptake-unknown")  # nobody gave what these criteria need


def test_what_was_seen_beside_diameters_reaches_the_criteria() -> None:
    facts = replace(FACTS, criteria=TrialCriteria(PROTOCOL).engines["INRC_2017"])
    found = an_assessment("M1", "T01=20x20", neuroblastoma={"primary_uptake": "stable"})
    events = recorded(a_lesion(), a_baseline()).when(found, facts).decide()
    assert [event.response for event in events if isinstance(event, ResponseAssigned)] == ["PR"]
    immune = replace(FACTS, criteria=TrialCriteria(PROTOCOL).engines["IRECIST"])
    history: list[Event] = []
    grown = [a_new_lesion() | {"longest_mm": size} for size in ("10", "15")]
    for command in (
        a_lesion(),
        a_baseline(),
        an_assessment("M1", assessed_on="2026-02-04", new_lesions=[grown[0]]),
        an_assessment("M2", assessed_on="2026-03-06", new_lesions=[grown[1]]),
    ):
        history += spec.given(*history).when(command, immune).decide()
    assert assigned(spec.given(*history), "M2").response == "iCPD"
