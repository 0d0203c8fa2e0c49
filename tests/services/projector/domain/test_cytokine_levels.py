"""Cytokines: levels, fold changes and peaks, with values beyond their limits."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from random import Random
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.projector.domain.cohort import Infused
from services.projector.domain.cytokine_levels import (
    AfterTocilizumab,
    AnalyteLevels,
    Certainty,
    CytokinesBy,
    Drawn,
    cytokine_levels,
    median_fold_change,
)
from shared.contracts.efficacy_terms import Response
from shared.protocol.fold_change import Bound, FoldChange, Measured, NoFoldChange
from shared.response.readings import Best
from shared.statistics.censored import Method
from tests.services.projector.chronicle import PROTOCOL, named
from tests.services.projector.small_trial import at

DAY_ZERO = at(1, 5)


def child(number: int) -> Infused:
    name = f"CU-00{number}"
    return Infused(named(name), name, "CU", DAY_ZERO, DAY_ZERO)


def drawn(
    day: float,
    value: str,
    *,
    who: Infused | None = None,
    flagged: bool = False,
    analyte: str = "IL6",
    platform: str = "luminex",
) -> Drawn:
    who = who or child(1)
    number = Decimal(value.strip("<>")) if value.strip("<>") else None
    side = value[0] if value[0] in "<>" else None
    measured = Measured(
        panel_id=named(f"{who.subject_number} {day}"),
        analyte=analyte,
        collected_at=DAY_ZERO + timedelta(days=day),
        platform=platform,
        value=None if side else number,
        qualifier=side,
        lloq=number if side == "<" else None,
        uloq=number if side == ">" else None,
    )
    return Drawn(who.participant_id, measured, (AfterTocilizumab.REPORTED,) if flagged else ())


def il6(*told: Drawn, people: int = 1) -> AnalyteLevels:
    found = cytokine_levels(PROTOCOL, [child(number) for number in range(1, people + 1)], told)
    return next(each for each in found.analytes if each.analyte == "IL6")


def peak(*told: tuple[float, str]) -> tuple[str, int] | None:
    peaks = il6(*(drawn(day, value) for day, value in told)).peaks
    return (peaks[0].level.text, peaks[0].day) if peaks else None


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ([(7, "5"), (14, "9")], ("9", 14)),
        ([(7, "9"), (14, "9")], ("9", 7)),
        ([(-1, "90"), (7, "5")], ("5", 7)),  # before the infusion
        ([(7, "5"), (31, "90")], ("5", 7)),  # after the window
        ([(7, "5"), (30, "90")], ("90", 30)),
        ([(0.1, "90"), (7, "5")], ("90", 0)),  # an hour or two after the infusion
        ([(7, "500"), (14, ">400")], (">400", 14)),  # above the limit ranks above every number
        ([(7, "<2"), (14, "<2")], ("<2", 7)),
        ([(-1, "5")], None),
    ],
)
def test_the_peak_is_the_highest_value_of_its_window(
    told: list[tuple[float, str]], expected: tuple[str, int] | None
) -> None:
    assert peak(*told) == expected


def test_values_beyond_either_limit_are_counted_as_such() -> None:
    day_7 = il6(
        drawn(7, "<2"), drawn(7, ">400", who=child(2)), drawn(7, "30", who=child(3), flagged=True), people=3
    ).time_points[1]
    assert (day_7.n, day_7.n_below_lloq, day_7.n_above_uloq, day_7.n_censored) == (3, 1, 1, 2)
    assert day_7.n_after_tocilizumab == 1
    assert day_7.median is not None
    assert day_7.median.text == "30"


def test_estimates_name_their_method_and_how_many_values_lie_beyond_a_limit() -> None:
    day_7 = il6(drawn(7, "<2"), drawn(7, "30", who=child(2)), people=2).time_points[1]
    told = day_7.estimates
    assert (told.n, told.n_quantified, told.n_censored, told.median.method) == (2, 1, 1, Method.KAPLAN_MEIER)
    assert [each.value and each.value.text for each in (told.median, told.geometric_mean)] == ["<16", "<7.74597"]
    assert day_7.method is Method.ORDERING


def test_a_peak_has_its_time_its_visit_and_why_it_has_no_fold_change() -> None:
    first, second = il6(drawn(-1, "4"), drawn(6.75, "9", platform="msd"), drawn(2.5, "8", who=child(2)), people=2).peaks
    assert (first.time_to_peak_days, first.visit, first.no_fold_change) == (
        Decimal("6.75"), "D7", NoFoldChange.OTHER_PLATFORM,
    )  # fmt: skip
    assert (second.time_to_peak_days, second.visit, second.no_fold_change) == (
        Decimal("2.50"), None, NoFoldChange.NO_BASELINE,
    )  # fmt: skip


def test_values_without_a_fold_change_are_counted_by_reason() -> None:
    day_7 = il6(drawn(-1, "4"), drawn(7, "9", platform="msd"), drawn(7, "8", who=child(2)), people=2).time_points[1]
    assert day_7.fold_change is None
    assert [(each.reason, each.n) for each in day_7.without_fold_change] == [
        (NoFoldChange.NO_BASELINE, 1),
        (NoFoldChange.OTHER_PLATFORM, 1),
    ]


TOLD = st.lists(
    st.tuples(
        st.integers(1, 3),
        st.sampled_from([-5, -1, 3, 7, 14]),
        st.sampled_from(["<2", "2", "30", ">400"]),
        st.sampled_from(["luminex", "msd"]),
    ),
    unique_by=lambda each: each[:2],
)


@given(TOLD, st.randoms(use_true_random=False))
def test_the_order_of_rows_never_matters(told: list[tuple[int, int, str, str]], random: Random) -> None:
    def table(rows: list[tuple[int, int, str, str]]) -> AnalyteLevels:
        return il6(*(drawn(day, value, who=child(who), platform=on) for who, day, value, on in rows), people=3)

    assert table(told) == table(random.sample(told, len(told)))


def test_before_the_infusion_the_last_sample_counts() -> None:
    before = il6(drawn(-7, "3"), drawn(-1, "4")).time_points[0]
    assert (before.n, before.median and before.median.text, before.fold_change) == (1, "4", None)


def test_an_unscheduled_sample_has_no_time_point() -> None:
    assert [point.n for point in il6(drawn(10, "3")).time_points] == [0, 0, 0, 0, 0]


def test_samples_of_others_and_other_analytes_are_not_mixed() -> None:
    found = il6(drawn(7, "3", who=child(9)), drawn(7, "5", analyte="TNF"))
    assert (found.time_points[1].n, found.peaks, found.median_peak, found.median_peak_day) == (0, (), None, None)


def fold(ratio: str | None, bound: Bound | None = None) -> FoldChange:
    return FoldChange(named("panel"), "IL6", ratio=None if ratio is None else Decimal(ratio), bound=bound)


LEAST, MOST = Bound.AT_LEAST, Bound.AT_MOST


@pytest.mark.parametrize(
    ("folds", "median", "certainty"),
    [
        ([("2", None), ("4", None)], "3", Certainty.EXACT),
        ([("2", LEAST), ("4", None), ("9", None)], "4", Certainty.AT_LEAST),  # the 2 may be more than the 4
        ([("2", None), ("4", None), ("9", LEAST)], "4", Certainty.EXACT),  # the 9 lies above it anyhow
        ([("0.5", MOST), ("4", None), ("9", None)], "4", Certainty.EXACT),
        ([("2", None), ("4", None), ("9", MOST)], "4", Certainty.AT_MOST),
        ([("2", None), ("4", LEAST), ("9", None)], "4", Certainty.AT_LEAST),
        ([("2", LEAST), ("9", MOST)], "5.5", Certainty.UNCERTAIN),
        ([("3", None), (None, None)], "3", Certainty.EXACT),
    ],
)
def test_bounds_move_the_median_fold_change_only_where_they_reach_the_middle(
    folds: list[tuple[str | None, Bound | None]], median: str, certainty: Certainty
) -> None:
    found = median_fold_change([fold(*each) for each in folds])
    assert found is not None
    assert (found.median, found.certainty) == (Decimal(median), certainty)


def test_without_a_baseline_there_is_no_fold_change() -> None:
    assert median_fold_change([fold(None)]) is None


def test_groups_are_in_order_of_dose_or_of_merit() -> None:
    people = [replace(child(1), dose_level="DL2"), replace(child(2), dose_level="DL1")]
    told = [drawn(7, "9"), drawn(7, "<2", who=child(2))]
    best: dict[UUID, Best] = {child(1).participant_id: Response.PD, child(2).participant_id: Response.CR}
    for by, names in ((CytokinesBy.DOSE_LEVEL, ["DL1", "DL2"]), (CytokinesBy.BEST_RESPONSE, ["CR", "PD"])):
        groups = cytokine_levels(PROTOCOL, people, told, by=by, best=best).groups or ()
        il6s = [next(each for each in group.analytes if each.analyte == "IL6") for group in groups]
        assert [(group.group, group.infused) for group in groups] == [(name, 1) for name in names]
        assert [each.time_points[1].median and each.time_points[1].median.text for each in il6s] == ["<2", "9"]
