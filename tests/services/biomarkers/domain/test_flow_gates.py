"""The gating hierarchy: what is read from it, what contradicts it, and counts by beads."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.biomarkers.domain.car_t_count import count_of
from services.biomarkers.domain.flow_gates import with_gates
from services.biomarkers.domain.flow_report import check
from services.biomarkers.domain.laboratory_report import ContradictoryReport, NothingMeasured
from shared.contracts.biomarkers import CarTCount, CountFormula, FlowReport, LimitBasis, NoCount
from shared.kernel.errors import TrialError
from tests.services.biomarkers.reports import DRAWN, NOW, PROTOCOL, a_flow_report


def gate(name: str, parent: str | None, events: int, *, population: str | None = None) -> dict[str, Any]:
    return {"name": name, "parent": parent, "events": events, "population": population or name}


HIERARCHY = [
    gate("singlets", None, 900_000),
    gate("viable", "singlets", 850_000),
    gate("lymphocytes", "viable", 600_000),
    gate("cd3", "lymphocytes", 500_000),
    gate("car", "cd3", 50_000),
    gate("car-cd4", "car", 20_000),
    gate("car-cd8", "car", 29_000),
    gate("car-central-memory", "car-cd8", 1),
]
BEADS = {"in_tube": 50_000, "acquired": 10_000, "volume_ul": "100"}


def gated(*gates: dict[str, Any], **given_: Any) -> dict[str, Any]:
    counted = {"percent": None, "parent_events": None, "gates": list(gates or HIERARCHY), "events_acquired": 1_000_000}
    return a_flow_report(**{**counted, **given_})


def read(report: dict[str, Any]) -> CarTCount:
    found = with_gates(FlowReport.model_validate(report))
    check(found, NOW, PROTOCOL)
    return count_of(found, PROTOCOL)


def changed(name: str, **to: Any) -> list[dict[str, Any]]:
    return [{**each, **to} if each["name"] == name else each for each in HIERARCHY]


def test_events_limits_and_subsets_are_read_from_the_gates() -> None:
    found = read(gated())
    assert (found.parent_events, found.car_events, found.percent) == (500_000, 50_000, Decimal(10))
    assert (found.lloq_percent, found.lloq_basis, found.lod_percent) == (
        Decimal("0.01"), LimitBasis.EVENTS, Decimal("0.004"),
    )  # fmt: skip
    assert (found.cells_per_ul, found.formula) == (Decimal(96), CountFormula.CD3)
    assert found.subsets is not None
    assert (found.subsets.cd4_percent, found.subsets.cd8_percent) == (Decimal(40), Decimal(58))
    assert found.subsets.central_memory_percent == Decimal("0.002")
    assert found.subsets.naive_percent is None


def test_what_is_reported_beside_the_gates_stands() -> None:
    found = read(gated(percent="10.0", parent_events=500_000, subsets={"cd4_percent": "41", "temra_percent": "7"}))
    assert found.subsets is not None
    shown = found.subsets.cd4_percent, found.subsets.cd8_percent, found.subsets.temra_percent
    assert shown == (Decimal(41), Decimal(58), Decimal(7))


def test_gates_that_hold_neither_population_leave_the_report_as_it_is() -> None:
    plain = a_flow_report(gates=[gate("Any", None, 5, population="viable")])
    found = with_gates(FlowReport.model_validate(plain))
    assert (found.parent_events, found.car_events, found.subsets) == (500_000, None, None)


def test_no_car_events_have_no_subsets_and_are_below_the_limit() -> None:
    found = read(gated(*[each | ({"events": 0} if "car" in each["name"] else {}) for each in HIERARCHY]))
    assert (found.below_lloq, found.percent, found.subsets, found.formula) == (True, None, None, None)


def test_gates_without_subsets_give_none() -> None:
    assert read(gated(*HIERARCHY[:5])).subsets is None


@pytest.mark.parametrize(
    ("report", "error"),
    [
        (gated(*HIERARCHY, HIERARCHY[0]), ContradictoryReport),
        (gated(*changed("cd3", parent="CD45")), ContradictoryReport),
        (gated(*changed("cd3", events=600_001)), ContradictoryReport),
        (gated(*changed("singlets", events=1_000_001)), ContradictoryReport),
        (gated(*changed("singlets", parent="car-cd4", events=20_000)), ContradictoryReport),
        (gated(*changed("singlets", parent="singlets")), ContradictoryReport),
        (gated(*changed("viable", population="cd3")), ContradictoryReport),
        (gated(*changed("car", parent="viable")), ContradictoryReport),
        (gated(*changed("car-cd4", parent="cd3")), ContradictoryReport),
        (gated(*HIERARCHY[:4], gate("car-cd4", "cd3", 7)), ContradictoryReport),
        (gated(parent_events=400_000), ContradictoryReport),
        (gated(parent_events=500_000, car_events=49_999), ContradictoryReport),
        (gated(percent="12"), ContradictoryReport),
        (gated(subsets={"cd4_percent": "41.1"}), ContradictoryReport),
        (gated(gate("cd3", None, 0), gate("car", "cd3", 0)), NothingMeasured),
        (gated(beads=BEADS), ContradictoryReport),  # on a dual platform
        (
            gated(beads=BEADS, platform="single", specimen={"type": "tumour", "collected_at": DRAWN}),
            ContradictoryReport,
        ),
        (a_flow_report(beads=BEADS, platform="single"), NothingMeasured),
    ],
)
def test_what_contradicts_itself_is_refused(report: dict[str, Any], error: type[TrialError]) -> None:
    with pytest.raises(error):
        read(report)


@pytest.mark.parametrize(
    ("report", "cells", "formula"),
    [
        # 50,000 CAR+ events / 10,000 bead events x 50,000 beads / 100 uL
        (gated(beads=BEADS, platform="single"), "2500", CountFormula.BEADS),
        (gated(beads=BEADS, platform=None, alc=None), "2500", CountFormula.BEADS),
        (gated(beads=BEADS, platform="single", cells_per_ul="2490"), "2490", CountFormula.AS_REPORTED),
        (gated(percent="9.6", beads=BEADS, platform="single"), "2500", CountFormula.BEADS),  # from events, not rounded
        (gated(parent_population="lymphocytes"), "100", CountFormula.LYMPHOCYTES),  # 1200 x 50/600
    ],
)
def test_the_formula_says_how_the_cells_were_counted(report: dict[str, Any], cells: str, formula: CountFormula) -> None:
    found = read(report)
    assert (found.cells_per_ul, found.formula) == (Decimal(cells), formula)


def test_beads_count_in_any_fluid_and_lymphocytes_in_blood_alone() -> None:
    fluid = {"specimen": {"type": "cerebrospinal-fluid", "collected_at": DRAWN}}
    assert read(gated(beads=BEADS, platform="single", **fluid)).cells_per_ul == 2500
    assert read(gated(**fluid)).not_derived is NoCount.NOT_BLOOD


def test_the_limit_by_beads_is_that_of_the_least_events() -> None:
    assert read(gated(beads=BEADS, platform="single")).lloq_cells_per_ul == Decimal("2.5")  # 50 events


@given(st.permutations(HIERARCHY))
def test_the_order_of_the_gates_never_matters(gates: list[dict[str, Any]]) -> None:
    assert read(gated(*gates)) == read(gated())
