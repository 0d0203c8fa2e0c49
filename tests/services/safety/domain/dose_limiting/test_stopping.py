"""Stopping rules: the published boundary table, firing once for each new participant, and reviews."""

from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from services.safety.domain.dose_limiting.stopping import (
    DECIDER,
    Count,
    Facts,
    NoSuchHalt,
    ReviewHalt,
    ReviewStopping,
    counts_for,
    fires,
    posterior,
    stops_from,
)
from services.safety.domain.dose_limiting.toxicity import Toxicity
from shared.contracts.safety import Attribution
from shared.contracts.safety_dose_limiting import StoppingBasisChanged, StoppingReviewed, StoppingRuleTriggered
from shared.contracts.safety_episodes import EpisodeKind
from shared.protocol import BetaBinomial, CountedEvent, StoppingRule
from shared.protocol.dose_limiting import Terms
from tests.services.safety.builders import PROTOCOL
from tests.services.safety.domain.dose_limiting.builders import an_episode, an_event, judged, the_window
from tests.specs import Spec

given = Spec(DECIDER).given
RATE, DEATH = PROTOCOL.stopping.rules
ONE, TWO, THREE = (UUID(int=number) for number in (1, 2, 3))
LOOK = ReviewStopping()
RESUME = ReviewHalt(decision="resume", reason="The committee lowered the dose level")
STOP = ReviewHalt(decision="stop", reason="The committee ended the trial")


def boundary(certainty: str) -> StoppingRule:
    assert RATE.boundary is not None
    return RATE.model_copy(update={"boundary": RATE.boundary.model_copy(update={"certainty": Decimal(certainty)})})


@pytest.mark.parametrize(
    ("certainty", "table"),
    [  # Beta(1, 1), target 0.30, participants 3 to 12
        ("0.90", [2, 3, 3, 4, 4, 4, 5, 5, 6, 6]),
        ("0.95", [3, 3, 4, 4, 5, 5, 5, 6, 6, 7]),
    ],
)
def test_the_rule_stops_where_the_table_says(certainty: str, table: list[int]) -> None:
    assert [stops_from(boundary(certainty), n) for n in range(3, 13)] == table


def test_the_rule_says_nothing_about_the_first_two() -> None:
    assert [stops_from(RATE, n) for n in (0, 1, 2)] == [None, None, None]
    assert not fires(RATE, 2, 2)


def test_one_death_is_enough() -> None:
    assert (stops_from(DEATH, 0), stops_from(DEATH, 5)) == (None, 1)


def test_a_boundary_that_cannot_be_reached_stops_nobody() -> None:
    assert stops_from(boundary("0.999999"), 3) is None


def test_the_posterior_is_exact_where_it_can_be_worked_out_by_hand() -> None:
    """Beta(1, 1) and n of n events: the posterior is Beta(1 + n, 1), whose upper tail is 1 - target^(n + 1)."""
    rule = BetaBinomial(
        target=Decimal("0.5"), certainty=Decimal("0.9"), prior_a=Decimal(1), prior_b=Decimal(1), minimum=1
    )
    assert [posterior(n, n, rule) for n in (0, 1, 2)] == [Decimal("0.5"), Decimal("0.75"), Decimal("0.875")]


@for_all(st.integers(3, 60), st.data())
def test_more_events_never_make_a_rule_more_lenient(participants: int, data: st.DataObject) -> None:
    events = data.draw(st.integers(0, participants - 1))
    assert not fires(RATE, events, participants) or fires(RATE, events + 1, participants)


@pytest.mark.parametrize(
    ("toxicity", "counts"),
    [
        (an_event("liver", (5, 5)), True),
        (an_event("liver", (4, 5)), False),
        (an_event("liver", (3, 5), (5, 60)), True),  # whenever it was, after the infusion
        (an_event("liver", (5, -1)), False),
        (an_event("liver", (5, 0)), True),  # on its day
        (an_event("liver", (5, 5), causality=judged(Attribution.UNLIKELY)), False),
        (an_event("liver", (5, 5), causality=judged(Attribution.POSSIBLE)), True),
        (an_episode(EpisodeKind.CRS, (6, 5)), False),  # its adverse event counts
    ],
)
def test_a_death_that_may_be_due_to_the_product_counts(toxicity: Toxicity, *, counts: bool) -> None:
    assert counts_for(DEATH, toxicity, the_window()) is counts
    assert not counts_for(RATE, toxicity, the_window())


@pytest.mark.parametrize(("term", "counts"), [("fever", True), ("liver", False)])
def test_a_rule_may_count_any_chosen_event(term: str, *, counts: bool) -> None:
    severe_fever = CountedEvent(grade_at_least=3, terms=Terms(meddra_codes=("10016558",)))
    rule = DEATH.model_copy(update={"event": severe_fever})
    assert counts_for(rule, an_event(term, (3, 5), causality=judged(Attribution.UNRELATED)), the_window()) is counts


def triggered(*participants: UUID, number: int = 1, evaluable: int = 3, rule: StoppingRule = RATE) -> Any:
    chance = posterior(len(participants), evaluable, rule.boundary) if rule.boundary else None
    return StoppingRuleTriggered(
        rule=rule.id,
        number=number,
        participants=participants,
        evaluable=evaluable,
        posterior=chance,
        protocol=PROTOCOL.ref,
    )


def counted(*toxic: UUID, evaluable: int = 3, dead: tuple[UUID, ...] = (), **changed: Any) -> Facts:
    counts = {RATE.id: Count(toxic, evaluable), DEATH.id: Count(dead, evaluable)}
    return Facts(PROTOCOL.stopping, PROTOCOL.ref, counts, **changed)


def changed(was: tuple[UUID, ...], now: tuple[UUID, ...], *, holds: bool) -> StoppingBasisChanged:
    return StoppingBasisChanged(rule=RATE.id, number=1, was=was, now=now, holds=holds, protocol=PROTOCOL.ref)


def reviewed(decision: Any, reason: str, number: int = 1) -> StoppingReviewed:
    return StoppingReviewed(rule=RATE.id, number=number, decision=decision, reason=reason)


def test_a_rule_fires_once() -> None:
    given().when(LOOK, counted(ONE)).then_nothing()
    given().when(LOOK, counted(ONE, TWO)).then(triggered(ONE, TWO))
    given(triggered(ONE, TWO)).when(LOOK, counted(ONE, TWO)).then_nothing()


def test_a_rule_fires_anew_with_each_participant_more() -> None:
    given(triggered(ONE, TWO), reviewed("resume", RESUME.reason)).when(LOOK, counted(ONE, TWO, THREE)).then(
        triggered(ONE, TWO, THREE, number=2)
    )


def test_two_rules_fire_by_themselves() -> None:
    given().when(LOOK, counted(ONE, TWO, dead=(ONE,))).then(triggered(ONE, TWO), triggered(ONE, rule=DEATH))


def test_a_disabled_rule_never_fires() -> None:
    rules = tuple(rule.model_copy(update={"enabled": False}) for rule in PROTOCOL.stopping.rules)
    off = Facts(PROTOCOL.stopping.model_copy(update={"rules": rules}), PROTOCOL.ref, counted(ONE, TWO, ONE).counts)
    given().when(LOOK, off).then_nothing()


def test_who_counts_no_longer_is_said_and_the_halt_stands() -> None:
    fired, fewer = triggered(ONE, TWO), changed((ONE, TWO), (ONE,), holds=False)
    given(fired).when(LOOK, counted(ONE)).then(fewer)
    given(fired, fewer).when(LOOK, counted(ONE)).then_nothing()
    given(fired, fewer).when(LOOK, counted(ONE, TWO)).then(changed((ONE,), (ONE, TWO), holds=True))
    assert given(fired, fewer).state.latest[RATE.id].stops_dosing


def test_a_halt_is_reviewed_with_a_reason_and_may_be_reviewed_anew() -> None:
    fired = triggered(ONE, TWO)
    this = counted(rule=RATE.id)
    given(fired).when(RESUME, this).then(reviewed("resume", RESUME.reason))
    after = given(fired, reviewed("resume", RESUME.reason))
    after.when(RESUME, this).then_nothing()
    after.when(STOP, this).then(reviewed("stop", STOP.reason))
    assert not after.state.latest[RATE.id].stops_dosing
    assert given(fired, reviewed("stop", STOP.reason)).state.latest[RATE.id].stops_dosing


def test_only_a_rule_that_has_fired_is_reviewed() -> None:
    given().when(RESUME, counted(rule=DEATH.id)).then_rejected(NoSuchHalt)
    given(triggered(ONE, TWO)).when(RESUME, counted()).then_rejected(NoSuchHalt)


def test_a_review_is_of_the_latest_halt() -> None:
    twice = given(triggered(ONE, TWO), triggered(ONE, TWO, THREE, number=2))
    twice.when(RESUME, counted(rule=RATE.id)).then(reviewed("resume", RESUME.reason, 2))


def test_what_never_fired_is_passed_over_in_reading() -> None:
    assert given(reviewed("resume", RESUME.reason)).state == given().state
