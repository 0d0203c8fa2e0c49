"""Fold change of a cytokine: the rule at its edges, and that the order of arrival cannot matter."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.protocol import BelowLimit, load_protocol
from shared.protocol.biomarkers import Cytokines
from shared.protocol.fold_change import Bound, FoldChange, Measured, NoFoldChange, fold_changes

CYTOKINES = load_protocol().cytokines
INFUSED = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)
BASELINE, LATER = UUID(int=1), UUID(int=2)


def a_sample(
    day: float,
    value: str | None = None,
    *,
    panel_id: UUID = LATER,
    below: str | None = None,
    above: str | None = None,
    platform: str = "LUMINEX",
    analyte: str = "IL6",
    lot: str = "L1",
) -> Measured:
    return Measured(
        panel_id=panel_id,
        analyte=analyte,
        collected_at=INFUSED + timedelta(days=day),
        platform=platform,
        value=None if value is None else Decimal(value),
        qualifier="<" if below else ">" if above else None,
        lloq=Decimal(below) if below else None,
        uloq=Decimal(above) if above else None,
        kit="K1",
        lot=lot,
        specimen="serum",
    )


def a_baseline(
    value: str | None = None, day: float = -1, *, panel_id: UUID = BASELINE, below: str | None = None,
    above: str | None = None, platform: str = "LUMINEX", lot: str = "L1",
) -> Measured:  # fmt: skip
    return a_sample(day, value, panel_id=panel_id, below=below, above=above, platform=platform, lot=lot)


def fold(
    *samples: Measured, infused_at: datetime | None = INFUSED, cytokines: Cytokines = CYTOKINES, of: UUID = LATER
) -> FoldChange:
    return fold_changes(cytokines, samples, infused_at)[of, "IL6"]


@pytest.mark.parametrize(
    ("baseline", "later", "ratio", "bound"),  # pg/mL
    [
        (a_baseline("4"), a_sample(7, "38"), "9.5", None),
        (a_baseline("4"), a_sample(7, "4"), "1", None),
        (a_baseline(below="2.5"), a_sample(7, "50"), "20", Bound.AT_LEAST),  # over the LLOQ
        (a_baseline("5"), a_sample(7, below="2.5"), "0.25", Bound.AT_MOST),  # half the LLOQ
        (a_baseline("5"), a_sample(7, above="10000"), "2000", Bound.AT_LEAST),
        (a_baseline(above="10000"), a_sample(7, "5"), "0.0005", Bound.AT_MOST),
        (a_baseline(below="2.5"), a_sample(7, above="10000"), "4000", Bound.AT_LEAST),
        (a_baseline(above="10000"), a_sample(7, below="2.5"), "0.000125", Bound.AT_MOST),
        (a_baseline("3"), a_sample(7, "10"), "3.33333", None),
    ],
)
def test_a_fold_change_is_value_over_baseline_and_says_what_limits_leave_open(
    baseline: Measured, later: Measured, ratio: str, bound: Bound | None
) -> None:
    found = fold(baseline, later)
    assert (found.ratio, found.bound, found.missing) == (Decimal(ratio), bound, None)
    assert found.baseline_id == BASELINE


@pytest.mark.parametrize(
    ("baseline", "later"),
    [
        (a_baseline(below="2.5"), a_sample(7, below="2.5")),
        (a_baseline(above="10000"), a_sample(7, above="10000")),
    ],
)
def test_two_values_beyond_the_same_limit_give_no_fold_change(baseline: Measured, later: Measured) -> None:
    assert fold(baseline, later).missing is NoFoldChange.UNDETERMINED


def test_platforms_are_not_compared() -> None:
    assert fold(a_baseline("4", platform="MSD"), a_sample(7, "8")).missing is NoFoldChange.OTHER_PLATFORM


def test_an_earlier_sample_of_the_same_platform_serves_before_a_later_one_of_another() -> None:
    earlier, other = a_baseline("4", day=-5), a_baseline("1", panel_id=UUID(int=3), platform="MSD")
    assert fold(earlier, other, a_sample(7, "8")).ratio == 2


def test_a_protocol_may_compare_platforms() -> None:
    anyhow = CYTOKINES.model_copy(
        update={"same_platform_for_fold": CYTOKINES.same_platform_for_fold.model_copy(update={"value": False})}
    )
    assert fold(a_baseline("4", platform="MSD"), a_sample(7, "8"), cytokines=anyhow).ratio == 2


@pytest.mark.parametrize("below", [BelowLimit.MISSING, BelowLimit.EXCLUDED, BelowLimit.ZERO])
def test_a_protocol_may_leave_values_below_the_limit_out(below: BelowLimit) -> None:
    setting = CYTOKINES.fold_value_below_lloq.model_copy(update={"value": below})
    left_out = CYTOKINES.model_copy(update={"fold_value_below_lloq": setting})
    assert fold(a_baseline("4"), a_sample(7, below="2"), cytokines=left_out).missing is NoFoldChange.EXCLUDED


def test_the_baseline_is_the_last_sample_before_the_infusion() -> None:
    samples = (a_baseline("1", day=-9, panel_id=UUID(int=8)), a_baseline("4", day=-0.1), a_sample(7, "8"))
    assert fold(*samples).ratio == 2


def test_a_sample_at_the_instant_of_the_infusion_is_after_it() -> None:
    assert fold(a_baseline("4"), a_sample(0, "8")).ratio == 2


def test_the_baseline_has_no_fold_change() -> None:
    found = fold_changes(CYTOKINES, [a_baseline("4")], INFUSED)[BASELINE, "IL6"]
    assert found.missing is NoFoldChange.BEFORE_INFUSION


def test_without_a_baseline_there_is_no_fold_change() -> None:
    assert fold(a_sample(7, "8")).missing is NoFoldChange.NO_BASELINE


def test_without_an_infusion_there_is_no_fold_change() -> None:
    assert fold(a_baseline("4"), a_sample(7, "8"), infused_at=None).missing is NoFoldChange.INFUSION_UNKNOWN


def test_a_baseline_in_which_the_cytokine_was_not_measured_is_passed_over() -> None:
    other = a_sample(-1, "4", panel_id=UUID(int=3), analyte="IL10")
    assert fold(a_baseline("4", day=-5), other, a_sample(7, "8")).ratio == 2


def test_a_changed_lot_is_told_beside_the_fold_change() -> None:
    assert fold(a_baseline("4", lot="L1"), a_sample(7, "8", lot="L2")).differs == ("lot",)
    assert fold(a_baseline("4"), a_sample(7, "8")).differs == ()


SERIES = st.lists(
    st.builds(
        a_sample,
        st.integers(-5, 30),
        st.decimals("0.1", "9000", places=2).map(str),
        panel_id=st.uuids(),
        platform=st.sampled_from(["LUMINEX", "MSD"]),
        analyte=st.sampled_from(["IL6", "IFNG"]),
    ),
    max_size=8,
    unique_by=lambda sample: sample.panel_id,
)


@given(SERIES, st.randoms(use_true_random=False))
def test_the_order_of_arrival_never_matters(samples: Sequence[Measured], chance: Random) -> None:
    shuffled = list(samples)
    chance.shuffle(shuffled)
    assert fold_changes(CYTOKINES, samples, INFUSED) == fold_changes(CYTOKINES, shuffled, INFUSED)


@given(SERIES, st.sampled_from([Decimal("0.001"), Decimal(1000)]))
def test_the_unit_never_matters(samples: Sequence[Measured], factor: Decimal) -> None:
    converted = [replace(each, value=each.value * factor) for each in samples if each.value is not None]
    before, after = fold_changes(CYTOKINES, samples, INFUSED), fold_changes(CYTOKINES, converted, INFUSED)
    assert before == after
