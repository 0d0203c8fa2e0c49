"""How many CAR-T cells a report finds: formulas, limits and flags, at and just past each edge."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.biomarkers.domain.car_t_count import count_of
from services.biomarkers.domain.flow_report import check
from services.biomarkers.domain.laboratory_report import ContradictoryReport
from shared.contracts.biomarkers import CarTCount, CountBasis, FlowFlag, FlowReport, LimitBasis, NoCount
from shared.kernel.errors import Unacceptable
from shared.protocol import DetectableFrom, Protocol
from tests.services.biomarkers.reports import ALC, DRAWN, NOW, PROTOCOL, a_flow_report


def count(protocol: Protocol = PROTOCOL, **given_: Any) -> CarTCount:
    report = FlowReport.model_validate(a_flow_report(**given_))
    check(report, NOW, protocol)
    return count_of(report, protocol)


def a_protocol(**persistence: Any) -> Protocol:
    settings = PROTOCOL.persistence
    changed = {name: getattr(settings, name).model_copy(update={"value": value}) for name, value in persistence.items()}
    return PROTOCOL.model_copy(update={"persistence": settings.model_copy(update=changed)})


@pytest.mark.parametrize(
    ("report", "cells_per_ul"),
    [
        ({"parent_population": "cd3"}, "96"),  # 1200/uL x 80 % x 10 %
        ({"parent_population": "lymphocytes"}, "120"),  # 1200/uL x 10 %; the CD3 fraction has no part in it
        ({"parent_population": "lymphocytes", "cd3_percent_of_lymphocytes": None}, "120"),
        ({"alc": {**ALC, "value": "1200", "unit": "/uL"}}, "96"),
        ({"alc": {**ALC, "value": "1200", "unit": "10*6/L"}}, "96"),
        ({"percent": "0.1", "cd3_percent_of_lymphocytes": "33.3"}, "0.3996"),
    ],
)
def test_an_absolute_count_follows_from_the_parent_population(report: dict[str, Any], cells_per_ul: str) -> None:
    found = count(**report)
    assert found.cells_per_ul == found.derived_cells_per_ul == Decimal(cells_per_ul)
    assert (found.cells_basis, found.not_derived, found.flags) == (CountBasis.DERIVED, None, ())


@pytest.mark.parametrize(
    ("report", "reason"),
    [
        ({"alc": None}, NoCount.NO_LYMPHOCYTE_COUNT),
        ({"cd3_percent_of_lymphocytes": None}, NoCount.NO_CD3_FRACTION),
        ({"parent_population": "cd4"}, NoCount.PARENT_UNSUITED),
        ({"parent_population": "cd8"}, NoCount.PARENT_UNSUITED),
        ({"specimen": {"type": "cerebrospinal-fluid", "collected_at": DRAWN}}, NoCount.NOT_BLOOD),
        ({"percent": "0.001"}, NoCount.BELOW_LLOQ),
    ],
)
def test_what_cannot_be_derived_is_absent_with_the_reason(report: dict[str, Any], reason: NoCount) -> None:
    found = count(**report)
    assert (found.cells_per_ul, found.derived_cells_per_ul, found.not_derived) == (None, None, reason)


def test_a_reported_count_stands_where_none_can_be_derived() -> None:
    found = count(percent=None, parent_events=None, cells_per_ul="90")
    assert found.cells_per_ul == 90
    assert (found.cells_basis, found.not_derived) == (CountBasis.REPORTED, NoCount.NO_PERCENT)


def test_a_protocol_may_derive_from_fewer_parents() -> None:
    assert count(a_protocol(absolute_from=("lymphocytes",))).not_derived is NoCount.PARENT_UNSUITED


@pytest.mark.parametrize(
    ("platform", "cells_per_ul", "basis"),
    [("single", "90", CountBasis.REPORTED), ("dual", "96", CountBasis.DERIVED), (None, "96", CountBasis.DERIVED)],
)
def test_beads_count_before_a_derivation(platform: str | None, cells_per_ul: str, basis: CountBasis) -> None:
    found = count(platform=platform, cells_per_ul="90")
    assert (found.cells_per_ul, found.cells_basis) == (Decimal(cells_per_ul), basis)
    assert found.derived_cells_per_ul == 96


@pytest.mark.parametrize(  # 96 derived, 20 percent tolerated
    ("reported", "disagrees"), [("96", False), ("115.2", False), ("115.3", True), ("76.8", False), ("76.7", True)]
)
def test_a_reported_count_beyond_the_tolerance_is_flagged_and_both_are_kept(reported: str, disagrees: bool) -> None:
    found = count(cells_per_ul=reported)
    assert (FlowFlag.COUNTS_DISAGREE in found.flags) is disagrees
    assert found.derived_cells_per_ul == 96


@pytest.mark.parametrize(
    ("parent_events", "lloq_percent"),
    [(500000, "0.01"), (300000, "0.016666667"), (50, "100"), (49, "100"), (10**9, "0.000005")],
)
def test_the_limit_follows_from_the_events_acquired(parent_events: int, lloq_percent: str) -> None:
    found = count(parent_events=parent_events)
    assert (found.lloq_percent, found.lloq_basis) == (Decimal(lloq_percent), LimitBasis.EVENTS)


def test_the_laboratorys_own_limit_comes_first() -> None:
    found = count(lloq_percent="0.05")
    assert (found.lloq_percent, found.lloq_basis, found.lloq_cells_per_ul) == (
        Decimal("0.05"), LimitBasis.REPORTED, Decimal("0.48"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("report", "below"),
    [
        ({"percent": "0.01"}, False),  # 50 of 500000 events
        ({"percent": "0.0099"}, True),
        ({"percent": "0"}, True),
        ({"percent": None, "car_events": 50}, False),
        ({"percent": None, "car_events": 49}, True),
        ({"percent": None, "car_events": 0}, True),
        ({"percent": "0.016", "parent_events": 300000, "car_events": 50}, False),  # rounded, but 50 were counted
        ({"percent": "100", "parent_events": 49}, True),
        ({"percent": "0.05", "lloq_percent": "0.05"}, False),
        ({"percent": "0.049", "lloq_percent": "0.05"}, True),
        ({"percent": "10", "qualifier": "<"}, True),
        ({"percent": "10", "parent_events": None}, False),
        ({"percent": None, "cells_per_ul": "0.5", "lloq_cells_per_ul": "0.5"}, False),
        ({"percent": None, "cells_per_ul": "0.4", "lloq_cells_per_ul": "0.5"}, True),
        ({"percent": None, "cells_per_ul": "0", "lloq_cells_per_ul": "0.5"}, True),
        ({"percent": None, "cells_per_ul": "0", "alc": None}, True),
        ({"percent": None, "cells_per_ul": "0.09"}, True),  # 0.01 % are 0.096 cells/uL
        ({"percent": None, "cells_per_ul": "0.096"}, False),
        ({"percent": "10", "parent_events": None, "cells_per_ul": "0.4", "lloq_cells_per_ul": "0.5"}, True),
        ({"percent": "0.001", "cells_per_ul": "0"}, True),
        ({"percent": "10", "cells_per_ul": "0.4", "lloq_cells_per_ul": "0.5"}, True),
        ({"percent": "10", "cells_per_ul": "0.5", "lloq_cells_per_ul": "0.5"}, False),
    ],
)
def test_below_the_limit_there_is_a_limit_and_no_number(report: dict[str, Any], below: bool) -> None:
    found = count(**report)
    assert (found.below_lloq, found.detectable) == (below, not below)
    if below:
        assert (found.percent, found.cells_per_ul, found.derived_cells_per_ul) == (None, None, None)
        assert found.lloq_percent or found.lloq_cells_per_ul


def test_a_qualified_value_is_its_own_limit() -> None:
    found = count(percent="0.02", qualifier="<", parent_events=None)
    assert (found.lloq_percent, found.lloq_basis) == (Decimal("0.02"), LimitBasis.REPORTED)
    assert found.lloq_cells_per_ul == Decimal("0.192")
    assert count(percent=None, cells_per_ul="0.5", qualifier="<", parent_events=None).lloq_cells_per_ul == Decimal(
        "0.5"
    )


@pytest.mark.parametrize(
    ("report", "detectable"),
    [
        ({"percent": "0.004"}, True),  # 20 of 500000 events
        ({"percent": "0.0039"}, False),
        ({"percent": "0.01"}, True),
        ({"percent": "0.01", "qualifier": "<"}, False),  # somewhere below, nobody knows where
        ({"percent": "0.01", "qualifier": "<", "car_events": 20}, True),
        ({"percent": "0.01", "qualifier": "<", "car_events": 19}, False),
        ({"percent": None, "car_events": 20}, True),
        ({"percent": None, "cells_per_ul": "0.4", "lloq_cells_per_ul": "0.5"}, False),
        ({"percent": "0.04", "lloq_percent": "0.05", "parent_events": None}, False),
    ],
)
def test_a_protocol_may_count_from_the_limit_of_detection_on(report: dict[str, Any], detectable: bool) -> None:
    assert count(a_protocol(detectable_from=DetectableFrom.LOD), **report).detectable is detectable


@pytest.mark.parametrize(
    ("report", "flag"),
    [
        ({"parent_events": None}, FlowFlag.LLOQ_UNKNOWN),
        ({"percent": "0", "subsets": {"cd4_percent": "50"}}, FlowFlag.SUBSETS_OF_FEW_EVENTS),
    ],
)
def test_what_a_reader_should_beware_of_is_flagged(report: dict[str, Any], flag: FlowFlag) -> None:
    assert count(**report).flags == (flag,)


@pytest.mark.parametrize("report", [{"percent": "0"}, {"subsets": {"cd4_percent": "50"}}])
def test_what_can_be_relied_on_has_no_flag(report: dict[str, Any]) -> None:
    assert count(**report).flags == ()


def test_what_the_protocol_does_not_ask_for_is_flagged() -> None:
    narrow = a_protocol(specimen_types=("bone-marrow",), parent_populations=("lymphocytes",), absolute_from=())
    assert count(narrow).flags == (FlowFlag.SPECIMEN_OUTSIDE_PROTOCOL, FlowFlag.PARENT_OUTSIDE_PROTOCOL)


def test_a_count_of_zero_contradicts_a_percentage_that_can_be_quantified() -> None:
    with pytest.raises(ContradictoryReport):
        count(cells_per_ul="0")


def test_fractions_that_leave_nothing_are_refused() -> None:
    with pytest.raises(ContradictoryReport, match="billionth"):
        count(percent="0.000000001", parent_events=None, cd3_percent_of_lymphocytes="0.000000001")


PERCENTS = st.decimals("0", "100", places=4) | st.none()
COUNTS = st.decimals("0", "5000", places=3) | st.none()


@given(
    st.fixed_dictionaries(
        {
            "percent": PERCENTS,
            "cells_per_ul": COUNTS,
            "qualifier": st.sampled_from([None, None, "<", ">"]),
            "lloq_percent": PERCENTS,
            "lloq_cells_per_ul": COUNTS,
            "parent_events": st.none() | st.integers(1, 2_000_000),
            "car_events": st.none() | st.integers(0, 200_000),
            "cd3_percent_of_lymphocytes": PERCENTS,
            "parent_population": st.sampled_from(["cd3", "lymphocytes", "cd4", "cd8"]),
            "platform": st.sampled_from([None, "single", "dual"]),
            "alc": st.sampled_from([None, ALC]),
        }
    )
)
def test_whatever_is_accepted_is_never_zero_and_never_both_counted_and_below_the_limit(report: dict[str, Any]) -> None:
    try:
        found = count(**report)
    except Unacceptable:
        return
    assert found.cells_per_ul != 0
    assert found.percent != 0
    assert found.lloq_cells_per_ul != 0
    assert (found.cells_per_ul is None) == (found.cells_basis is None)
    assert (found.derived_cells_per_ul is None) == (found.not_derived is not None)
    if found.below_lloq:
        assert found.cells_per_ul is None
        assert found.lloq_percent or found.lloq_cells_per_ul
    assert CarTCount.model_validate_json(found.model_dump_json()) == found


@given(
    st.decimals("0.001", "9", places=3),
    PERCENTS,
    st.sampled_from((("/uL", 1000), ("10*6/L", 1000), ("10*3/uL", 1), ("/mL", 1_000_000))),
    st.integers(40, 2_000_000),
)
def test_another_unit_of_the_lymphocyte_count_changes_nothing(
    alc: Decimal, percent: Decimal | None, unit: tuple[str, int], events: int
) -> None:
    given_: dict[str, Any] = {"percent": percent, "parent_events": events, "qualifier": None if percent else "<"}
    other = {**ALC, "value": str(alc * unit[1]), "unit": unit[0]}
    assert outcome(alc={**ALC, "value": str(alc)}, **given_) == outcome(alc=other, **given_)


def outcome(**given_: Any) -> CarTCount | type[Unacceptable]:
    try:
        return count(**given_)
    except Unacceptable as refused:
        return type(refused)
