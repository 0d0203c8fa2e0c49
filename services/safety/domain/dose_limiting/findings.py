"""What the protocol's rules find in a participant's toxicities. They propose; a safety officer decides.

A rule holds as soon as it may hold: dates known to the day leave room, and a proposal too many costs a look, one
too few a child's safety. Source of rules and exclusions: the protocol, `dose_limiting`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.safety.domain.dose_limiting.toxicity import Spell, Toxicity, spells
from shared.contracts.safety_dose_limiting import DltBasis, ToxicitySource
from shared.protocol import DoseLimiting, DoseLimitingRule, Exclusion
from shared.protocol.dose_limiting_status import DltWindow


@dataclass(frozen=True, slots=True)
class Findings:
    """What was found in one toxicity, and the next instant at which time alone may change it."""

    source: ToxicitySource
    basis: DltBasis
    look_again_at: datetime | None


@dataclass(frozen=True, slots=True)
class _Held:
    rule: DoseLimitingRule
    spell: Spell


def find(toxicity: Toxicity, rules: DoseLimiting, window: DltWindow, now: datetime) -> Findings:
    """Which rules hold for a toxicity, on what is known at an instant."""
    held = [
        _Held(rule, spell)
        for rule, spell in _watched(toxicity, rules, window)
        if _lasted(rule, spell, window, now) and not _excluded(toxicity, spell, rules.exclusions, window, now)
    ]
    return Findings(toxicity.source, _basis(held), min(_turns(toxicity, rules, window, now), default=None))


def _basis(held: list[_Held]) -> DltBasis:
    if not held:
        return DltBasis(rules=(), grade=None, since=None)
    first = min(held, key=lambda each: each.spell.begins.from_)
    return DltBasis(
        rules=tuple(sorted({each.rule.id for each in held})),
        grade=max(each.spell.worst for each in held),
        since=first.spell.day,
    )


def _watched(toxicity: Toxicity, rules: DoseLimiting, window: DltWindow) -> Iterator[tuple[DoseLimitingRule, Spell]]:
    for rule in rules.rules:
        if rule.enabled and _concerns(rule, toxicity):
            yield from ((rule, spell) for spell in spells(toxicity, rule.grade_at_least) if _may_hold(window, spell))


def _may_hold(window: DltWindow, spell: Spell) -> bool:
    """Whether a grade may have been reached within the window."""
    return spell.begins.from_ <= window.ends and spell.begins.to >= window.begins


def _concerns(rule: DoseLimitingRule, toxicity: Toxicity) -> bool:
    if rule.watches.value != toxicity.source.kind.value:
        return False
    if rule.related_to in toxicity.unrelated_to:
        return False
    if toxicity.soc is None or toxicity.meddra_code is None:
        return True
    named = rule.terms is None or rule.terms.name(toxicity.soc, toxicity.meddra_code)
    return named and not (rule.except_terms and rule.except_terms.name(toxicity.soc, toxicity.meddra_code))


def _lasted(rule: DoseLimitingRule, spell: Spell, window: DltWindow, now: datetime) -> bool:
    if rule.beyond_hours is not None and not spell.may_exceed(rule.beyond_hours, now):
        return False
    return rule.beyond_day is None or spell.lies_beyond(window.end_of_day(rule.beyond_day), now)


def _excluded(
    toxicity: Toxicity, spell: Spell, exclusions: Iterable[Exclusion], window: DltWindow, now: datetime
) -> bool:
    return any(
        spell.worst <= exclusion.grade_at_most and _in_time(exclusion, spell, window, now)
        for exclusion in exclusions
        if _names(exclusion, toxicity)
    )


def _names(exclusion: Exclusion, toxicity: Toxicity) -> bool:
    known = toxicity.soc is not None and toxicity.meddra_code is not None
    return exclusion.enabled and known and exclusion.terms.name(toxicity.soc or "", toxicity.meddra_code or "")


def _in_time(exclusion: Exclusion, spell: Spell, window: DltWindow, now: datetime) -> bool:
    """Whether it was over soon enough: of one that goes on, only where its time has not run out."""
    if exclusion.corrected_within_hours is not None:
        return spell.ends is not None and not spell.may_exceed(exclusion.corrected_within_hours, now)
    return exclusion.until_day is None or not spell.lies_beyond(window.end_of_day(exclusion.until_day), now)


def _turns(toxicity: Toxicity, rules: DoseLimiting, window: DltWindow, now: datetime) -> Iterator[datetime]:
    """The coming instants at which a toxicity that goes on would meet a rule, or outlast an exclusion."""
    days = [exclusion.until_day for exclusion in rules.exclusions if _names(exclusion, toxicity)]
    for rule, spell in _watched(toxicity, rules, window):
        if spell.ends is not None:
            continue
        hours = [] if rule.beyond_hours is None else [spell.begins.from_ + timedelta(hours=rule.beyond_hours)]
        for turn in (*hours, *(window.end_of_day(day) for day in (rule.beyond_day, *days) if day is not None)):
            if turn >= now:
                yield turn
