"""The assay registry, and what a panel takes from the lot that it names."""

from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.biomarkers.domain.analytes import AnalyteNotInPanel
from services.biomarkers.domain.assay_use import AssayDiffers, AssayLotNotValid, assay_used
from services.biomarkers.domain.assays import (
    DECIDER,
    AssayLotOnRecord,
    AssayLotRegisteredTwice,
    LotExpiresBeforeItBegins,
    Meant,
    NoSuchAssayLot,
    RegisterAssayLot,
    Registry,
    UnknownAssayLot,
    WithdrawAssayLot,
    lot_for,
)
from services.biomarkers.domain.cytokines import AnalyteTwice, results_in
from services.biomarkers.domain.laboratory_report import ContradictoryReport, ZeroWithoutLimit
from services.biomarkers.domain.units import UnitNotConvertible
from shared.contracts.biomarkers import CytokineReport, CytokineResult, Qualifier
from shared.contracts.biomarkers_assayed import LimitFrom
from shared.contracts.biomarkers_assays import AssayLotRegistered, AssayLotWithdrawn
from shared.kernel.errors import TrialError
from tests.services.biomarkers.reports import DRAWN, NOW, PROTOCOL, a_cytokine_report, a_line
from tests.specs import Spec

spec = Spec(DECIDER)
LOT, OTHER = UUID(int=0xA1), UUID(int=0xA2)
MEANT = Meant(LOT, PROTOCOL)
RANGE = {"analyte": "IL6", "lloq": "2.5", "uloq": "10000", "unit": "pg/mL"}


def registering(*ranges: dict[str, Any], **given_: Any) -> RegisterAssayLot:
    sheet = {"platform": "LUMINEX-200", "kit": "HCYTA-60K", "lot": "A1", "valid_from": "2026-01-15"}
    return RegisterAssayLot.model_validate({**sheet, "ranges": list(ranges) or [RANGE], **given_})


def registered(*ranges: dict[str, Any], **given_: Any) -> AssayLotRegistered:
    event = DECIDER.decide(registering(*ranges, **given_), Registry(), MEANT)[0]
    assert isinstance(event, AssayLotRegistered)
    return event


WITHDRAWN = AssayLotWithdrawn(assay_lot_id=LOT, reason="The limits of another kit")
WITHDRAWING = WithdrawAssayLot(reason="The limits of another kit")


def test_limits_are_kept_in_pg_per_ml_under_the_protocols_keys() -> None:
    (limits,) = registered({"analyte": "26881-3", "lloq": "0.0025", "uloq": "10", "unit": "ng/mL"}).limits
    assert (limits.analyte, limits.lloq_pg_ml, limits.uloq_pg_ml) == ("IL6", Decimal("2.5"), Decimal(10000))


def test_the_same_lot_twice_decides_to_nothing() -> None:
    spec.given(registered()).when(registering(), MEANT).then_nothing()


def test_a_lot_never_changes() -> None:
    spec.given(registered()).when(registering(lot="A2"), MEANT).then_rejected(AssayLotOnRecord)


def test_a_lot_is_registered_once_unless_it_was_withdrawn() -> None:
    again = Meant(OTHER, PROTOCOL)
    spec.given(registered()).when(registering(), again).then_rejected(AssayLotRegisteredTwice)
    moved = registered().model_copy(update={"assay_lot_id": OTHER})
    spec.given(registered(), WITHDRAWN).when(registering(), again).then(moved)


def test_a_lot_is_withdrawn_once() -> None:
    spec.given(registered()).when(WITHDRAWING, MEANT).then(WITHDRAWN)
    spec.given(registered(), WITHDRAWN).when(WITHDRAWING, MEANT).then_nothing()
    spec.given().when(WITHDRAWING, MEANT).then_rejected(NoSuchAssayLot)


@pytest.mark.parametrize(
    ("ranges", "told", "error"),
    [
        ([RANGE, {**RANGE, "analyte": "IL-6"}], {}, AnalyteTwice),
        ([{**RANGE, "analyte": "IL8"}], {}, AnalyteNotInPanel),
        ([{**RANGE, "lloq": "0"}], {}, ZeroWithoutLimit),
        ([{**RANGE, "lloq": "10000"}], {}, ContradictoryReport),
        ([{**RANGE, "unit": "[IU]/mL"}], {}, UnitNotConvertible),
        ([RANGE], {"valid_until": "2026-01-14"}, LotExpiresBeforeItBegins),
    ],
)
def test_a_sheet_that_cannot_be_true_is_refused(
    ranges: list[dict[str, Any]], told: dict[str, Any], error: type[TrialError]
) -> None:
    spec.given().when(registering(*ranges, **told), MEANT).then_rejected(error)


def test_an_unknown_lot_is_refused_with_what_to_send() -> None:
    assert lot_for(Registry((registered(),)), LOT) == registered()
    for registry in (Registry(), Registry((registered(),), (WITHDRAWN,))):
        with pytest.raises(UnknownAssayLot, match="POST /v1/assay-lots"):
            lot_for(registry, LOT)


def il6(lot: AssayLotRegistered | None = None, **line: Any) -> CytokineResult:
    report = CytokineReport.model_validate(a_cytokine_report(a_line(**line)))
    return next(each for each in results_in(report, NOW, PROTOCOL.cytokines, lot) if each.analyte == "IL6")


NONE = {"lloq": None, "uloq": None}


@pytest.mark.parametrize(
    ("line", "lloq", "uloq"),
    [
        (NONE, ("2.5", "assay-lot"), ("10000", "assay-lot")),
        ({"lloq": "3", "uloq": None}, ("3", "result"), ("10000", "assay-lot")),  # its own goes before
        ({**NONE, "dilution_factor": "4", "dilution_corrected": True}, ("10", "assay-lot"), ("40000", "assay-lot")),
        ({**NONE, "value": "9", "qualifier": "<"}, ("9", "result"), ("10000", "assay-lot")),  # the limit it states
        ({**NONE, "value": "20000", "qualifier": ">"}, ("2.5", "assay-lot"), ("20000", "result")),
        ({**NONE, "value": None, "qualifier": "<"}, ("2.5", "assay-lot"), ("10000", "assay-lot")),
    ],
)
def test_limits_come_from_the_lot_where_the_result_states_none(
    line: dict[str, Any], lloq: tuple[str, str], uloq: tuple[str, str]
) -> None:
    found = il6(registered(), **line)
    assert (found.lloq_pg_ml, found.lloq_from) == (Decimal(lloq[0]), LimitFrom(lloq[1]))
    assert (found.uloq_pg_ml, found.uloq_from) == (Decimal(uloq[0]), LimitFrom(uloq[1]))


def test_a_value_below_the_limit_of_its_lot_is_below_it() -> None:
    assert il6(registered(), value="2.4", **NONE).qualifier is Qualifier.BELOW
    assert il6(value="2.4", **NONE).qualifier is None
    undiluted = registered({**RANGE, "analyte": "IL2"})
    assert il6(undiluted, **NONE).lloq_from is None  # the lot says nothing of IL-6
    half = registered({**RANGE, "lloq": None, "uloq": None})
    assert (il6(half, **NONE).lloq_from, il6(half, **NONE).uloq_from) == (None, None)


def used(lot_: AssayLotRegistered | None, /, **told: Any) -> Any:
    return assay_used(CytokineReport.model_validate(a_cytokine_report(**told)), lot_, PROTOCOL)


def test_what_was_used_is_frozen_on_the_panel() -> None:
    assert used(None) is None
    assert used(registered()).model_dump() == {
        "assay_lot_id": LOT, "platform": "LUMINEX-200", "kit": "HCYTA-60K", "lot": "A1"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("lot", "told", "error"),
    [
        ({}, {"platform": "MSD"}, AssayDiffers),
        ({}, {"kit": None}, AssayDiffers),
        ({}, {"lot": "A2"}, AssayDiffers),
        ({"valid_from": "2026-03-11"}, {"assayed_at": "2026-03-10T08:00:00+07:00"}, AssayLotNotValid),
        ({"valid_until": "2026-03-09"}, {"assayed_at": "2026-03-10T08:00:00+07:00"}, AssayLotNotValid),
        ({"valid_until": "2026-03-08"}, {}, AssayLotNotValid),  # it had expired when the sample was drawn
        ({}, {"assayed_at": "2026-03-09T08:00:00+07:00"}, ContradictoryReport),  # before it was drawn
        ({"valid_from": "2026-03-10", "valid_until": "2026-03-10"}, {"assayed_at": "2026-03-10T08:00:00+07:00"}, None),
        ({"valid_from": "2026-03-10"}, {}, None),  # it may have been run later
        ({"valid_until": "2026-03-09"}, {}, None),
    ],
)
def test_a_lot_must_be_the_one_that_was_used_while_it_was_valid(
    lot: dict[str, Any], told: dict[str, Any], error: type[TrialError] | None
) -> None:
    assert DRAWN.startswith("2026-03-09T08:30")
    if error is None:
        assert used(registered(**lot), **told) is not None
    else:
        with pytest.raises(error):
            used(registered(**lot), **told)


UNITS = st.sampled_from([("pg/mL", 1), ("ng/L", 1), ("ng/mL", 1000), ("fg/mL", Decimal("0.001"))])
NUMBER = st.integers(1, 2_000_000).map(lambda thousandths: Decimal(thousandths) / 1000)


@given(NUMBER, UNITS, st.sampled_from([None, "2", "10"]), st.booleans())
def test_a_units_change_never_changes_a_category_or_a_flag(
    value: Decimal, unit: tuple[str, Decimal], factor: str | None, corrected: bool
) -> None:
    diluted = {} if factor is None else {"dilution_factor": factor, "dilution_corrected": corrected}

    def read(of_unit: str, number: Decimal) -> CytokineResult:
        wells = [{"value": str(number / of)} for of in (1, 2)]
        line = {**NONE, **diluted, "unit": of_unit, "value": None, "replicates": wells}
        return il6(registered(), **line)

    assert read("pg/mL", value) == read(unit[0], value / unit[1])
