"""The table of dose-limiting toxicity: who is counted where, and what a stopping rule says."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.projector.domain.dose_limiting_table import (
    Dosed,
    DoseLevelToxicity,
    DoseLimitingToxicityTable,
    Proposed,
    dose_limiting_table,
)
from services.projector.domain.stopping_rules import FiredRule, HaltState
from shared.contracts.enrollment_terms import ParticipantStatus
from shared.contracts.safety_dose_limiting import DltBasis, ToxicityKind, ToxicitySource
from shared.protocol import load_protocol
from shared.protocol.dose_limiting_status import DltStatus, NotEvaluable
from shared.protocol.loading import PACKAGED
from tests.services.projector.chronicle import PROTOCOL, named
from tests.services.projector.dose_limiting_story import DEATH, EXCESSIVE, GRADE_3, GRADE_4, NOTHING, basis
from tests.services.projector.small_trial import BANGKOK, at

INFUSED = at(1, 5)
ENDS = INFUSED + timedelta(minutes=30, days=28)
AFTER = ENDS + timedelta(seconds=1)


def child(number: int, **changed: Any) -> Dosed:
    told = {
        "participant_id": named(f"CU-00{number}"),
        "subject_number": f"CU-00{number}",
        "site_id": "CU",
        "dose_level": "DL1",
        "zone": BANGKOK,
        "infused_from": INFUSED,
        "infused_to": INFUSED + timedelta(minutes=30),
        "cells_per_kg": Decimal(500000),
        "endings": {},
    }
    return Dosed(**{**told, **changed})


NOT_INFUSED = {"infused_from": None, "infused_to": None, "cells_per_kg": None}


def toxicity(who: Dosed, decision: Literal["confirmed", "refuted"] | None = None, **changed: Any) -> Proposed:
    known = Proposed(
        dlt_id=named(f"dlt of {who.subject_number}"),
        participant_id=who.participant_id,
        source=ToxicitySource(kind=ToxicityKind.ADVERSE_EVENT, id=named("event")),
        adverse_event_id=named("event"),
        term="Sepsis",
        basis=basis(GRADE_4),
        withdrawn=False,
        proposed_at=AFTER,
        decision=decision,
        reason=None if decision is None else "Looked at",
        decided_on=None if decision is None else basis(GRADE_4),
        decided_at=None if decision is None else AFTER,
        decided_by=None if decision is None else "so-nok",
    )
    return replace(known, **changed)


def made(*people: Dosed, proposed: tuple[Proposed, ...] = (), now: datetime = AFTER) -> DoseLimitingToxicityTable:
    return dose_limiting_table(PROTOCOL, people, proposed, (), now)


def counts(level: DoseLevelToxicity) -> tuple[int, ...]:
    return level.treated, level.in_window, level.evaluable_without_dlt, level.with_dlt, level.not_evaluable


def at_level(table: DoseLimitingToxicityTable, name: str | None) -> DoseLevelToxicity:
    return next(each for each in table.levels if each.dose_level == name)


def test_every_level_of_the_protocol_is_listed_from_the_lowest_dose_on_and_nobody_is_lost() -> None:
    table = made(child(1), child(2, dose_level=None), child(3, dose_level="DL7"), child(4, dose_level="DL3"))
    assert [(each.dose_level, each.dose_cells_per_kg, each.treated) for each in table.levels] == [
        ("DL-1", Decimal(250000), 0),
        ("DL1", Decimal(500000), 1),
        ("DL2", Decimal(1000000), 0),
        ("DL3", Decimal(2000000), 1),
        ("DL7", None, 1),
        (None, None, 1),
    ]
    assert [each.subject_number for each in table.participants] == ["CU-001", "CU-004", "CU-003", "CU-002"]
    assert table.window_days == 28


@pytest.mark.parametrize(
    ("now", "told", "expected"),
    [
        (ENDS, {}, (1, 1, 0, 0, 0)),  # the instant itself is within
        (AFTER, {}, (1, 0, 1, 0, 0)),
        (AFTER, NOT_INFUSED, (0, 0, 0, 0, 0)),
        (AFTER, {"cells_per_kg": Decimal(400000)}, (1, 0, 1, 0, 0)),
        (AFTER, {"cells_per_kg": Decimal(399999)}, (1, 0, 0, 0, 1)),
        (AFTER, {"endings": {ParticipantStatus.DIED: "2026-02-02"}}, (1, 0, 1, 0, 0)),  # the window's last day
        (AFTER, {"endings": {ParticipantStatus.DIED: "2026-02-01"}}, (1, 0, 0, 0, 1)),
        (AFTER, {"endings": {ParticipantStatus.LOST_TO_FOLLOW_UP: "2026-02"}}, (1, 0, 1, 0, 0)),  # perhaps on the 28th
        (AFTER, {"endings": {ParticipantStatus.OFF_TREATMENT: "2026-01-09"}}, (1, 0, 1, 0, 0)),  # is followed on
        (AFTER, {"endings": {ParticipantStatus.DIED: None}}, (1, 0, 1, 0, 0)),
        (
            AFTER,
            {"endings": {ParticipantStatus.WITHDRAWN: "2026-01-20", ParticipantStatus.DIED: "2026-03-01"}},
            (1, 0, 0, 0, 1),  # the first of them ended the observation
        ),
    ],
)
def test_where_somebody_stands(now: datetime, told: dict[str, Any], expected: tuple[int, ...]) -> None:
    assert counts(at_level(made(child(1, **told), now=now), "DL1")) == expected


def test_the_reasons_are_counted_and_somebody_may_have_two() -> None:
    gone = {"endings": {ParticipantStatus.DIED: "2026-01-09"}}
    table = made(child(1, **gone), child(2, cells_per_kg=Decimal(1), **gone), child(3, cells_per_kg=None))
    assert [(each.reason, each.n) for each in at_level(table, "DL1").reasons] == [
        (NotEvaluable.DOSE_UNKNOWN, 1),
        (NotEvaluable.DOSE_TOO_SMALL, 1),
        (NotEvaluable.LEFT_EARLY, 2),
    ]
    assert counts(at_level(table, "DL1")) == (3, 0, 0, 0, 3)


WORSE = basis(GRADE_3, GRADE_4)
LESS = basis(GRADE_3, grade=3)


@pytest.mark.parametrize(
    ("known", "has_dlt", "undecided"),
    [
        ({}, False, 1),
        ({"withdrawn": True, "basis": NOTHING}, False, 0),
        ({"decision": "confirmed"}, True, 0),
        ({"decision": "refuted"}, False, 0),
        ({"decision": "confirmed", "basis": WORSE}, True, 0),
        ({"decision": "confirmed", "basis": LESS}, True, 1),  # the rule it was confirmed on holds no more
        ({"decision": "confirmed", "basis": NOTHING}, True, 1),
        ({"decision": "refuted", "basis": WORSE}, False, 1),  # worse than when it was refuted
        ({"decision": "refuted", "basis": NOTHING}, False, 0),
    ],
)
def test_a_confirmed_toxicity_counts_and_one_that_wants_a_look_is_told(
    known: dict[str, Any], has_dlt: bool, undecided: int
) -> None:
    who = child(1)
    table = made(who, proposed=(toxicity(who, **known), toxicity(child(9))))
    level = at_level(table, "DL1")
    assert (level.with_dlt, level.undecided) == (int(has_dlt), undecided)
    (listed,) = table.participants
    assert (listed.status is DltStatus.DLT) == has_dlt
    assert [each.wants_a_look for each in listed.toxicities] == [bool(undecided)]


def test_a_trial_that_counts_no_doses_has_no_levels_and_watches_nobody() -> None:
    pilot = load_protocol(PACKAGED.with_name("cdisc_pilot.yaml"))
    table = dose_limiting_table(pilot, [child(1, dose_level=None)], (), (), AFTER)
    assert (table.window_days, table.levels) == (None, ())
    assert [(each.status, each.window_ends) for each in table.participants] == [(DltStatus.NOT_WATCHED, None)]


def firing(rule: str, number: int, decision: str | None = None) -> FiredRule:
    who = (named("CU-001"), named("SI-001"))
    reviewed = (None, None, None) if decision is None else ("The committee has met", AFTER, "so-nok")
    return FiredRule(rule, number, who, 3, Decimal("0.9163"), AFTER, True, decision, *reviewed)


@pytest.mark.parametrize(
    ("firings", "state"),
    [
        ((), HaltState.NOT_FIRED),
        ((firing(EXCESSIVE, 1),), HaltState.HALTED),
        ((firing(EXCESSIVE, 1, "resume"),), HaltState.RESUMED),
        ((firing(EXCESSIVE, 1, "stop"),), HaltState.STOPPED),
        ((firing(EXCESSIVE, 2), firing(EXCESSIVE, 1, "resume")), HaltState.HALTED),  # it fired again
        ((firing(DEATH, 1),), HaltState.NOT_FIRED),  # another rule did
    ],
)
def test_a_rule_stands_as_its_latest_firing_says(firings: tuple[FiredRule, ...], state: HaltState) -> None:
    table = dose_limiting_table(PROTOCOL, [child(1)], (), firings, AFTER)
    rules = {each.rule: each for each in table.stopping_rules}
    assert set(rules) == {EXCESSIVE, DEATH}
    assert rules[EXCESSIVE].state is state


def test_a_firing_counts_everybody_and_names_those_whom_the_asker_sees() -> None:
    table = dose_limiting_table(PROTOCOL, [child(1)], (), [firing(EXCESSIVE, 1)], AFTER)
    (told,) = table.stopping_rules[0].firings
    assert (told.events, told.evaluable, told.participants) == (2, 3, (named("CU-001"),))


def somebody(number: int, level: str | None, cells: Decimal | None, gone: str | None, *, infused: bool) -> Dosed:
    if not infused:
        return child(number, dose_level=level, **NOT_INFUSED)
    return child(number, dose_level=level, cells_per_kg=cells, endings={ParticipantStatus.DIED: gone})


people = st.builds(
    somebody,
    st.integers(1, 9),
    st.sampled_from(["DL1", "DL2", "DL9", None]),
    st.sampled_from([None, Decimal(1), Decimal(500000), Decimal(1000000)]),
    st.sampled_from([None, "2026-01-10", "2026-02", "2027"]),
    infused=st.booleans(),
)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(people, max_size=6, unique_by=lambda each: each.subject_number),
    st.lists(st.sampled_from(["confirmed", "refuted", None]), min_size=6, max_size=6),
    st.integers(0, 60),
)
def test_whoever_was_treated_stands_in_exactly_one_place(
    cohort: list[Dosed], decisions: list[Literal["confirmed", "refuted"] | None], days: int
) -> None:
    proposed = tuple(toxicity(who, decision) for who, decision in zip(cohort, decisions, strict=False))
    table = made(*cohort, proposed=proposed, now=INFUSED + timedelta(days=days))
    for level in table.levels:
        assert level.treated == sum(counts(level)[1:])
        assert level.not_evaluable <= sum(each.n for each in level.reasons)
    assert sum(level.treated for level in table.levels) == sum(who.infused_from is not None for who in cohort)
    assert len(table.participants) == len(cohort)


def test_a_basis_says_what_holds_now() -> None:
    who = child(1)
    found = DltBasis(rules=(GRADE_3,), grade=3, since="2026-01-14")
    table = made(who, proposed=(toxicity(who, "refuted", basis=found),))
    (told,) = table.participants[0].toxicities
    assert (told.grade, told.since, told.rules, told.decision, told.decided_by) == (
        3,
        "2026-01-14",
        (GRADE_3,),
        "refuted",
        "so-nok",
    )
