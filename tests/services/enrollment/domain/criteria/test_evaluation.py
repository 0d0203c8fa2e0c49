"""Eligibility from findings: which of them counts, what nobody can tell, and what never makes a difference."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from services.enrollment.domain.criteria import quantities, wording
from services.enrollment.domain.criteria.evaluation import FindingsContradict, evaluate
from services.enrollment.domain.criteria.findings import Finding
from services.enrollment.domain.criteria.person import Person
from services.enrollment.domain.criteria.reasons import INVALID, Reason, open_for
from shared.contracts.enrollment_terms import Sex, Why
from shared.measurement import units
from shared.protocol import ValueType
from tests.services.enrollment.builders import PROTOCOL
from tests.services.enrollment.domain.criteria.questions import (
    DAY,
    GIRL,
    a_criterion,
    answered,
    evaluated,
    finding,
    findings,
    said,
)

# Just outside, at, and just inside each threshold, for eligibility.
BOUNDARIES = [
    ("AN-01", "{score}", ["99", "100", "101"], ["not-met", "met", "met"]),
    ("AN-02", "{score}", ["59", "60", "61"], ["not-met", "met", "met"]),
    ("AN-03", "wk", ["7.9", "8", "8.1"], ["not-met", "met", "met"]),
    ("AN-04", "{xULN}", ["5.1", "5", "4.9"], ["not-met", "not-met", "met"]),
    ("AN-05", "{xULN}", ["5.1", "5", "4.9"], ["not-met", "not-met", "met"]),
    ("AN-06", "{xULN}", ["3.1", "3", "2.9"], ["not-met", "not-met", "met"]),
    ("AN-07", "{xULN}", ["5.1", "5", "4.9"], ["not-met", "not-met", "met"]),
    ("AN-08", "%", ["89", "90", "91"], ["not-met", "met", "met"]),
    ("AN-09", "d", ["6", "7", "8"], ["not-met", "met", "met"]),
    ("AN-10", "d", ["29", "30", "31"], ["not-evaluable", "met", "met"]),  # the half-life is not known
    ("AN-11", "d", ["29", "30", "31"], ["not-met", "met", "met"]),
    ("AN-12", "mg/m2/d", ["2.6", "2.5", "2.4"], ["not-met", "met", "met"]),
    ("AN-17", "d", ["13", "14", "15"], ["not-met", "met", "met"]),
    ("AN-19", "10*9/L", ["0", "1", "2"], ["not-evaluable"] * 3),  # no threshold is known
    ("AN-20", "10*9/L", ["0", "1", "2"], ["not-evaluable"] * 3),
    ("AN-21", "%", ["0", "1", "2"], ["not-evaluable"] * 3),
]


@pytest.mark.parametrize(("criterion", "unit", "numbers", "expected"), BOUNDARIES)
def test_at_and_past_every_threshold(criterion: str, unit: str, numbers: list[str], expected: list[str]) -> None:
    told = [answered(criterion, {"number": number, "unit": unit}).answer.value for number in numbers]
    assert told == expected


def test_every_number_of_the_protocol_has_its_boundaries() -> None:
    numbers = {each.id for each in PROTOCOL.eligibility if each.value_type is ValueType.NUMBER}
    assert {criterion for criterion, *_ in BOUNDARIES} == numbers - {"CMD03-I1a", "CMD03-I1b"}  # the age is a record's


@pytest.mark.parametrize(
    ("criterion", "told", "expected"),
    [
        ("CMD03-I3", {"choice": "POSITIVE"}, "met: compared"),
        ("CMD03-I3", {"choice": "NEGATIVE"}, "not-met: compared"),
        ("CMD03-I4", {"flag": False}, "not-met: compared"),
        ("AN-16", {"flag": True}, "not-met: compared"),
        ("AN-16", {"flag": False}, "met: compared"),
        ("AN-13", {"flag": True}, "met: compared"),
        ("AN-11", {"never": True}, "met: compared"),
        ("AN-10", {"number": "29", "unit": "d", "half_life_days": "9"}, "met: compared"),
        ("AN-10", {"number": "29", "unit": "d"}, "not-evaluable: half-life-unknown"),
        ("AN-04", {"number": "62", "unit": "U/L"}, "not-evaluable: limit-missing"),
        ("AN-04", {"number": "62", "unit": "mmol/L"}, "not-evaluable: wrong-unit"),
        ("AN-04", {"number": "62"}, "not-evaluable: wrong-unit"),
        ("AN-04", {"flag": True}, "not-evaluable: wrong-kind"),
        ("AN-04", {}, "not-evaluable: missing"),
        ("AN-04", {"number": "200", "qualifier": "<", "unit": "U/L", "upper_limit_of_normal": "40"}, "met: compared"),
        ("AN-04", {"number": "5", "qualifier": "<=", "unit": "{xULN}"}, "not-evaluable: bound-undecided"),
        ("AN-04", {"number": "5", "qualifier": ">=", "unit": "{xULN}"}, "not-met: compared"),
        ("AN-14", {"choice": "NEGATIVE", "observed_on": "2026-02-27"}, "met: compared"),
        ("AN-14", {"choice": "NEGATIVE", "observed_on": "2026-02-26"}, "not-evaluable: stale"),
        ("AN-14", {"choice": "NEGATIVE"}, "not-evaluable: date-missing"),
    ],
)
def test_one_finding(criterion: str, told: dict[str, Any], expected: str) -> None:
    assert said(criterion, told) == expected


def test_nothing_sent_is_missing() -> None:
    assert said("AN-04") == "not-evaluable: missing"
    assert wording.explained(answered("AN-04")) == "nothing that says it was sent"


@pytest.mark.parametrize(
    ("told", "expected", "counted", "passed_over"),
    [
        ([("1", "03-01"), ("9", "02-01")], "met: compared", ["f0"], [("f1", None)]),
        ([("1", "02-01"), ("9", "03-01")], "not-met: compared", ["f1"], [("f0", None)]),
        ([("1", None), ("9", "02-01")], "not-met: compared", ["f1"], [("f0", None)]),
        ([("1", "03-01"), ("2", "03-01")], "met: compared", ["f0", "f1"], []),
        ([("1", "03-01"), ("9", "03-01")], "not-evaluable: findings-differ", ["f0", "f1"], []),
        ([("1", None), ("9", None)], "not-evaluable: findings-differ", ["f0", "f1"], []),
    ],
)
def test_the_newest_counts_and_of_one_day_all_do(
    told: list[tuple[str, str | None]], expected: str, counted: list[str], passed_over: list[tuple[str, None]]
) -> None:
    dated = [{"number": number, "unit": "{xULN}", "observed_on": day and f"2026-{day}"} for number, day in told]
    found = answered("AN-04", *dated)
    assert f"{found.answer}: {found.weighed.answered.why}" == expected
    assert [each.finding_id for each, _ in found.weighed.counted] == counted
    assert [(each.finding.finding_id, each.why) for each in found.weighed.passed_over] == passed_over


def test_what_cannot_be_read_is_passed_over_for_an_older_finding_and_told() -> None:
    unreadable = {"number": "9", "unit": "furlong", "observed_on": "2026-03-05"}
    older = {"number": "1", "unit": "{xULN}", "observed_on": "2026-03-01"}
    found = answered("AN-04", unreadable, older)
    assert found.answer == "met"
    assert [(each.finding.finding_id, each.why) for each in found.weighed.passed_over] == [("f0", Reason.WRONG_UNIT)]
    assert said("AN-04", unreadable) == "not-evaluable: wrong-unit"


def test_a_bound_that_decides_nothing_counts_all_the_same() -> None:
    bound = {"number": "9", "qualifier": "<", "unit": "{xULN}", "observed_on": "2026-03-05"}
    older = {"number": "1", "unit": "{xULN}", "observed_on": "2026-03-01"}
    assert said("AN-04", bound, older) == "not-evaluable: bound-undecided"


@pytest.mark.parametrize(
    ("person", "criterion", "told", "expected"),
    [
        (Person(Sex.FEMALE, "2025-02"), "CMD03-I1a", [], "met: compared"),
        (Person(Sex.FEMALE, "2025-03"), "CMD03-I1a", [], "not-evaluable: birthday-unknown"),
        (Person(Sex.FEMALE, "2025-04"), "CMD03-I1a", [], "not-met: compared"),
        (Person(Sex.FEMALE, "2000-02"), "CMD03-I1b", [], "not-met: compared"),
        (Person(Sex.FEMALE, None), "CMD03-I1b", [], "not-evaluable: missing"),
        (Person(Sex.FEMALE, None), "CMD03-I1b", [{"number": "25.9", "unit": "a"}], "met: compared"),
        (Person(Sex.FEMALE, None), "CMD03-I1b", [{"number": "26", "unit": "a"}], "not-met: compared"),
        (Person(Sex.FEMALE, "2017-03"), "CMD03-I1b", [{"number": "26", "unit": "a"}], "met: compared"),
        (Person(Sex.FEMALE, None), "CMD03-I2", [], "met: compared"),
        (Person(Sex.UNKNOWN, None), "CMD03-I2", [], "not-evaluable: missing"),
        (Person(Sex.UNKNOWN, None), "CMD03-I2", [{"choice": "F"}], "met: compared"),
        (Person(Sex.MALE, None), "AN-15", [], "met: does-not-apply"),
        (Person(Sex.MALE, None), "AN-15", [{"flag": True}], "met: does-not-apply"),
        (Person(Sex.UNKNOWN, None), "AN-15", [], "not-evaluable: missing"),
    ],
)
def test_age_and_sex(person: Person, criterion: str, told: list[dict[str, Any]], expected: str) -> None:
    assert said(criterion, *told, person=person) == expected


@pytest.mark.parametrize(("born", "expected"), [("2006-02", "met: does-not-apply"), (None, "not-evaluable: missing")])
def test_a_criterion_of_minors_is_asked_where_the_age_is_not_known(born: str | None, expected: str) -> None:
    assert said(a_criterion(applies_to="minor"), person=Person(Sex.FEMALE, born)) == expected


def test_the_usual_girl_is_eligible_and_every_criterion_is_answered_in_its_order() -> None:
    found = evaluated(*findings())
    assert found.outcome == "eligible"
    assert [each.criterion.id for each in found.criteria] == [each.id for each in PROTOCOL.eligibility]
    assert {each.criterion.id for each in found.criteria if not each.counts} == {"AN-19", "AN-20", "AN-21"}
    assert found.unused == ()


@pytest.mark.parametrize(
    ("changed", "outcome"),
    [
        ({"hiv_infection": {"flag": True}}, "not-eligible"),
        ({"hiv_infection": None}, "not-evaluable"),
        ({"hiv_infection": None, "spo2_percent": {"number": "89", "unit": "%"}}, "not-eligible"),
    ],
)
def test_what_the_answers_come_to(changed: dict[str, Any], outcome: str) -> None:
    assert evaluated(*findings(**changed)).outcome == outcome


def test_a_finding_of_the_future_is_refused() -> None:
    late = finding("late", quantity="hiv_infection", flag=True, observed_on=str(DAY + timedelta(days=1)))
    with pytest.raises(FindingsContradict, match="after `as_of`"):
        evaluated(late)
    assert evaluated(late, on=DAY + timedelta(days=1)).outcome == "not-eligible"


def test_who_is_not_born_yet_is_refused() -> None:
    for born in ("2026-03", "2026-04"):
        person = Person(Sex.FEMALE, born)
        assert evaluate(person, (), date(2026, 4, 30), PROTOCOL).outcome == "not-eligible"
        with pytest.raises(FindingsContradict, match="birth_month"):
            evaluate(person, (), date(2026, 2, 28), PROTOCOL)


def test_two_findings_of_one_id_are_refused() -> None:
    with pytest.raises(FindingsContradict, match="one `finding_id`"):
        evaluated(finding("f", quantity="hiv_infection", flag=True), finding("f", quantity="consent", flag=True))


@pytest.mark.parametrize(
    "said_",
    [
        {},
        {"quantity": "spo2_percent", "analyte": "OXYSAT"},
        {"quantity": "consent", "flag": True, "qualifier": "<"},
        {"quantity": "consent", "flag": True, "number": "1"},
    ],
)
def test_a_finding_is_named_once_and_says_one_thing(said_: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        finding("f", **said_)


@pytest.mark.parametrize("name", [{"analyte": "ast"}, {"loinc": "1920-8"}, {"quantity": "ast_x_uln"}])
def test_a_finding_may_be_named_in_three_ways(name: dict[str, str]) -> None:
    assert said("AN-04", {**name, "number": "62", "unit": "U/L", "upper_limit_of_normal": "40"}) == "met: compared"


def comparable(*told: Finding) -> list[Any]:
    """All that an answer says, but for what no criterion asks."""
    found = evaluated(*told)
    return [found.outcome, [(each.criterion.id, each.weighed, each.counts) for each in found.criteria]]


SEVERAL = [
    *findings(),
    finding("x1", quantity="ast_x_uln", number="7", unit="{xULN}", observed_on="2026-02-01"),
    finding("x2", quantity="ast_x_uln", number="1", unit="{xULN}", observed_on="2026-03-01"),
    finding("x3", analyte="AST", number="9", unit="{xULN}", observed_on="2026-03-01"),
]


@settings(max_examples=40)
@given(st.permutations(SEVERAL))
def test_the_order_of_findings_never_matters(told: list[Finding]) -> None:
    assert comparable(*told) == comparable(*sorted(told, key=lambda each: each.finding_id))


@settings(max_examples=30)
@given(
    st.sampled_from(["height_cm", "BUN", "neutrophil"]),
    st.sampled_from(["quantity", "analyte", "loinc"]),
    st.none() | st.dates(date(2020, 1, 1), DAY),
)
def test_what_no_criterion_asks_for_changes_nothing(name: str, kind: str, day: date | None) -> None:
    stray = finding("stray", number="1", unit="cm", observed_on=day and str(day), **{kind: name})
    assert comparable(*findings(), stray) == comparable(*findings())
    assert evaluated(*findings(), stray).unused == ("stray",)


IN_UNITS = [
    (criterion.id, unit.code)
    for criterion in PROTOCOL.eligibility
    if criterion.value_type is ValueType.NUMBER and criterion.quantity != "age_years"
    for kind in quantities.table()[criterion.quantity].kinds
    for unit in units.of_quantity(kind)
]


@pytest.mark.parametrize(("criterion_id", "code"), IN_UNITS)
@settings(max_examples=20)
@given(number=st.decimals("0", "400", places=3), exact=st.booleans())
def test_the_unit_never_changes_an_answer(criterion_id: str, code: str, number: Decimal, exact: bool) -> None:
    """The same amount in another unit, where it can be written as a decimal; and at the threshold itself."""
    criterion = PROTOCOL.criterion(criterion_id)
    criterion = criterion if criterion.is_set else a_criterion(criterion_id, threshold="50")
    if exact:
        number = Decimal(str(criterion.threshold))
    home, other = units.by_code(str(criterion.unit)), units.by_code(code)
    limit = {}
    if home.code == "{xULN}":
        home = units.of_quantity(quantities.table()[criterion.quantity].kinds[0])[0]
        limit = {"upper_limit_of_normal": "3"}
    factor = home.factor / other.factor
    if home.quantity != other.quantity:  # mass and substance
        molar = quantities.table()[criterion.quantity].mmol_per_g
        assert molar is not None
        factor = home.factor / other.factor * (molar if home.quantity == "mass" else 1 / molar)
    converted = Fraction(number) * factor
    scaled = Decimal(converted.numerator) / Decimal(converted.denominator)
    if Fraction(scaled) != converted or abs(scaled.as_tuple().exponent) > 12:  # type: ignore[arg-type]
        return
    there = {"number": str(scaled), "unit": code}
    if limit:  # the ratio is what counts, so both are said in the other unit
        uln = Fraction(3) * factor
        text = Decimal(uln.numerator) / Decimal(uln.denominator)
        if Fraction(text) != uln or abs(text.as_tuple().exponent) > 12:  # type: ignore[arg-type]
            return
        there["upper_limit_of_normal"] = str(text)
    here = answered(criterion, {"number": str(number), "unit": home.code, **limit})
    found = answered(criterion, there)
    assert (found.answer, found.weighed.answered) == (here.answer, here.weighed.answered)


def test_every_reason_of_a_record_is_one_here_and_every_reason_has_words() -> None:
    told_by_a_calculator_alone = {Reason.LIMIT_MISSING, Reason.BOUND_UNDECIDED, Reason.FINDINGS_DIFFER}
    assert {each.value for each in Why} == {each.value for each in set(Reason) - told_by_a_calculator_alone}
    assert wording._SAYS.keys() == set(Reason)
    assert open_for(Reason.LIMIT_MISSING).why_recorded is Why.WRONG_UNIT
    assert Reason.BOUND_UNDECIDED not in INVALID


@pytest.mark.parametrize(
    ("criterion", "told", "says"),
    [
        ("AN-04", {"number": "62", "unit": "U/L", "upper_limit_of_normal": "40"}, "1.55 {xULN}; asked is < 5 {xULN}"),
        ("AN-04", {"number": "40", "unit": "U/L", "upper_limit_of_normal": "30"}, "1.33333333333333 {xULN}; asked is"),
        ("AN-04", {"number": "9", "qualifier": "<", "unit": "{xULN}"}, "<9 {xULN} may lie on either side; asked is <"),
        ("AN-10", {"number": "29", "unit": "d"}, "29 d; asked is >= 30 d, or 3 half-lives if shorter: half_life"),
        ("AN-10", {"never": True}, "it never took place; asked is >= 30 d"),
        ("AN-16", {"flag": True}, "yes; what excludes is yes"),
        ("AN-13", {"flag": False}, "no; asked is yes"),
        ("CMD03-I3", {"choice": "NEGATIVE"}, "NEGATIVE; asked is POSITIVE"),
        ("AN-14", {"choice": "NEGATIVE"}, "a finding counts for 7 days, and the date of this one"),
        ("AN-19", {"number": "1500", "unit": "/uL"}, "the protocol has no threshold yet"),
        ("AN-12", {"number": "2000", "unit": "ug/m2/d"}, "2 mg/m2/d; asked is <= 2.5 mg/m2/d"),
        (a_criterion("AN-16", threshold=False), {"flag": True}, "yes; what excludes is no"),
    ],
)
def test_an_answer_says_what_it_rests_on(criterion: Any, told: dict[str, Any], says: str) -> None:
    assert wording.explained(answered(criterion, told)).startswith(says)


def test_what_the_record_says_is_told_too() -> None:
    assert wording.explained(answered("CMD03-I2")) == "as the record says; asked is any that is known"
    assert wording.explained(answered("CMD03-I1a")) == "8 a; asked is >= 1 a"  # nine in this month, at least eight
    boy = Person(Sex.MALE, GIRL.birth_month)
    assert wording.explained(answered("AN-15", person=boy)) == "asked of females alone"
