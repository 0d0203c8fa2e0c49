"""Treatment-emergent: after the infusion, or worse than before it; null before there is one."""

from datetime import date

import pytest

from shared.contracts.safety import GradeSince, treatment_emergent

INFUSED = date(2026, 3, 14)


def grades(*entries: tuple[int, str]) -> list[GradeSince]:
    return [GradeSince(grade=grade, since=since) for grade, since in entries]


@pytest.mark.parametrize(
    ("onset", "emergent"),
    [
        ("2026-03-13", False),
        ("2026-03-14", True),  # the day itself: nobody knows the hour
        ("2026-03-15", True),
        ("2026-03", True),  # may be after
        ("2026-02", False),
        ("2026", True),
        ("2025", False),
    ],
)
def test_an_event_is_emergent_unless_it_certainly_began_before_the_infusion(onset: str, emergent: bool) -> None:
    assert treatment_emergent(onset, grades((2, onset)), INFUSED) is emergent


@pytest.mark.parametrize(
    ("later", "emergent"),
    [
        ((3, "2026-03-20"), True),  # worse than ever before
        ((2, "2026-03-20"), False),  # no worse than the worst before
        ((1, "2026-03-20"), False),
        ((3, "2026-03-13"), False),  # worse, but before the infusion
        ((3, "2026-03"), True),  # may be after
    ],
)
def test_an_event_from_before_is_emergent_if_it_got_worse_after(later: tuple[int, str], emergent: bool) -> None:
    history = grades((1, "2026-03-01"), (2, "2026-03-05"), later)
    assert treatment_emergent("2026-03-01", history, INFUSED) is emergent


def test_without_an_infusion_nobody_can_say() -> None:
    assert treatment_emergent("2026-03-15", grades((2, "2026-03-15")), None) is None
