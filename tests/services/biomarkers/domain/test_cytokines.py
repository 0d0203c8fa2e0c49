"""What a cytokine report says, analyte by analyte."""

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.biomarkers.domain.analytes import AnalyteNotInPanel
from services.biomarkers.domain.cytokines import AboveUpperLimit, AnalyteTwice, UnitMissing, results_in
from services.biomarkers.domain.laboratory_report import (
    CollectedInFuture,
    ContradictoryReport,
    NothingMeasured,
    ZeroWithoutLimit,
)
from services.biomarkers.domain.units import UnitNotConvertible
from shared.contracts.biomarkers import CytokineFlag, CytokineReport, CytokineResult, NotMeasured, Qualifier
from shared.kernel.clock import CLOCK_SKEW
from shared.kernel.errors import Unacceptable
from tests.services.biomarkers.reports import NOW, PROTOCOL, a_cytokine_report, a_line

BELOW, ABOVE = Qualifier.BELOW, Qualifier.ABOVE


def results(*lines: dict[str, Any], **given_: Any) -> dict[str, CytokineResult]:
    report = CytokineReport.model_validate(a_cytokine_report(*lines, **given_))
    return {result.analyte: result for result in results_in(report, NOW, PROTOCOL.cytokines)}


def result(**line: Any) -> CytokineResult:
    return results(a_line(**line))["IL6"]


@pytest.mark.parametrize(
    ("line", "value", "qualifier", "lloq", "uloq"),  # pg/mL
    [
        ({}, "38.4", None, "2.5", "10000"),
        ({"value": "2.5"}, "2.5", None, "2.5", "10000"),
        ({"value": "2.4"}, None, BELOW, "2.5", "10000"),  # below its own limit, marked or not
        ({"value": "0"}, None, BELOW, "2.5", "10000"),
        ({"value": "10000"}, "10000", None, "2.5", "10000"),
        ({"lloq": None, "uloq": None}, "38.4", None, None, None),
        ({"value": "2.5", "qualifier": "<"}, None, BELOW, "2.5", "10000"),
        ({"value": "1.1", "qualifier": "<"}, None, BELOW, "2.5", "10000"),
        ({"value": None, "qualifier": "<"}, None, BELOW, "2.5", "10000"),
        ({"value": "2.1", "qualifier": "<", "lloq": None}, None, BELOW, "2.1", "10000"),
        ({"value": "10000", "qualifier": ">"}, None, ABOVE, "2.5", "10000"),
        ({"value": None, "qualifier": ">"}, None, ABOVE, "2.5", "10000"),
        ({"value": "20000", "qualifier": ">"}, None, ABOVE, "2.5", "20000"),  # of a diluted run
        ({"value": "10000", "qualifier": ">", "uloq": None}, None, ABOVE, "2.5", "10000"),
        ({"value": "0.0384", "unit": "ng/mL", "lloq": "0.0025", "uloq": "10"}, "38.4", None, "2.5", "10000"),
        ({"value": "1.1", "unit": "fg/mL", "qualifier": "<", "lloq": "2500", "uloq": None}, None, BELOW, "2.5", None),
    ],
)
def test_a_result_is_a_value_or_a_qualifier_with_its_limit(
    line: dict[str, Any], value: str | None, qualifier: Qualifier | None, lloq: str | None, uloq: str | None
) -> None:
    found = result(**line)
    expected = [None if each is None else Decimal(each) for each in (value, lloq, uloq)]
    assert [found.value_pg_ml, found.lloq_pg_ml, found.uloq_pg_ml] == expected
    assert (found.qualifier, found.not_measured) == (qualifier, None)


@pytest.mark.parametrize(
    ("lines", "error"),
    [
        ([a_line(value="0", lloq=None)], ZeroWithoutLimit),
        ([a_line(value="0", lloq=None, qualifier="<")], ZeroWithoutLimit),
        ([a_line(value=None, lloq=None, qualifier="<")], ZeroWithoutLimit),
        ([a_line(value=None, uloq=None, qualifier=">")], ZeroWithoutLimit),
        ([a_line(value="0", lloq=None, uloq=None, qualifier=">")], ZeroWithoutLimit),
        ([a_line(lloq="0")], ZeroWithoutLimit),
        ([a_line(uloq="0", lloq=None)], ZeroWithoutLimit),
        ([a_line(value=None)], NothingMeasured),
        ([a_line(value="2.6", qualifier="<")], ContradictoryReport),
        ([a_line(value="9999", qualifier=">")], ContradictoryReport),
        ([a_line(lloq="10000")], ContradictoryReport),
        ([a_line(not_measured="assay-failed")], ContradictoryReport),
        ([a_line(value=None, qualifier="<", not_measured="assay-failed")], ContradictoryReport),
        ([a_line(value="10001")], AboveUpperLimit),
        ([a_line(unit=None)], UnitMissing),
        ([a_line(unit="IU/mL")], UnitNotConvertible),
        ([a_line("IL8")], AnalyteNotInPanel),
        ([a_line("IL6"), a_line("IL6")], AnalyteTwice),
        ([a_line("IL6"), a_line("26881-3")], AnalyteTwice),
        ([a_line("IL6"), a_line("IL-6", value=None, not_measured="not-performed")], AnalyteTwice),
    ],
)
def test_what_cannot_be_a_result_is_refused(lines: list[dict[str, Any]], error: type[Unacceptable]) -> None:
    with pytest.raises(error):
        results(*lines)


def test_a_zero_is_answered_with_what_to_send_instead() -> None:
    with pytest.raises(ZeroWithoutLimit, match="send the qualifier `<` with lloq"):
        result(value="0", lloq=None)


def test_a_sample_cannot_come_from_the_future() -> None:
    results(specimen={"collected_at": (NOW + CLOCK_SKEW).isoformat()})
    with pytest.raises(CollectedInFuture):
        results(specimen={"collected_at": (NOW + CLOCK_SKEW + timedelta(seconds=1)).isoformat()})


def test_a_cytokine_that_was_not_measured_is_absent_with_its_reason() -> None:
    found = results(a_line("IL6"), {"analyte": "IL10", "not_measured": "insufficient-volume"})
    assert list(found) == ["IL2", "IL4", "IL6", "IL10", "TNF", "IFNG"]
    assert found["IL10"] == CytokineResult(analyte="IL10", not_measured=NotMeasured.INSUFFICIENT_VOLUME)
    assert found["TNF"] == CytokineResult(analyte="TNF", not_measured=NotMeasured.NOT_REPORTED)


@pytest.mark.parametrize(("given_", "flagged"), [(True, ["IL6"]), (False, []), (None, [])])
def test_interleukin_6_after_tocilizumab_is_flagged(given_: bool | None, flagged: list[str]) -> None:
    found = results(after_tocilizumab=given_)
    assert [key for key, each in found.items() if each.flags == (CytokineFlag.AFTER_TOCILIZUMAB,)] == flagged


@pytest.mark.parametrize(
    "line",
    [a_line(value="-1"), a_line(value="1e10"), a_line(value="Infinity"), a_line(unit="pg per mL"), a_line("<b>")],
)
def test_what_is_no_number_of_its_kind_is_refused_by_the_schema(line: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        CytokineReport.model_validate(a_cytokine_report(line))


CONCENTRATIONS = st.decimals("0", "1e9", places=9) | st.none()


@given(
    st.fixed_dictionaries(
        {
            "value": CONCENTRATIONS,
            "lloq": CONCENTRATIONS,
            "uloq": CONCENTRATIONS,
            "qualifier": st.sampled_from([None, "<", ">"]),
            "unit": st.sampled_from([None, "pg/mL", "ng/L", "fg/mL", "ng/mL", "mg/L"]),
            "not_measured": st.sampled_from([None, None, None, "assay-failed"]),
        }
    )
)
def test_whatever_is_accepted_is_exactly_one_of_a_value_a_limit_and_an_absence(line: dict[str, Any]) -> None:
    try:
        found = result(**line)
    except Unacceptable:
        return
    assert [found.value_pg_ml is None, found.qualifier is None, found.not_measured is None].count(False) == 1
    assert found.value_pg_ml != 0
    assert found.qualifier is not BELOW or found.lloq_pg_ml
    assert found.qualifier is not ABOVE or found.uloq_pg_ml
    assert CytokineResult.model_validate_json(found.model_dump_json()) == found


# What a number of pg/mL is in other units, exactly.
SAME_AMOUNT = {"ng/L": Decimal(1), "fg/mL": Decimal(1000), "ng/mL": Decimal("0.001"), "mg/L": Decimal("1e-6")}
SOME = st.decimals("0", "5000", places=2) | st.none()


@given(SOME, SOME, SOME, st.sampled_from([None, "<", ">"]), st.sampled_from(list(SAME_AMOUNT)))
def test_another_unit_changes_neither_the_category_nor_the_result(
    value: Decimal | None, lloq: Decimal | None, uloq: Decimal | None, qualifier: str | None, unit: str
) -> None:
    told = {"value": value, "lloq": lloq, "uloq": uloq}
    other = {name: None if each is None else each * SAME_AMOUNT[unit] for name, each in told.items()}
    assert outcome(**told, qualifier=qualifier, unit="pg/mL") == outcome(**other, qualifier=qualifier, unit=unit)


def outcome(**line: Any) -> CytokineResult | type[Unacceptable]:
    try:
        return result(**line)
    except Unacceptable as refused:
        return type(refused)


@given(st.permutations(["IL2", "IL4", "IL6", "IL10", "TNF"]))
def test_the_order_of_lines_never_matters(order: list[str]) -> None:
    told = {key: a_line(key, value=f"{number}.5") for number, key in enumerate(sorted(order), start=1)}
    read = results_in_order(told[key] for key in order)
    assert read == results_in_order(told.values())
    assert [each.analyte for each in read] == [analyte.key for analyte in PROTOCOL.cytokines.analytes]


def results_in_order(lines: Iterable[dict[str, Any]]) -> tuple[CytokineResult, ...]:
    report = CytokineReport.model_validate(a_cytokine_report(*lines))
    return results_in(report, NOW, PROTOCOL.cytokines)
