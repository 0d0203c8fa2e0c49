"""BOIN: its limits, its boundaries in whole numbers, its decisions, and the MTD at its end."""

import csv
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import isotonic_regression
from scipy.special import betaincc

from shared.escalation.designs import boin, isotonic
from shared.escalation.designs.standing import LevelCount, NotOfThisDesign
from tests.shared.escalation.designs.standings import counts, decided, said

# The boundaries of the CRAN package BOIN for four targets, up to twelve evaluable.
ROWS = list(csv.DictReader(Path(__file__).with_name("boin_boundaries.csv").read_text(encoding="utf-8").splitlines()))


def test_all_boundaries_are_there() -> None:
    assert len(ROWS) == 48


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['target_phi']}-{row['n_treated']}")
def test_every_row_of_the_boundaries(row: dict[str, str]) -> None:
    target, evaluable = Decimal(row["target_phi"]), int(row["n_treated"])
    assert boin.SUBTHERAPEUTIC * target == Decimal(row["phi1_subtherapeutic"])
    assert boin.OVERLY_TOXIC * target == Decimal(row["phi2_overly_toxic"])
    limits = boin.limits(target)
    assert [f"{limits.escalate:.6f}", f"{limits.de_escalate:.6f}"] == [row["lambda_e"], row["lambda_d"]]
    last = (row["eliminate_if_dlt_ge_p95"], row["stop_lowest_dose_if_dlt_ge_p90_extrasafe"])
    assert boin.boundaries(target, evaluable) == boin.Boundaries(
        int(row["escalate_if_dlt_le"]),
        int(row["deescalate_if_dlt_ge"]),
        *(int(each) if each else None for each in last),
    )


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['target_phi']}-{row['n_treated']}")
def test_every_row_decides(row: dict[str, str]) -> None:
    evaluable = int(row["n_treated"])
    for dlt in range(evaluable + 1):
        found = decided("BOIN", 2, f"0/3 {dlt}/{evaluable}", target=row["target_phi"])
        eliminated = bool(row["eliminate_if_dlt_ge_p95"]) and dlt >= int(row["eliminate_if_dlt_ge_p95"])
        assert found.eliminated_levels == ((2, 3) if eliminated else ())
        if dlt <= int(row["escalate_if_dlt_le"]):
            assert found.says == ("escalate", 3, None)
        elif dlt >= int(row["deescalate_if_dlt_ge"]):
            assert found.says == ("de-escalate", 1, None)
        else:
            assert found.says == ("stay", 2, None)
        strict = decided("BOIN", 1, f"{dlt}/{evaluable}", target=row["target_phi"], extra_safe=True)
        stops = row["stop_lowest_dose_if_dlt_ge_p90_extrasafe"]
        assert (strict.decision == "stop") is (bool(stops) and dlt >= int(stops))


@given(st.integers(0, 30), st.data(), st.sampled_from(["0.2", "0.25", "0.3", "0.33"]))
def test_the_excess_is_the_upper_tail_of_the_beta_distribution(
    evaluable: int, data: st.DataObject, target: str
) -> None:
    dlt = data.draw(st.integers(0, evaluable))
    ours = boin.excess(LevelCount(1, evaluable, dlt, 0), Decimal(target))
    assert float(ours) == pytest.approx(float(betaincc(1 + dlt, 1 + evaluable - dlt, float(target))), rel=1e-9)


@pytest.mark.parametrize(
    ("current", "told", "expected"),
    [
        (1, "0/3", ("escalate", 2, None)),
        (1, "1/3", ("stay", 1, None)),
        (1, "2/3", ("stay", 1, None)),  # de-escalate, but nothing is lower, and it is not too toxic
        (1, "3/3", ("stop", None, None)),
        (2, "0/3 2/3", ("de-escalate", 1, None)),
        (2, "0/3 3/3", ("de-escalate", 1, None)),
        (1, "0/3 3/3", ("stay", 1, None)),  # the level above is too toxic
        (3, "0/3 0/3 0/3", ("stay", 3, None)),  # the highest level
        (3, "0/3 3/3 0/3", ("de-escalate", 1, None)),  # a late DLT below: that level and all above are out
        (2, "3/3 0/3", ("stop", None, None)),
        (2, "0/3 0/0", ("stay", 2, None)),
        (1, "0/3+3", ("wait", None, None)),
        (1, "0/5+1", ("escalate", 2, None)),  # 1 of 6 is at most 0.2365 too
        (1, "1/3+1", ("stay", 1, None)),  # 2 of 4 would leave it: but there is nothing lower
        (2, "0/3 1/3+1", ("wait", None, None)),
        (2, "0/3 2/3+1", ("de-escalate", 1, None)),  # 2 of 4 and 3 of 4 both de-escalate to the same level
        (2, "0/3 2/2+1", ("de-escalate", 1, None)),
    ],
)
def test_what_it_decides(current: int, told: str, expected: tuple[str, int | None, int | None]) -> None:
    assert said("BOIN", current, told) == expected


@pytest.mark.parametrize(
    ("current", "told", "parameters", "expected"),
    [
        (1, "0/2", {"cohort_size": 3}, ("stay", 1, None)),
        (1, "0/3", {"cohort_size": 3}, ("escalate", 2, None)),
        (2, "0/3 3/4", {"cohort_size": 3}, ("de-escalate", 1, None)),  # too toxic: the cohort is not filled
        (2, "0/3 3/3", {"elimination_cutoff": "0.999"}, ("de-escalate", 1, None)),
        (1, "2/3", {"extra_safe": True}, ("stop", None, None)),
        (1, "2/6", {"max_per_level": 6}, ("declare-mtd", None, 1)),
        (1, "2/6", {"max_per_level": 7}, ("stay", 1, None)),
        (1, "0/6", {"max_per_level": 6}, ("escalate", 2, None)),
        (2, "0/6 4/9", {"max_per_level": 6}, ("declare-mtd", None, 2)),  # the lower level is full
        (1, "0/6 2/6", {"max_per_level": 6}, ("declare-mtd", None, 2)),  # the level above is full
        (1, "2/5+1", {"max_per_level": 6}, ("wait", None, None)),
        (2, "1/6 3/3", {"max_sample_size": 9}, ("declare-mtd", None, 1)),
        (2, "0/3 1/6", {"max_sample_size": 9}, ("declare-mtd", None, 2)),
        (2, "0/3 1/5+1", {"max_sample_size": 9}, ("wait", None, None)),
        (2, "0/3 1/5", {"max_sample_size": 9}, ("escalate", 3, None)),
        (2, "0/0 3/3", {"max_sample_size": 3}, ("stop", None, None)),  # nothing that may be treated was tried
        (1, "3/3", {"max_sample_size": 3}, ("stop", None, None)),
        (2, "0/3 2/3", {"allow_deescalation": False}, ("declare-mtd", None, 1)),
        (2, "0/3 2/3+1", {"allow_deescalation": False}, ("wait", None, None)),
        (2, "0/0 2/3", {"allow_deescalation": False}, ("stop", None, None)),
        (1, "2/3", {"allow_deescalation": False}, ("stay", 1, None)),
    ],
)
def test_cohorts_caps_and_cutoffs(
    current: int, told: str, parameters: dict[str, Any], expected: tuple[str, int | None, int | None]
) -> None:
    assert said("BOIN", current, told, **parameters) == expected


def test_a_cutoff_rules_levels_out() -> None:
    assert decided("BOIN", 2, "0/3 3/3").eliminated_levels == (2, 3)
    assert decided("BOIN", 2, "0/3 3/3", elimination_cutoff="0.999").eliminated_levels == ()
    assert decided("BOIN", 1, "2/3", extra_safe=True).eliminated_levels == (1, 2, 3)
    assert decided("BOIN", 2, "0/3 2/3", extra_safe=True).eliminated_levels == ()


def test_it_needs_a_target() -> None:
    with pytest.raises(NotOfThisDesign, match=r"parameters\.target"):
        said("BOIN", 1, "0/3", target=None)


@pytest.mark.parametrize(
    ("told", "rates"),
    [
        ("0/3 1/3 2/3", ["0", "1/3", "2/3"]),
        ("1/3 0/3 2/3", ["1/6", "1/6", "2/3"]),
        ("2/3 1/3 0/3", ["1/3", "1/3", "1/3"]),
        ("0/3 2/3 1/6 3/4", ["0", "1/3", "1/3", "3/4"]),
        ("1/3 0/0 1/6", ["2/9", None, "2/9"]),  # a level that nobody was treated at has no rate
    ],
)
def test_rates_that_fall_are_pooled(told: str, rates: list[str | None]) -> None:
    found = isotonic.regressed(counts(told))
    expected = {level: Fraction(rate) for level, rate in enumerate(rates, start=1) if rate is not None}
    assert found == expected


@given(st.lists(st.tuples(st.integers(1, 20), st.integers(0, 20)), min_size=1, max_size=6))
def test_pooling_is_that_of_scipy(told: list[tuple[int, int]]) -> None:
    tried = [LevelCount(level, n, min(m, n), 0) for level, (n, m) in enumerate(told, start=1)]
    theirs = isotonic_regression([each.dlt / each.evaluable for each in tried], weights=[n for n, _ in told])
    assert [float(rate) for _, rate in sorted(isotonic.regressed(tried).items())] == pytest.approx(list(theirs.x))


@pytest.mark.parametrize(
    ("told", "level"),
    [
        ("0/3 1/6 3/6", 2),  # 0.17 is nearer to 0.30 than 0.50
        ("0/3 1/6 2/6", 3),
        ("0/3 0/3 3/3", 2),  # as near as each other below the target: the highest
        ("2/3 2/3 2/3", 1),  # above it: the lowest
        ("1/10 5/10", 1),  # one below, one above: the one below
        ("3/10 3/10", 1),
        ("0/0 0/0", None),
        ("", None),
    ],
)
def test_the_mtd_is_the_level_nearest_to_the_target(told: str, level: int | None) -> None:
    assert isotonic.mtd(counts(told), Fraction(3, 10)) == level


@pytest.mark.parametrize(
    ("current", "told", "says"),
    [
        (1, "0/3", "Level 1: 0 DLT among 3 evaluable, 0 pending. Escalate: the rate 0.0000 is at most 0.2365."),
        (2, "0/3 2/3", "the rate 0.6667 is at least 0.3585."),
        (1, "1/3", "the rate 0.3333 lies in 0.2365 to 0.3585."),
        (2, "0/3 1/3+1", "Wait: those pending decide between stay without a DLT and de-escalate with one each."),
        (1, "0/5+1", "Escalate: whatever those pending show."),
    ],
)
def test_it_says_why(current: int, told: str, says: str) -> None:
    assert decided("BOIN", current, told).explanation.endswith(says)


def test_the_end_says_how_near_the_mtd_is() -> None:
    assert decided("BOIN", 2, "0/3 1/6", max_sample_size=9).explanation == (
        "Level 2: 1 DLT among 6 evaluable, 0 pending. Declare-mtd: as many are enrolled as were planned; by isotonic "
        "regression level 2 is nearest to the target, with a rate of 0.1667."
    )
