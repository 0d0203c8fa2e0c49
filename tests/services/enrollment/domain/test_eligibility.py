"""One answer to each criterion: at, just past and beside each limit; what is unknown is never met."""

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.enrollment.domain.criteria.evaluation import outcome
from services.enrollment.domain.eligibility import About, AssessEligibility, EvidenceNotAskedFor, answer, assessment
from services.enrollment.domain.facts import InTheFuture, NotAtThisPoint, OutOfOrder
from shared.consent.documents import Document, Forms
from shared.contracts.enrollment import EligibilityAssessed
from shared.contracts.enrollment_terms import (
    Answer,
    ConsentKind,
    CriterionAnswer,
    CriterionCategory,
    Evidence,
    Why,
)
from shared.protocol import Criterion, Protocol
from tests.services.enrollment import builders
from tests.services.enrollment.builders import (
    CONSENTED,
    ENROLLED,
    FACTS,
    PROTOCOL,
    consent,
    data_correction,
    evidence,
    facts,
    living,
    screening,
    spec,
    told,
)

DAY = date(2026, 3, 6)
CHILD = living(*CONSENTED)


def found(
    criterion: Criterion | str, given: Any = None, who: Any = CHILD, on: date = DAY, under: Any = PROTOCOL
) -> str:
    """The answer and what it rests on, as `met: compared`."""
    asked = PROTOCOL.criterion(criterion) if isinstance(criterion, str) else criterion
    answered = answer(asked, None if given is None else Evidence.model_validate(given), About(who, on, under))
    return f"{answered.answer}: {answered.why}"


def a_criterion(like: str = "AN-04", **fields: Any) -> Criterion:
    """A criterion of CMD03 with what matters to a test replaced. AN-04: AST below 5 x the upper limit of normal."""
    content = PROTOCOL.criterion(like).model_dump(mode="json") | fields
    return Criterion.model_validate_json(json.dumps(content))


def xuln(number: str) -> dict[str, str]:
    return {"number": number, "unit": "{xULN}"}


@pytest.mark.parametrize(
    ("operator", "below", "at", "above"),
    [
        (">=", "not-met", "met", "met"),
        (">", "not-met", "not-met", "met"),
        ("<=", "met", "met", "not-met"),
        ("<", "met", "not-met", "not-met"),
        ("=", "not-met", "met", "not-met"),
    ],
)
def test_a_number_is_compared_as_strictly_as_the_criterion_says(operator: str, below: str, at: str, above: str) -> None:
    criterion = a_criterion(operator=operator)
    answers = [found(criterion, xuln(number)) for number in ("4.9999", "5", "5.0001")]
    assert answers == [f"{expected}: compared" for expected in (below, at, above)]


@pytest.mark.parametrize(
    ("operator", "below", "at", "above"), [("<", "not-met", "met", "met"), (">=", "met", "not-met", "not-met")]
)
def test_an_exclusion_is_met_where_what_it_describes_is_absent(operator: str, below: str, at: str, above: str) -> None:
    criterion = a_criterion(operator=operator, type="exclusion")
    answers = [found(criterion, xuln(number)) for number in ("4.9", "5", "5.1")]
    assert answers == [f"{expected}: compared" for expected in (below, at, above)]


@pytest.mark.parametrize(
    ("criterion", "given", "expected"),
    [
        ("AN-16", {"flag": False}, "met: compared"),  # no HIV infection
        ("AN-16", {"flag": True}, "not-met: compared"),
        ("CMD03-I4", {"flag": True}, "met: compared"),  # measurable disease
        ("CMD03-I4", {"flag": False}, "not-met: compared"),
        ("CMD03-I3", {"choice": "POSITIVE"}, "met: compared"),
        ("CMD03-I3", {"choice": "NEGATIVE"}, "not-met: compared"),
        ("CMD03-I3", {"choice": "Positive"}, "met: compared"),
        ("AN-17", {"number": "13", "unit": "d"}, "not-met: compared"),
        ("AN-17", {"number": "14", "unit": "d"}, "met: compared"),
    ],
)
def test_flags_choices_and_days_are_answered_for_eligibility(criterion: str, given: Any, expected: str) -> None:
    assert found(criterion, given) == expected


@pytest.mark.parametrize(
    ("criterion", "given", "why"),
    [
        ("AN-04", None, "missing"),
        ("AN-04", {}, "missing"),
        ("AN-04", {"unit": "{xULN}"}, "missing"),
        ("AN-04", {"flag": True}, "wrong-kind"),
        ("AN-04", {"never": True}, "wrong-kind"),  # a concentration is not counted in days
        ("AN-04", {"number": "1.2"}, "wrong-unit"),
        ("AN-04", {"number": "1.2", "unit": "U/L"}, "wrong-unit"),
        ("AN-04", {"number": "1.2", "upper_limit_of_normal": "40"}, "wrong-unit"),
        ("AN-08", {"number": "0.98", "unit": "1"}, "wrong-unit"),
        ("AN-16", None, "missing"),
        ("AN-16", {}, "missing"),
        ("AN-16", {"number": "0"}, "wrong-kind"),
        ("CMD03-I3", {}, "missing"),
        ("CMD03-I3", {"flag": True}, "wrong-kind"),
        ("AN-04", {**xuln("1.2"), "observed_on": "2026-03-07"}, "dated-later"),
        ("AN-19", {"number": "2.5", "unit": "10*9/L"}, "threshold-unset"),
        ("AN-19", None, "threshold-unset"),
    ],
)
def test_what_is_missing_or_in_other_terms_is_never_met(criterion: str, given: Any, why: str) -> None:
    assert found(criterion, given) == f"not-evaluable: {why}"


@given(
    st.builds(
        dict,
        number=st.none() | st.decimals("0", "1000", places=2).map(str),
        unit=st.none() | st.sampled_from(["{xULN}", "U/L", "%"]),
        upper_limit_of_normal=st.none() | st.just("40"),
    )
)
def test_without_a_number_in_a_known_unit_nothing_is_ever_met(given_: dict[str, Any]) -> None:
    in_known_unit = given_["unit"] == "{xULN}" or (given_["unit"] and given_["upper_limit_of_normal"])
    if given_["number"] is None or not in_known_unit:
        assert found("AN-04", given_).startswith("not-evaluable")


@pytest.mark.parametrize(("number", "expected"), [("199.9", "met"), ("200", "not-met"), ("200.1", "not-met")])
def test_a_laboratory_value_is_compared_with_its_own_upper_limit_of_normal(number: str, expected: str) -> None:
    given = {"number": number, "unit": "U/L", "upper_limit_of_normal": "40"}
    assert found("AN-04", given) == f"{expected}: compared"


@pytest.mark.parametrize(
    ("observed_on", "expected"),
    [
        ("2026-02-27", "met: compared"),  # 7 days before
        ("2026-02-26", "not-evaluable: stale"),
        (None, "not-evaluable: date-missing"),
        ("2026-03-06", "met: compared"),
        ("2026-03-07", "not-evaluable: dated-later"),
    ],
)
def test_a_pregnancy_test_counts_for_seven_days(observed_on: str | None, expected: str) -> None:
    assert found("AN-14", {"choice": "NEGATIVE", "observed_on": observed_on}) == expected


def test_an_undated_nothing_is_missing_before_it_is_undated() -> None:
    assert found("AN-14", {}) == "not-evaluable: missing"


@pytest.mark.parametrize(
    ("days", "half_life", "expected"),
    [
        ("30", None, "met: compared"),  # 30 days are enough for any drug
        ("29", None, "not-evaluable: half-life-unknown"),
        ("29", "9.66", "met: compared"),  # 3 x 9.66 = 28.98
        ("29", "9.67", "not-met: compared"),  # 3 x 9.67 = 29.01
        ("29", "21", "not-met: compared"),  # 3 x 21 = 63: the 30 days are the shorter
        ("30", "21", "met: compared"),
    ],
)
def test_three_half_lives_count_where_they_are_shorter(days: str, half_life: str | None, expected: str) -> None:
    assert found("AN-10", {"number": days, "unit": "d", "half_life_days": half_life}) == expected


@pytest.mark.parametrize(("days", "expected"), [("14", "met: compared"), ("13", "not-evaluable: half-life-unknown")])
def test_an_exclusion_within_half_lives_stays_open_while_the_half_life_is_unknown(days: str, expected: str) -> None:
    excluding = a_criterion("AN-17", half_lives="5")
    assert found(excluding, {"number": days, "unit": "d"}) == expected


@pytest.mark.parametrize("criterion", ["AN-09", "AN-10", "AN-11", "AN-17"])
def test_a_therapy_that_was_never_given_is_long_enough_ago(criterion: str) -> None:
    assert found(criterion, {"never": True}) == "met: compared"


def test_evidence_says_one_thing() -> None:
    with pytest.raises(ValidationError):
        Evidence.model_validate({"number": "1", "flag": True})
    with pytest.raises(ValidationError):
        Evidence.model_validate({"number": "1", "never": True})
    with pytest.raises(ValidationError):
        Evidence.model_validate({"never": False})


@pytest.mark.parametrize(
    ("born", "at_least_one", "at_most_25"),
    [
        ("2025-04", "not-met: compared", "met: compared"),
        ("2025-03", "not-evaluable: birthday-unknown", "met: compared"),  # 1 year old by the end of the month
        ("2025-02", "met: compared", "met: compared"),
        ("2000-04", "met: compared", "met: compared"),  # 25 until the end of March
        ("2000-03", "met: compared", "not-evaluable: birthday-unknown"),  # 26 within this month
        ("2000-02", "met: compared", "not-met: compared"),
    ],
)
def test_in_the_birth_month_an_age_limit_must_hold_either_way(born: str, at_least_one: str, at_most_25: str) -> None:
    who = living(screening(birth_month=born))
    assert [found("CMD03-I1a", who=who), found("CMD03-I1b", who=who)] == [at_least_one, at_most_25]


@pytest.mark.parametrize(
    ("born", "expected"), [("2025-02", "not-met"), ("2024-12", "not-met"), ("2025-04", "met"), ("2025-03", "open")]
)
def test_an_age_can_exclude(born: str, expected: str) -> None:
    older_than_a_year = a_criterion("CMD03-I1a", type="exclusion")
    answered = found(older_than_a_year, who=living(screening(birth_month=born)))
    assert answered == ("not-evaluable: birthday-unknown" if expected == "open" else f"{expected}: compared")


@pytest.mark.parametrize(
    ("sex", "any_sex", "girls_alone"),
    [
        ("F", "met: compared", "met: compared"),
        ("M", "met: compared", "not-met: compared"),
        ("UNDIFFERENTIATED", "met: compared", "not-met: compared"),
        ("U", "not-evaluable: missing", "not-evaluable: missing"),
    ],
)
def test_sex_is_answered_from_the_record(sex: str, any_sex: str, girls_alone: str) -> None:
    girls = a_criterion("CMD03-I2", operator="in", threshold=["F"])
    who = living(screening(sex=sex))
    assert [found("CMD03-I2", who=who), found(girls, who=who)] == [any_sex, girls_alone]


def test_consent_is_answered_from_the_record() -> None:
    assert found("AN-13") == "met: compared"
    assert found("AN-13", who=living(screening(), consent())) == "not-met: compared"


@pytest.mark.parametrize(("effective_from", "expected"), [("2026-03-06", "not-met"), ("2026-03-07", "met")])
def test_consent_is_answered_by_the_forms_of_the_site(effective_from: str, expected: str) -> None:
    newer = Document(
        kind=ConsentKind.GUARDIAN,
        document_version="3.0",
        languages=("th",),
        approved_on=date(2026, 2, 1),
        effective_from=date.fromisoformat(effective_from),
        reconsent_required=True,
        grace_days=0,
    )
    at_site = replace(FACTS, forms=Forms((newer,)))
    [assessed] = spec.given(*told(*CONSENTED)).when(builders.assessment(), at_site).decide()
    assert isinstance(assessed, EligibilityAssessed)
    [answered] = [each for each in assessed.answers if each.criterion_id == "AN-13"]
    assert answered.answer == expected


@pytest.mark.parametrize(
    ("sex", "expected"),
    [
        ("M", "met: does-not-apply"),
        ("F", "not-evaluable: missing"),
        ("U", "not-evaluable: missing"),  # perhaps a girl: the question stands
    ],
)
def test_a_criterion_of_girls_is_not_asked_of_boys(sex: str, expected: str) -> None:
    assert found("AN-15", who=living(screening(sex=sex))) == expected


@pytest.mark.parametrize(
    ("born", "expected"),
    [("2006-02", "met: does-not-apply"), ("2006-03", "not-evaluable: missing"), ("2006-04", "not-evaluable: missing")],
)
def test_a_criterion_of_minors_is_asked_until_majority_is_certain(born: str, expected: str) -> None:
    of_minors = a_criterion(applies_to="minor")
    assert found(of_minors, who=living(screening(birth_month=born))) == expected


def an_answer(answered: str, *, counts: bool = True) -> CriterionAnswer:
    return CriterionAnswer(
        criterion_id="X-1",
        category=CriterionCategory.INCLUSION,
        answer=Answer(answered),
        why=Why.COMPARED,
        counts=counts,
        evidence=None,
    )


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        (["met", "met"], "eligible"),
        (["met", "not-met", "not-evaluable"], "not-eligible"),
        (["met", "not-evaluable"], "not-evaluable"),
        ([], "eligible"),
    ],
)
def test_one_criterion_not_met_decides_and_one_open_leaves_it_open(answers: list[str], expected: str) -> None:
    assert outcome([an_answer(each) for each in answers]).value == expected


def test_an_answer_that_does_not_count_keeps_nobody_out() -> None:
    assert outcome([an_answer("met"), an_answer("not-evaluable", counts=False)]).value == "eligible"


def blocking() -> Protocol:
    setting = PROTOCOL.enrolment.unset_criteria_block.model_copy(update={"value": True})
    return PROTOCOL.model_copy(
        update={"enrolment": PROTOCOL.enrolment.model_copy(update={"unset_criteria_block": setting})}
    )


def assessed(*commands: Any, under: Protocol = PROTOCOL, **by_criterion: Any) -> EligibilityAssessed:
    return assessment(living(*commands), DAY, evidence(**by_criterion), under)


def test_every_criterion_gets_one_answer_in_the_protocols_order() -> None:
    answers = assessed(*CONSENTED).answers
    assert [each.criterion_id for each in answers] == [criterion.id for criterion in PROTOCOL.eligibility]
    assert [each.category for each in answers if each.criterion_id.startswith("AN-15")] == ["exclusion"]


def test_the_usual_child_is_eligible_though_three_limits_are_unset() -> None:
    usual = assessed(*CONSENTED)
    assert usual.outcome == "eligible"
    assert [each.criterion_id for each in usual.answers if not each.counts] == ["AN-19", "AN-20", "AN-21"]


def test_the_protocol_may_let_an_unset_limit_keep_a_child_out() -> None:
    assert assessed(*CONSENTED, under=blocking()).outcome == "not-evaluable"


def test_nothing_sent_leaves_eligibility_open_and_a_failure_closes_it() -> None:
    assert assessment(CHILD, DAY, {}, PROTOCOL).outcome == "not-evaluable"
    assert assessment(CHILD, DAY, {"AN-16": Evidence(flag=True)}, PROTOCOL).outcome == "not-eligible"


def test_an_assessment_records_evidence_protocol_and_screening() -> None:
    [event] = spec.given(*told(*CONSENTED)).when(builders.assessment(), FACTS).decide()
    assert isinstance(event, EligibilityAssessed)
    assert (event.protocol, event.screening_number, event.assessed_on) == ("CMD03@1.0.0", "CU-001-S1", DAY)
    [ast] = [each for each in event.answers if each.criterion_id == "AN-04"]
    assert ast.evidence == Evidence(number=Decimal("1.2"), unit="{xULN}")


@pytest.mark.parametrize("stray", ["AN_99", "CMD03_I1a", "CMD03_I2", "AN_13"])
def test_evidence_is_taken_only_for_what_the_protocol_asks(stray: str) -> None:
    sent = AssessEligibility(assessed_on=DAY, evidence=evidence(**{stray: {"flag": True}}))
    spec.given(*told(*CONSENTED)).when(sent, FACTS).then_rejected(EvidenceNotAskedFor, "AN-04")


def test_where_the_protocol_has_no_criteria_no_evidence_is_asked_for() -> None:
    without = facts(protocol=PROTOCOL.model_copy(update={"eligibility": ()}))
    spec.given(*told(*CONSENTED)).when(builders.assessment(), without).then_rejected(EvidenceNotAskedFor, "nothing")


def test_an_assessment_lies_within_its_screening() -> None:
    screened = spec.given(*told(*CONSENTED))
    screened.when(builders.assessment("2026-03-01"), FACTS).then_rejected(OutOfOrder)
    screened.when(builders.assessment("2027-06-02"), FACTS).then_rejected(InTheFuture)


def test_the_same_assessment_twice_decides_to_nothing() -> None:
    spec.given(*told(*CONSENTED, builders.assessment())).when(builders.assessment(), FACTS).then_nothing()


def test_an_assessment_under_an_amended_protocol_is_another() -> None:
    amended = facts(protocol=PROTOCOL.model_copy(update={"version": "1.1.0"}))
    assert spec.given(*told(*CONSENTED, builders.assessment())).when(builders.assessment(), amended).decide()


def test_after_enrolment_nobody_is_assessed() -> None:
    again = builders.assessment("2026-03-10")
    spec.given(*told(*ENROLLED)).when(again, FACTS).then_rejected(NotAtThisPoint)


@pytest.mark.parametrize(
    ("correction", "stands"),
    [
        ({"birth_month": "2017-04"}, False),
        ({"birth_month": "2017-03", "sex": "M"}, False),
        ({"birth_month": "2017-03", "diagnosis": "osteosarcoma"}, True),
    ],
)
def test_an_assessment_does_not_outlive_the_age_and_sex_it_rested_on(correction: dict[str, str], stands: bool) -> None:
    corrected = living(*CONSENTED, builders.assessment(), data_correction(**correction))
    assert (corrected.assessment is not None) is stands


def test_a_consent_of_a_later_day_does_not_answer_for_an_earlier_one() -> None:
    late = living(screening(), consent(obtained_on="2026-03-07"), consent("assent", obtained_on="2026-03-07"))
    assert found("AN-13", who=late) == "not-met: compared"
