"""What was known of somebody's toxicities, before and after each step."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from shared.escalation.toxicity import Said, Toxicity, ToxicityStep, toxicities_at

WHO, NOW, HOUR = UUID(int=1), datetime(2026, 3, 16, 3, tzinfo=UTC), timedelta(hours=1)


def steps(*told: tuple[str, Said]) -> list[ToxicityStep]:
    """What was said of which toxicity of somebody, an hour after the other."""
    return [ToxicityStep(key, WHO, said, NOW + place * HOUR) for place, (key, said) in enumerate(told)]


@pytest.mark.parametrize(
    ("told", "hours", "known"),
    [
        (steps(("a", "proposed")), 0, Toxicity(undecided=True)),
        (steps(("a", "proposed"), ("a", "confirmed")), 0, Toxicity(undecided=True)),
        (steps(("a", "proposed"), ("a", "confirmed")), 1, Toxicity(has_dlt=True)),
        (steps(("a", "proposed"), ("a", "refuted")), 1, Toxicity()),
        (steps(("a", "proposed"), ("a", "withdrawn")), 1, Toxicity()),
        (steps(("a", "confirmed"), ("b", "proposed")), 1, Toxicity(has_dlt=True, undecided=True)),
        (steps(("a", "proposed"), ("b", "confirmed"), ("a", "refuted")), 2, Toxicity(has_dlt=True)),
        (steps(("a", "confirmed"), ("a", "refuted"), ("a", "proposed")), 2, Toxicity(undecided=True)),
    ],
)
def test_a_toxicity_stands_as_it_was_last_told_until_then(
    told: list[ToxicityStep], hours: int, known: Toxicity
) -> None:
    assert toxicities_at(told, NOW + hours * HOUR) == {WHO: known}
    assert toxicities_at(told, NOW - HOUR) == {}
