"""The gate: everything that forbids an infusion at an instant, and the earliest at which it would be permitted.

It stands for that instant as it stood then, whenever the infusion is recorded: decisions that were made later open or
close nothing, nor do infusions that began later, but for the distance to them.

Source: the protocol's `dosing` and `dose_escalation`. Stagger: so many days after the first participant of a cohort,
fewer after each other one, counted between the starts of infusions at one level, whichever was recorded first. Between
levels: the whole window of everybody at a lower level, and the committee's decision; a toxicity that it did not know
closes the level above until it decides anew.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from shared.contracts.enrollment_escalation import Bar, DesignSays
from shared.escalation.designs import DESIGNS
from shared.escalation.designs.standing import (
    CountsContradict,
    Decided,
    Decision,
    LevelCount,
    Parameters,
    standing,
)
from shared.escalation.standing import Escalation, Facts, Person, basis_of, levels_changed
from shared.protocol.dose_limiting_status import DltStatus

JUST_AFTER = timedelta(microseconds=1)  # a window's end belongs to the window
UNKNOWN_COUNTS = "The design knows no such counts, as where more were treated than it foresees: the committee decides"
WATCHED = frozenset({DltStatus.IN_WINDOW, DltStatus.EVALUABLE})  # evaluable now, perhaps not at the instant asked about
OVER = frozenset({Decision.DE_ESCALATE, Decision.STOP, Decision.DECLARE_MTD})


@dataclass(frozen=True, slots=True)
class Closed:
    """A bar, and when it falls by itself; None: that needs a decision."""

    bar: Bar
    until: datetime | None = None


def earliest(closed: Sequence[Closed]) -> datetime | None:
    """When all of them have fallen; None: not by themselves. Of none there is nothing to say."""
    ends = [each.until for each in closed]
    known = [end for end in ends if end is not None]
    return max(known) if len(known) == len(ends) and known else None


def opens(who: UUID, number: int, at: datetime, state: Escalation, facts: Facts) -> datetime | None:
    """The first instant, from this one on, at which nothing forbids the infusion; None: that needs a decision."""
    while True:
        closed = closed_for(who, number, at, state, facts)
        if not closed:
            return at
        by_itself = earliest(closed)
        if by_itself is None:
            return None
        at = by_itself


def closed_for(who: UUID, number: int, at: datetime, state: Escalation, facts: Facts) -> tuple[Closed, ...]:
    """All that forbids the infusion of this number, begun at this instant. A later infusion is no new participant.

    `facts` are those of the instant, or of now for one that is yet to come.
    """
    bars = [*_halted(at, state, facts)]
    if number == 1:
        person, then = facts.people[who], state.as_of(at)
        others = [each for key, each in facts.people.items() if key != who]
        begun = [each for each in others if each.started_at is not None and each.started_at <= at]
        bars += _without_place(person, begun, then, facts)
        level = then.level_of(person)
        if level in facts.plan.levels:
            bars += _staggered(level, others, at, then, facts)
            bars += _unsettled(level, begun, at, then, facts)
    return tuple(bars)


def _halted(at: datetime, state: Escalation, facts: Facts) -> Iterator[Closed]:
    for until in state.pauses_of(at):
        yield Closed(Bar.PAUSED, until)
    held = [halt.until for halt in facts.halts if halt.held(at)]
    if held:
        ends = [until for until in held if until is not None]
        yield Closed(Bar.STOPPING_RULE, max(ends) if len(ends) == len(held) else None)


def _without_place(person: Person, begun: list[Person], state: Escalation, facts: Facts) -> Iterator[Closed]:
    slot, level = state.slots.get(person.participant_id), state.level_of(person)
    infused = [each for each in begun if each.counts]
    if slot is None:
        yield Closed(Bar.NO_SLOT)
    elif person.dose_level not in (None, slot):
        yield Closed(Bar.WRONG_LEVEL)
    if level is None or level != state.open_level(facts.plan):
        yield Closed(Bar.LEVEL_CLOSED)
    elif sum(state.level_of(each) == level for each in infused) >= state.capacity(level, facts.plan):
        yield Closed(Bar.COHORT_CAP)
    if len(infused) >= facts.plan.target_number:
        yield Closed(Bar.TARGET_NUMBER)


def _staggered(level: str, others: list[Person], at: datetime, state: Escalation, facts: Facts) -> Iterator[Closed]:
    ends = [end for end in _staggers(level, others, at, state, facts) if end is not None]
    if ends:
        yield Closed(Bar.STAGGER, max(ends))


def _unsettled(level: str, begun: list[Person], at: datetime, state: Escalation, facts: Facts) -> Iterator[Closed]:
    """What those infused before still show, or have shown since the committee decided."""
    lower = facts.plan.levels[: facts.plan.levels.index(level)]
    watched = [
        each.window_ends
        for each in begun
        if each.window_ends is not None and each.status in WATCHED and state.level_of(each) in lower
    ]
    open_windows = [end for end in watched if at <= end]
    if open_windows:
        yield Closed(Bar.DLT_WINDOW, max(open_windows) + JUST_AFTER)
    if _wants_a_decision(level, begun, state, facts):
        yield Closed(Bar.AWAITS_DECISION)


def _staggers(
    level: str, others: list[Person], at: datetime, state: Escalation, facts: Facts
) -> Iterator[datetime | None]:
    """For each other one at the level whether the two infusions lie too close, and until when."""
    begun = sorted(each.started_at for each in others if each.started_at is not None and state.level_of(each) == level)
    for place, other in enumerate(begun):
        plan = facts.plan
        gap = plan.stagger_first if place % plan.cohort_size == 0 else plan.stagger_next
        if other <= at:
            yield other + gap if at < other + gap else None
        else:  # it was given later and recorded sooner: this one would have been before it
            before = sum(each < at for each in begun)
            own = plan.stagger_first if before % plan.cohort_size == 0 else plan.stagger_next
            yield other + gap if other < at + own else None


def _wants_a_decision(level: str, begun: list[Person], state: Escalation, facts: Facts) -> bool:
    """Toxicities that the latest decision did not know, by which the design would not treat at this level.

    It treats nobody more there, or no longer escalates from a level below, where they came late.
    """
    known = {each.participant_id: each for each in begun}
    basis = basis_of(state, Facts(facts.now, facts.plan, facts.by, known))
    changed = levels_changed(state.decisions[-1].basis if state.decisions else (), basis)
    if not changed:
        return False
    said = said_of(level, known.values(), state, facts)
    if said is None or said.decision in OVER:
        return True
    below = facts.plan.levels[: facts.plan.levels.index(level)]
    return any(not _escalates(each, known.values(), state, facts) for each in below if each in changed)


def _escalates(level: str, people: Iterable[Person], state: Escalation, facts: Facts) -> bool:
    """Whether the design, which sees nothing of the levels above, would escalate from this one."""
    seen = facts.plan.levels[: facts.plan.levels.index(level) + 1]
    said = said_of(level, [each for each in people if state.level_of(each) in seen], state, facts)
    return said is not None and said.decision is Decision.ESCALATE


def said_of(level: str, people: Iterable[Person], state: Escalation, facts: Facts) -> Decided | None:
    """What the design says of this level; None: it knows no such counts, as after more than six by deviation."""
    plan = facts.plan
    everybody = list(people)
    counts = [_count(place, name, everybody, state) for place, name in enumerate(plan.levels, start=1)]
    boin = plan.design == "BOIN"
    parameters = Parameters(
        levels=len(plan.levels),
        target=plan.target if boin else None,
        allow_deescalation=plan.allow_deescalation,
        max_sample_size=plan.target_number,
        cohort_size=plan.cohort_size if boin else None,
        max_per_level=plan.max_per_level if boin else None,
    )
    try:
        return DESIGNS[plan.design](standing(parameters, plan.levels.index(level) + 1, counts))
    except CountsContradict:
        return None


def _count(place: int, name: str, people: list[Person], state: Escalation) -> LevelCount:
    status = [each.status for each in people if each.started_at is not None and state.level_of(each) == name]
    dlt, pending = status.count(DltStatus.DLT), status.count(DltStatus.IN_WINDOW)
    return LevelCount(place, dlt + status.count(DltStatus.EVALUABLE), dlt, pending)


def says(state: Escalation, facts: Facts) -> DesignSays:
    """What the design says of the level that was treated at last."""
    levels = facts.plan.levels
    said = said_of(current_level(state, facts), facts.people.values(), state, facts)
    if said is None:
        return DesignSays(decision=None, next_level=None, mtd=None, explanation=UNKNOWN_COUNTS)
    name = {None: None} | dict(enumerate(levels, start=1))
    return DesignSays(
        decision=said.decision.value,
        next_level=name[said.next_level],
        mtd=name[said.mtd],
        explanation=said.explanation,
    )


def current_level(state: Escalation, facts: Facts) -> str:
    """The level that is open, or was when anybody was treated last."""
    opened = [each.next_level for each in state.decisions if each.next_level is not None]
    return opened[-1] if opened else facts.plan.start_level
