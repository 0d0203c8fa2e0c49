"""Dilution and replicates of a cytokine: on which side of a limit a result lies, and whether wells agree."""

from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.biomarkers.domain.cytokines import results_in
from services.biomarkers.domain.dilution import DilutionUnclear
from services.biomarkers.domain.laboratory_report import ContradictoryReport, NothingMeasured, ZeroWithoutLimit
from shared.contracts.biomarkers import CytokineFlag, CytokineReport, CytokineResult
from shared.contracts.biomarkers_assayed import LimitFrom, ReplicateRule
from shared.kernel.errors import TrialError
from tests.services.biomarkers.reports import NOW, PROTOCOL, a_cytokine_report, a_line

DISAGREE, BEYOND = CytokineFlag.REPLICATES_DISAGREE, CytokineFlag.REPLICATES_BEYOND_LIMIT


def result(**line: Any) -> CytokineResult:
    report = CytokineReport.model_validate(a_cytokine_report(a_line(**line)))
    return next(each for each in results_in(report, NOW, PROTOCOL.cytokines) if each.analyte == "IL6")


def of_wells(*wells: str, **line: Any) -> CytokineResult:
    told = [{"qualifier": each[0], "value": each[1:] or None} if each[0] in "<>" else {"value": each} for each in wells]
    return result(**{"value": None, **line}, replicates=told)


def text(found: CytokineResult) -> str:
    limit = found.lloq_pg_ml if found.qualifier == "<" else found.uloq_pg_ml
    return f"{found.qualifier or ''}{limit if found.qualifier else found.value_pg_ml}"


@pytest.mark.parametrize(
    ("line", "value", "lloq"),
    [
        ({"dilution_factor": "4", "dilution_corrected": False}, "153.6", "10"),  # all of the line is multiplied
        ({"dilution_factor": "4", "dilution_corrected": True}, "38.4", "2.5"),  # all of it was multiplied before
        ({"dilution_factor": "2.5", "dilution_corrected": False, "value": "2.4"}, "<6.25", "6.25"),
        ({}, "38.4", "2.5"),
    ],
)
def test_a_line_stands_before_or_after_the_correction_for_its_dilution(
    line: dict[str, Any], value: str, lloq: str
) -> None:
    found = result(**line)
    assert (text(found), found.lloq_pg_ml, found.lloq_from) == (value, Decimal(lloq), LimitFrom.RESULT)
    assert found.dilution_factor == (Decimal(line["dilution_factor"]) if line else None)


@pytest.mark.parametrize(
    "line",
    [
        {"dilution_factor": "4"},
        {"dilution_corrected": True},
        {"dilution_factor": "2.25", "dilution_corrected": False, "value": "0.123456789", "unit": "fg/mL", "lloq": None},
    ],
)
def test_a_dilution_that_is_not_clear_is_refused(line: dict[str, Any]) -> None:
    with pytest.raises(DilutionUnclear, match="send"):
        result(**line)


@pytest.mark.parametrize("factor", ["0.5", "0", "1.125"])
def test_a_sample_is_diluted_by_one_or_more(factor: str) -> None:
    with pytest.raises(ValidationError):
        result(dilution_factor=factor, dilution_corrected=True)


@pytest.mark.parametrize(
    ("wells", "value", "cv", "flags"),
    [
        (("38", "40"), "39", "3.6", ()),
        (("10", "10", "10"), "10", "0.0", ()),
        (("10", "10", "11"), "10.3", "5.6", ()),  # one decimal place more than the wells have
        (("9", "11", "10"), "10", "10.0", ()),
        (("8", "12", "10"), "10", "20.0", ()),  # at the protocol's limit
        (("7.99", "12.01", "10"), "10", "20.1", (DISAGREE,)),
        (("7.9999", "12.0001", "10"), "10", "20.0", (DISAGREE,)),  # just past it, whatever is shown
    ],
)
def test_replicates_have_a_mean_and_a_coefficient_of_variation(
    wells: tuple[str, ...], value: str, cv: str, flags: tuple[CytokineFlag, ...]
) -> None:
    found = of_wells(*wells)
    assert found.replicates is not None
    assert (text(found), found.replicates.cv_percent, found.flags) == (value, Decimal(cv), flags)
    assert (found.replicates.rule, found.replicates.cv_limit_percent) == (ReplicateRule.MEAN, Decimal(20))


@pytest.mark.parametrize(
    ("wells", "value", "limit_from", "below", "above"),
    [
        (("<", "<"), "<2.5", LimitFrom.RESULT, 2, 0),
        (("2.4", "0"), "<2.5", LimitFrom.RESULT, 2, 0),  # below the limit, marked or not
        (("3.5", "<"), "<3", LimitFrom.REPLICATES, 1, 0),  # the middle of 3.5 and 2.5 bounds the mean
        ((">", "9000"), ">9500", LimitFrom.REPLICATES, 0, 1),
        ((">", ">"), ">10000", LimitFrom.RESULT, 0, 2),
    ],
)
def test_wells_beyond_a_limit_bound_the_mean_and_have_no_number(
    wells: tuple[str, ...], value: str, limit_from: LimitFrom, below: int, above: int
) -> None:
    found = of_wells(*wells)
    told = found.replicates
    assert told is not None
    assert (told.n_below_lloq, told.n_above_uloq, told.mean_pg_ml, told.cv_percent) == (below, above, None, None)
    assert (text(found), told.rule, found.flags) == (value, ReplicateRule.BOUNDED_MEAN, (BEYOND,))
    assert limit_from is (found.lloq_from if below else found.uloq_from)


def test_the_laboratorys_own_value_stands_between_its_wells() -> None:
    found = of_wells("38", "40", value="39.5")
    assert found.replicates is not None
    assert (found.value_pg_ml, found.replicates.mean_pg_ml, found.replicates.rule) == (
        Decimal("39.5"), Decimal(39), ReplicateRule.REPORTED,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("wells", "line", "error"),
    [
        (("38", "40"), {"value": "41"}, ContradictoryReport),
        (("38", "40"), {"qualifier": "<"}, ContradictoryReport),
        (("<", "40"), {"value": "20"}, ContradictoryReport),
        (("<", ">"), {}, ContradictoryReport),  # send not_measured: assay-failed
        (("38", "40"), {"not_measured": "assay-failed"}, ContradictoryReport),
        (("0", "40"), {"lloq": None}, ZeroWithoutLimit),
        (("<", "40"), {"lloq": None}, ZeroWithoutLimit),
        (("<3", "40"), {"lloq": None}, NothingMeasured),  # one limit for all: as lloq
    ],
)
def test_replicates_that_cannot_be_true_are_refused(
    wells: tuple[str, ...], line: dict[str, Any], error: type[TrialError]
) -> None:
    with pytest.raises(error):
        of_wells(*wells, **line)


def test_a_well_without_anything_is_refused() -> None:
    with pytest.raises(NothingMeasured):
        result(value=None, replicates=[{"value": "3"}, {}])


@given(st.lists(st.integers(1, 9999), min_size=2, max_size=6), st.randoms(use_true_random=False))
def test_the_order_of_wells_never_matters_and_the_mean_lies_between_them(numbers: list[int], random: Random) -> None:
    wells = [str(Decimal(each) / 100) for each in numbers]
    found, other = (of_wells(*each, lloq=None) for each in (wells, random.sample(wells, len(wells))))
    assert found == other
    assert found.value_pg_ml is not None
    assert min(map(Decimal, wells)) <= found.value_pg_ml <= max(map(Decimal, wells))
