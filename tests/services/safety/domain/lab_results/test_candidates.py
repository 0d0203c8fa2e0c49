"""Candidates for adverse events: opened by a grade, extended, ended, withdrawn, decided."""

from datetime import timedelta
from itertools import count
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.safety.domain import adverse_event
from services.safety.domain.adverse_event import AdverseEventCommand
from services.safety.domain.causality import UnknownAgent
from services.safety.domain.chronology import DatesContradict
from services.safety.domain.correction import RetractAdverseEvent
from services.safety.domain.lab_results import deciding
from services.safety.domain.lab_results.deciding import (
    AcceptCandidate,
    CandidateAlreadyDecided,
    CandidateWasWithdrawn,
    Decide,
    DismissCandidate,
    Facts,
    MergeCandidate,
    NoSuchCandidate,
    NotThisParticipantsEvent,
)
from services.safety.domain.lab_results.results import evolve
from services.safety.domain.record import OnRecord, State, Unreported
from shared.contracts.safety import AdverseEventEvent
from shared.contracts.safety_laboratory import CandidateEvent
from tests.services.safety.builders import CHILD, CRS, EVENT, a_report, facts
from tests.services.safety.domain.lab_results.course import Course, a_row, identity

AGAIN = "Two tubes were mixed up"


def test_a_grade_opens_a_candidate_and_no_grade_none() -> None:
    assert Course().alt(d15="40").courses == []
    course = Course().alt(d15="41")
    assert course.courses == [("15", 1, None)]
    [candidate] = course.candidates
    assert (candidate.term.name, candidate.term.edition) == ("Alanine aminotransferase increased", "5.0")
    assert candidate.wants_a_look


def test_later_values_extend_the_episode_until_a_value_within_limits() -> None:
    course = Course().infused(None).alt(d10="50", d11="130", d12="90", d13="40", d14="20", d15="45")
    assert course.courses == [("10", 2, "13"), ("15", 1, None)]
    first, second = course.candidates
    assert (first.course.first_result_id, first.course.worst_result_id) == (identity("d10"), identity("d11"))
    assert first.candidate_id != second.candidate_id


def test_a_value_that_cannot_be_graded_neither_begins_nor_ends_an_episode() -> None:
    course = Course().alt(d15="50")
    course.sent(a_row("none", "15T12:00", uln=None, value="10"), a_row("before", "14T20:00", uln=None, value="900"))
    course.sent(a_row("after", "15T18:00", value="55"))
    assert course.courses == [("15", 1, None)]


def test_what_changes_nothing_of_an_episode_is_no_event() -> None:
    course = Course().alt(d11="50", d12="49")
    assert course.types() == ["laboratory-results-recorded", "adverse-event-candidate-opened"]
    course.alt(d13="45")
    assert course.types()[2:] == ["laboratory-results-recorded"]


def test_an_earlier_value_that_comes_late_moves_the_onset() -> None:
    course = Course().infused(None).alt(d13="50").alt(d11="45", d12="300")
    assert course.courses == [("11", 3, None)]
    assert len(course.candidates) == 1


def test_a_value_within_limits_that_comes_late_splits_an_episode() -> None:
    course = Course().infused(None).alt(d11="45", d12="300", d14="50").alt(d13="20")
    assert course.courses == [("11", 3, "13"), ("14", 1, None)]
    assert [each.course.onset[-2:] for each in course.candidates] == ["11", "14"]


def test_a_correction_joins_two_episodes_and_the_later_candidate_is_withdrawn() -> None:
    course = Course().infused(None).alt(d11="45", d12="20", d13="50")
    course.sent(a_row("d12", "12T08:00", value="60", reason=AGAIN))
    assert course.courses == [("11", 1, None)]
    assert [each.withdrawn for each in course.candidates] == [False, True]
    assert [each.wants_a_look for each in course.candidates] == [True, False]


def test_a_candidate_is_found_by_its_worst_value_where_its_first_is_gone() -> None:
    course = Course().infused(None).alt(d11="45", d12="300")
    course.sent(a_row("d11", "11T08:00", value="10", reason=AGAIN))
    assert course.courses == [("12", 3, None)]
    assert len(course.candidates) == 1


def test_a_candidate_without_values_is_withdrawn_and_comes_back_with_them() -> None:
    course = Course().alt(d15="50")
    course.sent(a_row("d15", "15T08:00", value="10", reason=AGAIN))
    assert course.courses == []
    assert course.sent().events == []
    course.sent(a_row("d15", "15T08:00", value="55", reason=AGAIN))
    assert course.courses == [("15", 1, None)]
    assert len(course.candidates) == 1


VALUES = st.lists(st.tuples(st.integers(10, 15), st.sampled_from(["20", "45", "130", "300"])), min_size=1, max_size=8)


@given(VALUES, st.randoms())
def test_the_order_of_arrival_does_not_matter(values: list[tuple[int, str]], order: object) -> None:
    places = count()
    rows = [a_row(f"R{n}", f"{day}T08:{n:02}", value=value) for (day, value), n in zip(values, places, strict=False)]
    at_once, one_by_one = Course(), Course()
    at_once.sent(*rows)
    shuffled = list(rows)
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    for row in shuffled:
        one_by_one.sent(row)
    assert one_by_one.courses == at_once.courses
    graded = [{key: known.result.grading for key, known in each.state.by_id.items()} for each in (at_once, one_by_one)]
    assert graded[0] == graded[1]


def ask(
    course: Course, command: Decide, log: State | None = None, which: int = 0
) -> tuple[list[CandidateEvent], Facts]:
    candidate_id = course.candidates[which].candidate_id
    about = Facts(facts(course.now), CHILD, candidate_id, log or Unreported())
    merged = isinstance(command, MergeCandidate)
    assert (deciding.concerned(command, candidate_id) == deciding.adverse_event_of(candidate_id)) is not merged
    return deciding.decide(command, course.state, about), about


def decided(course: Course, command: Decide, log: State | None = None, which: int = 0) -> list[AdverseEventEvent]:
    """Carry out a decision; what becomes of the adverse event."""
    events, about = ask(course, command, log, which)
    reported = deciding.reported(command, events, course.state, about)
    for event in events:
        course.state = evolve(course.state, event)
    return reported


def on_record(*commands: AdverseEventCommand) -> State:
    state: State = Unreported()
    for command in commands:
        for event in adverse_event.decide(command, state, facts()):
            state = adverse_event.DECIDER.evolve(state, event)
    return state


DISMISSED = DismissCandidate(reason="Known before screening, not worse since")
INTO = MergeCandidate(adverse_event_id=EVENT)


def test_an_accepted_candidate_is_reported_as_the_values_tell() -> None:
    course = Course().infused(None).alt(d11="50", d12="90", d13="300", d14="20")
    log = adverse_event.DECIDER.fold(decided(course, AcceptCandidate()))
    assert isinstance(log, OnRecord)
    assert log.adverse_event_id == deciding.adverse_event_of(course.candidates[0].candidate_id)
    assert (log.term.meddra_code, log.onset, log.ended_on, log.outcome) == (
        "10001551",
        "2026-03-11",
        "2026-03-14",
        "recovered",
    )
    assert [(each.grade, each.since) for each in log.grades] == [(1, "2026-03-11"), (3, "2026-03-13")]
    assert log.became_aware_at == course.now
    [candidate] = course.candidates
    assert not candidate.wants_a_look
    assert decided(course, AcceptCandidate(), log) == []


def test_an_accepted_candidate_may_be_serious_and_goes_on() -> None:
    course = Course().alt(d15="50")
    told = AcceptCandidate.model_validate(
        {"seriousness": ["medically-important"], "became_aware_at": course.now - timedelta(hours=1)}
    )
    log = adverse_event.DECIDER.fold(decided(course, told))
    assert isinstance(log, OnRecord)
    assert (len(log.alerts), log.outcome, log.ended_on) == (1, "not-recovered", None)
    assert log.became_aware_at == course.now - timedelta(hours=1)


def test_a_specimen_from_a_clock_that_runs_ahead_is_known_of_no_sooner_than_it_was_taken() -> None:
    course = Course()
    course.sent(a_row(collected_at="2026-03-16T10:04:00+07:00"))
    log = adverse_event.DECIDER.fold(decided(course, AcceptCandidate()))
    assert isinstance(log, OnRecord)
    assert log.became_aware_at == course.named("R1").result.collected_at


def test_what_is_told_of_an_accepted_candidate_is_checked() -> None:
    course = Course().alt(d15="50")
    early = AcceptCandidate(became_aware_at=course.now - timedelta(days=9))
    with pytest.raises(DatesContradict):
        decided(course, early)
    agent = AcceptCandidate.model_validate({"causality": [{"agent": "nonsense", "attribution": "possible"}]})
    with pytest.raises(UnknownAgent):
        decided(course, agent)


def test_values_after_a_decision_ask_for_another_look_and_leave_it() -> None:
    course = Course().alt(d15="50")
    decided(course, AcceptCandidate())
    course.sent(a_row("worse", "16T08:00", value="300"))
    [candidate] = course.candidates
    assert (candidate.wants_a_look, candidate.course.worst_grade) == (True, 3)
    assert candidate.decision is not None
    assert candidate.decision.course.worst_grade == 1
    with pytest.raises(CandidateAlreadyDecided):
        decided(course, DISMISSED)


def test_a_decided_candidate_whose_values_are_gone_asks_for_another_look() -> None:
    course = Course().alt(d15="50")
    decided(course, DISMISSED)
    assert not course.candidates[0].wants_a_look
    course.sent(a_row("d15", "15T08:00", value="10", reason=AGAIN))
    assert course.candidates[0].wants_a_look


def test_a_candidate_is_merged_into_an_event_of_the_same_participant() -> None:
    course = Course().alt(d15="50")
    log = on_record(a_report())
    assert decided(course, INTO, log) == []
    assert ask(course, INTO, log)[0] == []
    with pytest.raises(CandidateAlreadyDecided):
        ask(course, MergeCandidate(adverse_event_id=UUID(int=1)), log)
    with pytest.raises(CandidateAlreadyDecided):
        ask(course, AcceptCandidate())


@pytest.mark.parametrize(
    "log",
    [
        Unreported(),
        on_record(a_report(participant_id=UUID(int=9))),
        on_record(a_report(), RetractAdverseEvent(reason="Entered twice")),
    ],
)
def test_an_event_to_merge_into_is_on_record_for_the_participant(log: State) -> None:
    with pytest.raises(NotThisParticipantsEvent):
        ask(Course().alt(d15="50"), INTO, log)


def test_a_dismissed_candidate_may_be_looked_at_again() -> None:
    course = Course().alt(d15="50")
    decided(course, DISMISSED)
    assert ask(course, DISMISSED)[0] == []
    assert len(ask(course, DismissCandidate(reason="Haemolysed specimen"))[0]) == 1
    course.sent(a_row("worse", "16T08:00", value="300"))
    assert len(ask(course, DISMISSED)[0]) == 1
    assert len(decided(course, AcceptCandidate())) == 2


def test_nothing_is_decided_of_a_candidate_that_was_withdrawn_or_never_was() -> None:
    course = Course().alt(d15="50")
    course.sent(a_row("d15", "15T08:00", value="10", reason=AGAIN))
    for command in (AcceptCandidate(), DISMISSED):
        with pytest.raises(CandidateWasWithdrawn):
            ask(course, command)
    with pytest.raises(NoSuchCandidate):
        deciding.candidate_of(course.state, UUID(int=1))


def test_an_event_that_is_there_already_is_not_reported_twice() -> None:
    course = Course().alt(d15="50")
    assert decided(course, AcceptCandidate(), on_record(a_report(term=CRS.name))) == []
