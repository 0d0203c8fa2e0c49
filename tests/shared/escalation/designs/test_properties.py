"""What holds of every design in any standing, and which standings there cannot be."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.escalation.designs import DESIGNS
from shared.escalation.designs.standing import (
    CountsContradict,
    Decided,
    Decision,
    LevelCount,
    NotOfThisDesign,
    Parameters,
    Standing,
    standing,
)
from tests.shared.escalation.designs.standings import at, said, standings

designs = pytest.mark.parametrize("design", DESIGNS)


def reaches(found: Decided) -> int | None:
    """How high a decision lets the dose be: where the next is treated, or the MTD. 0: nowhere; None: not said yet."""
    return None if found.decision is Decision.WAIT else found.next_level or found.mtd or 0


@designs
@given(given_=standings())
def test_a_decision_says_one_thing_and_never_a_level_that_is_out(design: str, given_: Standing) -> None:
    found = DESIGNS[design](given_)
    levels = given_.parameters.levels
    treats = {Decision.ESCALATE, Decision.STAY, Decision.EXPAND, Decision.DE_ESCALATE}
    assert (found.next_level is not None) is (found.decision in treats)
    assert (found.mtd is not None) is (found.decision is Decision.DECLARE_MTD)
    for level in (found.next_level, found.mtd):
        assert level is None or 1 <= level <= levels
        assert level not in found.eliminated_levels
    assert found.eliminated_levels == tuple(range(levels - len(found.eliminated_levels) + 1, levels + 1))
    if found.next_level is not None:
        assert found.next_level <= given_.current_level + 1
        moved = found.next_level - given_.current_level
        expected = {Decision.ESCALATE: moved == 1, Decision.DE_ESCALATE: moved < 0}
        assert expected.get(found.decision, moved == 0)


@designs
@given(given_=standings(), data=st.data())
def test_one_more_dlt_never_leads_higher(design: str, given_: Standing, data: st.DataObject) -> None:
    level = data.draw(st.sampled_from(sorted(given_.counts)))
    count = given_.counts[level]
    if count.dlt < count.evaluable:
        worse = replace(given_, counts={**given_.counts, level: replace(count, dlt=count.dlt + 1)})
        before, after = (reaches(DESIGNS[design](each)) for each in (given_, worse))
        assert before is None or after is None or after <= before


@designs
@given(given_=standings(), data=st.data())
def test_what_is_decided_while_windows_are_open_holds_when_they_close(
    design: str, given_: Standing, data: st.DataObject
) -> None:
    """But for the rolling six, whose "stay" only fills the level."""
    found = DESIGNS[design](given_)
    if found.decision in {Decision.WAIT, Decision.STAY, Decision.EXPAND}:
        return
    here = given_.current
    more = data.draw(st.integers(0, here.pending))
    closed = LevelCount(here.level, here.enrolled, here.dlt + more, 0)
    after = DESIGNS[design](replace(given_, counts={**given_.counts, here.level: closed}))
    assert (after.decision, after.next_level, after.mtd) == found.says


@designs
def test_the_same_standing_is_decided_the_same_whatever_the_order_of_its_rows(design: str) -> None:
    rows = [LevelCount(2, 3, 1, 0), LevelCount(1, 3, 0, 0)]
    parameters = at(1, "0/3").parameters
    decide = DESIGNS[design]
    assert decide(standing(parameters, 2, rows)) == decide(standing(parameters, 2, rows[::-1]))


@pytest.mark.parametrize(
    ("current", "levels", "says"),
    [
        (1, [], "one row for each level"),
        (1, [0, 1], "one row for each level"),
        (1, [1, 2, 3, 4], "one row for each level"),
        (1, [1, 1], "told twice"),
        (1, [1, 3], "left out"),
        (2, [1], "has no row"),
    ],
)
def test_counts_that_contradict_each_other_are_refused(current: int, levels: list[int], says: str) -> None:
    with pytest.raises(CountsContradict, match=says):
        standing(Parameters(3), current, [LevelCount(level, 3, 0, 0) for level in levels])


def test_an_escalation_may_begin_above_the_lowest_level() -> None:
    rows = [LevelCount(2, 3, 2, 0)]
    assert DESIGNS["3+3"](standing(Parameters(3), 2, rows)).says == ("de-escalate", 1, None)


def test_nobody_has_a_toxicity_who_is_not_evaluable() -> None:
    with pytest.raises(CountsContradict, match="not above it"):
        LevelCount(1, 2, 3, 4)


@pytest.mark.parametrize("design", ["3+3", "rolling-6"])
@pytest.mark.parametrize("told", ["1/7", "1/6+1", "0/3 0/4+3"])
def test_a_table_ends_at_six(design: str, told: str) -> None:
    with pytest.raises(CountsContradict, match="ends at six"):
        said(design, 1, told)


@pytest.mark.parametrize("design", ["3+3", "rolling-6"])
@pytest.mark.parametrize(
    "parameters",
    [{"cohort_size": 3}, {"max_per_level": 6}, {"elimination_cutoff": "0.95"}, {"extra_safe": False}],
)
def test_a_table_takes_no_parameter_of_boin(design: str, parameters: dict[str, Any]) -> None:
    with pytest.raises(NotOfThisDesign, match="parameters of BOIN"):
        said(design, 1, "0/3", **parameters)
