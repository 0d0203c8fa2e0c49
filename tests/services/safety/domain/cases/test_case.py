"""A case's clocks and reports: which start and from when, what does a duty, what may follow what."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.safety.domain.adverse_event import AdverseEventAlreadyRetracted, NoSuchAdverseEvent
from services.safety.domain.cases.case import (
    CaseDatesContradict,
    CaseNullified,
    NeverSerious,
    NoInitialReport,
    NoSuchReport,
    NotTheFirst,
    OnlyNullification,
    ReasonMissing,
)
from services.safety.domain.cases.facts import event_after
from services.safety.domain.cases.report_content import age_at
from services.safety.domain.cases.reporting_clocks import tells
from services.safety.domain.causality import AgentNamedTwice, UnknownAgent
from services.safety.domain.correction import CorrectAdverseEvent, RetractAdverseEvent
from services.safety.domain.follow_up import (
    AssessCausality,
    ReassessSeriousness,
    RecordDeath,
    RegradeAdverseEvent,
    ResolveAdverseEvent,
)
from shared.contracts.safety import Outcome, Seriousness
from shared.contracts.safety_cases import AgeAtOnset, CaseUrgency, StopCause, SusarIdentified
from shared.protocol import Protocol
from tests.services.safety.builders import AWARE, BANGKOK, PROTOCOL
from tests.services.safety.cases.course import Course, kinds, opinion

HOUR = timedelta(hours=1)
URGENT, OTHER = "thai-fda-fatal-or-life-threatening-susar", "thai-fda-other-susar"
TO_SPONSOR, COMMITTEE, COMMITTEE_URGENT = (
    "investigator-to-sponsor",
    "ethics-other-serious",
    "ethics-fatal-or-life-threatening",
)
COMPLETION, NEWS = "thai-fda-susar-follow-up", "follow-up-information"
RETRACTING = RetractAdverseEvent(reason="Entered for another participant")


def serious(*criteria: str, at: datetime) -> ReassessSeriousness:
    return ReassessSeriousness(seriousness=frozenset(map(Seriousness, criteria)), became_aware_at=at)


def last_second(day: str) -> datetime:
    return datetime.fromisoformat(f"{day}T23:59:59+07:00")


def a_case(**changed: Any) -> Course:
    course = Course().reported(**changed)
    course.reviewed()
    return course


# --- Which clocks start, and when they are due. Awareness is 16 March 2026, 09:00 in Bangkok. ---


@pytest.mark.parametrize(
    ("seriousness", "due"),
    [
        (
            ["hospitalisation"],
            {
                TO_SPONSOR: AWARE + 24 * HOUR,
                COMMITTEE: last_second("2026-03-23"),
                OTHER: last_second("2026-03-31"),
            },
        ),
        (
            ["life-threatening"],
            {
                TO_SPONSOR: AWARE + 24 * HOUR,
                COMMITTEE_URGENT: AWARE + 24 * HOUR,
                URGENT: last_second("2026-03-23"),
            },
        ),
    ],
)
def test_awareness_starts_what_the_protocols_table_says(seriousness: list[str], due: dict[str, datetime]) -> None:
    course = a_case(seriousness=seriousness)
    assert {each.started.clock: each.started.due_at for each in course.case.clocks} == due


def test_the_steps_of_a_short_and_of_a_long_clock_are_the_protocols() -> None:
    course = a_case()
    short, long = course.clock(TO_SPONSOR).started, course.clock(COMMITTEE).started
    assert short.due_soon_at == short.due_at - 6 * HOUR
    assert short.escalate_at == tuple(short.due_at + hours * HOUR for hours in (-2, 0, 24))
    assert long.due_soon_at == long.due_at - 48 * HOUR
    assert long.escalate_at == tuple(long.due_at + hours * HOUR for hours in (-24, 0, 24))


def test_the_next_step_of_a_clock_is_the_first_that_was_not_taken() -> None:
    course = a_case()
    due = course.clock(TO_SPONSOR).started.due_at
    just_after = timedelta(microseconds=1)
    for step in (due - 6 * HOUR, due - 2 * HOUR, due, due + just_after, due + 24 * HOUR):
        assert course.clock(TO_SPONSOR).next_at == step
        course.wait(seconds=(step - course.now).total_seconds())
        course.reviewed()
    assert course.clock(TO_SPONSOR).next_at is None


def test_an_event_that_is_not_serious_has_no_clocks() -> None:
    course = Course().reported(seriousness=[])
    assert course.reviewed() == []
    assert course.case.next_at is None


def test_an_upgrade_starts_clocks_at_its_own_awareness_and_ends_none() -> None:
    course = a_case()
    course.wait(hours=40).site(serious("life-threatening", at=AWARE + 39 * HOUR))
    started = [each for each in kinds(course.reviewed()) if each.startswith("clock-started")]
    assert started == [f"clock-started {clock}" for clock in (URGENT, TO_SPONSOR, COMMITTEE_URGENT)]
    assert course.clock(TO_SPONSOR, 2).started.since == AWARE + 39 * HOUR  # the site's
    assert course.clock(URGENT).started.since == AWARE + 40 * HOUR  # the sponsor's
    assert {OTHER, COMMITTEE, TO_SPONSOR} <= set(course.running())


def test_becoming_serious_later_starts_clocks_then() -> None:
    course = Course().reported(seriousness=[])
    course.wait(hours=50).site(serious("medically-important", at=course.now))
    course.reviewed()
    assert course.clock(TO_SPONSOR).started.due_at == AWARE + 74 * HOUR


def test_death_after_a_threat_to_life_is_a_new_duty_to_the_regulator() -> None:
    course = a_case(seriousness=["life-threatening"])
    course.wait(hours=30).site(RecordDeath(died_on="2026-03-17", became_aware_at=course.now))
    course.reviewed()
    assert [clock.started.since for clock in course.case.clocks if clock.started.clock == URGENT] == [
        AWARE,
        AWARE + 30 * HOUR,
    ]


def test_a_downgrade_of_urgency_changes_clocks_and_keeps_the_sponsors_first_awareness() -> None:
    course = a_case(seriousness=["life-threatening"])
    course.wait(hours=3).site(serious("hospitalisation", at=course.now))
    course.reviewed()
    assert course.clock(URGENT).stopped is StopCause.LESS_URGENT
    assert course.clock(OTHER).started.since == AWARE
    assert TO_SPONSOR in course.running()


def test_up_and_down_again_runs_one_clock_of_the_longer_kind() -> None:
    course = a_case()
    course.wait(hours=1).site(serious("life-threatening", at=course.now)).reviewed()
    course.wait(hours=1).site(serious("hospitalisation", at=course.now)).reviewed()
    assert [clock.started.clock for clock in course.case.clocks].count(OTHER) == 1
    course.wait(hours=1).site(serious("life-threatening", at=course.now)).reviewed()
    assert course.clock(URGENT, 2).started.since == AWARE + 3 * HOUR


def test_an_upgrade_taken_back_and_made_again_unseen_starts_again() -> None:
    course = a_case(seriousness=["life-threatening"])
    course.wait(hours=1).site(serious("hospitalisation", at=course.now))
    course.wait(hours=1).site(serious("life-threatening", at=course.now))
    course.reviewed()
    assert course.clock(URGENT, 2).started.since == AWARE + 2 * HOUR


def test_a_reaction_no_longer_held_stops_its_clock_and_no_other() -> None:
    course = a_case()
    course.lists().reviewed()
    assert course.clock(OTHER).stopped is StopCause.NO_LONGER_SUSAR
    assert course.running() == [TO_SPONSOR, COMMITTEE]
    assert course.reviewed() == []


def test_a_reaction_held_again_from_the_same_awareness_starts_a_clock_again() -> None:
    course = a_case().lists()
    course.reviewed()
    course.wait(hours=1).assessed(expectedness="unexpected", reason="Atypical course", became_aware_at=AWARE)
    first, second = course.clock(OTHER), course.clock(OTHER, 2)
    assert (first.started.since, second.started.since) == (AWARE, AWARE)
    assert (first.runs, second.runs) == (False, True)


def test_what_was_true_before_a_command_is_on_record_before_it() -> None:
    course = Course().reported().wait(hours=1)
    events = kinds(course.assessed(expectedness="expected", reason="Known of the class"))
    assert events.index("susar-identified") < events.index("sponsor-assessed") < events.index("susar-no-longer-held")
    assert course.clock(OTHER).stopped is StopCause.NO_LONGER_SUSAR


def test_a_retraction_stops_what_awareness_started() -> None:
    course = a_case().site(RETRACTING)
    course.reviewed()
    assert {clock.stopped for clock in course.case.clocks} == {StopCause.RETRACTED}
    assert course.case.next_at is None


def test_a_retraction_before_anybody_looked_is_on_record_with_its_clocks() -> None:
    course = Course().reported().site(RETRACTING)
    assert kinds(course.reviewed()) == [
        f"clock-{step} {clock}" for step in ("started", "stopped") for clock in (TO_SPONSOR, COMMITTEE)
    ]


def test_a_corrected_awareness_starts_a_clock_that_an_earlier_report_has_done() -> None:
    course = a_case()
    course.wait(hours=5).sent(1, recipient="sponsor")
    earlier = AWARE - 2 * HOUR
    course.wait(hours=1).site(CorrectAdverseEvent(reason="The nurse noted seven", became_aware_at=earlier))
    course.reviewed()
    second = course.clock(TO_SPONSOR, 2)
    assert (second.started.since, second.met and second.met.report_number) == (earlier, 1)


def with_clock(clock_id: str, **changed: Any) -> Protocol:
    clocks = tuple(
        clock.model_copy(update={"enabled": True, **changed}) if clock.id == clock_id else clock
        for clock in PROTOCOL.clocks
    )
    return PROTOCOL.model_copy(update={"clocks": clocks})


def test_a_clock_of_the_determination_runs_from_the_determination() -> None:
    course = Course(protocol=with_clock("us-fda-other-susar")).reported().wait(hours=8)
    course.reviewed()
    assert course.clock("us-fda-other-susar").started.since == AWARE + 8 * HOUR
    assert course.clock(OTHER).started.since == AWARE


# --- What does a duty. ---


def test_a_report_does_the_duty_to_whom_it_went_alone() -> None:
    course = a_case()
    course.wait(hours=24).sent(1, recipient="sponsor")
    met = course.clock(TO_SPONSOR).met
    assert met is not None
    assert (met.report_number, met.late, met.met_at) == (1, False, AWARE + 24 * HOUR)
    assert set(course.running()) == {COMMITTEE, OTHER}


def test_a_report_after_the_instant_due_is_late() -> None:
    course = a_case()
    course.wait(hours=24, microseconds=1).reviewed()
    assert course.clock(TO_SPONSOR).missed
    course.sent(1, recipient="sponsor")
    met = course.clock(TO_SPONSOR).met
    assert met is not None
    assert met.late


def test_a_report_sent_in_time_and_recorded_late_is_in_time() -> None:
    course = a_case()
    course.wait(hours=30).reviewed()
    course.sent(1, recipient="sponsor", sent_at=AWARE + 20 * HOUR)
    clock = course.clock(TO_SPONSOR)
    assert clock.missed
    assert clock.met is not None
    assert not clock.met.late


def test_a_report_recorded_before_anybody_looked_leaves_no_alarm() -> None:
    course = Course().reported().wait(hours=30)
    events = kinds(course.sent(1, recipient="sponsor", sent_at=AWARE + HOUR))
    assert f"clock-met {TO_SPONSOR}" in events
    assert f"clock-missed {TO_SPONSOR}" not in events


def test_a_report_from_before_an_upgrade_does_not_tell_of_it() -> None:
    course = a_case()
    course.wait(hours=2).sent(1)
    course.wait(hours=2).site(serious("life-threatening", at=AWARE + HOUR)).reviewed()
    assert course.clock(URGENT).runs
    course.sent(2, kind="follow-up", sent_at=AWARE + 3 * HOUR)
    assert not course.clock(URGENT).runs


def test_a_report_sent_before_the_site_knew_does_not_do_the_duty() -> None:
    course = a_case()
    course.wait(hours=5).site(serious("life-threatening", at=AWARE + 4 * HOUR))
    course.sent(1, sent_at=AWARE + 3 * HOUR)
    assert course.clock(URGENT).runs


def test_a_report_that_calls_it_expected_does_not_do_the_duty_of_a_reaction() -> None:
    course = Course().lists().reported()
    course.sent(1)
    course.wait(hours=1).assessed(expectedness="unexpected", reason="More severe than listed")
    assert course.clock(OTHER).runs
    course.wait(hours=1).sent(2, kind="follow-up")
    assert not course.clock(OTHER).runs


def test_a_rejected_report_does_not_do_a_duty_that_begins_later() -> None:
    course = a_case()
    course.sent(1, recipient="sponsor")
    course.answered(1, "rejected")
    course.wait(hours=1).site(CorrectAdverseEvent(reason="The nurse noted seven", became_aware_at=AWARE - 2 * HOUR))
    course.reviewed()
    assert course.clock(TO_SPONSOR, 2).runs


def test_a_rejected_report_does_no_duty_and_is_sent_again_as_the_first() -> None:
    course = a_case(seriousness=["life-threatening"])
    course.sent(1)
    course.answered(1, "rejected")
    course.wait(hours=1).site(RecordDeath(died_on="2026-03-16", became_aware_at=course.now)).reviewed()
    assert course.clock(URGENT, 2).runs
    with pytest.raises(NoInitialReport):
        course.sent(2, kind="follow-up")
    course.sent(2)
    assert not course.clock(URGENT, 2).runs
    assert [each.rejected for each in course.case.reports] == [True, False]


@pytest.mark.parametrize(
    ("recipient", "to", "reaches"),
    [
        ("thai-fda", "thai-fda", True),
        ("thai-fda", "regulators", True),
        ("us-fda", "regulators", True),
        ("ethics-committee", "regulators", False),
        ("regulators", "thai-fda", False),
    ],
)
def test_any_regulator_is_among_the_regulators(recipient: str, to: str, reaches: bool) -> None:
    assert tells(recipient, to) is reaches


# --- What a report starts. ---


def test_the_first_report_of_an_urgent_reaction_is_completed_in_eight_days() -> None:
    course = a_case(seriousness=["life-threatening"])
    course.wait(days=2).sent(1)
    clock = course.clock(COMPLETION)
    assert (clock.started.since, clock.started.due_at) == (AWARE + 48 * HOUR, last_second("2026-03-26"))
    course.wait(days=3).sent(2, kind="follow-up")
    met = course.clock(COMPLETION).met
    assert met is not None
    assert met.report_number == 2


@pytest.mark.parametrize(
    ("seriousness", "recipient"), [(["hospitalisation"], "thai-fda"), (["life-threatening"], "ethics-committee")]
)
def test_no_other_report_asks_for_completion(seriousness: list[str], recipient: str) -> None:
    course = a_case(seriousness=seriousness)
    course.sent(1, recipient=recipient)
    assert COMPLETION not in course.running()


def test_a_follow_up_starts_no_completion_of_its_own() -> None:
    course = a_case(seriousness=["life-threatening"])
    course.sent(1)
    course.sent(2, kind="follow-up")
    assert [clock.started.clock for clock in course.case.clocks].count(COMPLETION) == 1


ENDED = ResolveAdverseEvent(ended_on="2026-03-16", outcome=Outcome.RECOVERED)


def test_what_becomes_known_after_an_expedited_report_is_due_in_fifteen_days() -> None:
    course = a_case()
    course.wait(hours=1).sent(1)
    assert course.wait(hours=1).reviewed() == []
    course.site(ENDED).reviewed()
    clock = course.clock(NEWS)
    assert (clock.started.since, clock.started.due_at) == (AWARE + 2 * HOUR, last_second("2026-03-31"))
    course.wait(hours=1).site(CorrectAdverseEvent(reason="The chart says grade 4", grade=4))
    assert course.reviewed() == []  # one clock, from the first of the news
    course.sent(2, kind="follow-up")
    assert not course.clock(NEWS).runs
    course.wait(hours=1).site(AssessCausality.model_validate({"causality": opinion("definite")})).reviewed()
    assert course.clock(NEWS, 2).started.basis.reference == "2"


def test_an_assessment_is_news_only_if_it_differs_from_what_was_reported() -> None:
    course = a_case()
    course.wait(hours=1).sent(1)
    course.wait(hours=1).assessed(expectedness="unexpected")
    assert NEWS not in course.running()
    course.wait(hours=1).assessed(causality=opinion("probable"), became_aware_at=AWARE + 2 * HOUR)
    assert course.clock(NEWS).started.since == AWARE + 2 * HOUR


@pytest.mark.parametrize("recipient", ["sponsor", "ethics-committee"])
def test_what_a_regulator_never_heard_of_needs_no_follow_up(recipient: str) -> None:
    course = a_case()
    course.sent(1, recipient=recipient)
    course.wait(hours=1).site(ENDED).reviewed()
    assert NEWS not in course.running()


def test_a_report_that_was_no_expedited_one_needs_no_follow_up() -> None:
    course = Course().lists().reported()
    course.sent(1)
    course.wait(hours=1).site(ENDED).reviewed()
    assert NEWS not in course.running()


def test_a_retraction_after_a_report_asks_for_a_nullification_which_ends_the_case_there() -> None:
    course = a_case(seriousness=["life-threatening"])
    course.wait(hours=1).sent(1)
    course.wait(hours=1).site(RETRACTING).reviewed()
    assert course.running() == [COMPLETION, NEWS]
    course.wait(hours=1).sent(2, kind="nullification", reason="Another participant's event")
    assert course.running() == []
    assert course.reviewed() == []
    with pytest.raises(CaseNullified):
        course.sent(3, kind="nullification", reason="Another participant's event")


def test_a_nullification_does_the_duties_that_were_left() -> None:
    course = a_case()
    course.sent(1, recipient="sponsor")
    course.wait(hours=1).site(serious("life-threatening", at=course.now)).reviewed()
    course.wait(hours=1).sent(2, kind="nullification", recipient="sponsor", reason="A duplicate report")
    assert TO_SPONSOR not in course.running()


def test_whom_a_case_was_nullified_at_is_owed_nothing_more() -> None:
    course = a_case()
    course.sent(1, recipient="sponsor")
    course.sent(2, kind="nullification", recipient="sponsor", reason="A duplicate report")
    course.wait(hours=1).site(serious("life-threatening", at=course.now)).reviewed()
    assert TO_SPONSOR not in course.running()  # nothing could be sent there


# --- What may follow what. ---


def test_the_first_report_to_each_recipient_is_initial_and_only_that() -> None:
    course = a_case()
    with pytest.raises(NoInitialReport):
        course.sent(1, kind="follow-up")
    course.sent(1)
    course.sent(2, recipient="ethics-committee")
    with pytest.raises(NotTheFirst):
        course.sent(3)
    assert [each.sent.number for each in course.case.reports] == [1, 2]


@pytest.mark.parametrize("kind", ["initial", "follow-up", "amendment", "nullification"])
def test_nothing_follows_a_nullification(kind: str) -> None:
    course = a_case()
    course.sent(1)
    course.sent(2, kind="nullification", reason="A duplicate report")
    with pytest.raises(CaseNullified):
        course.sent(3, kind=kind, reason="Again")


@pytest.mark.parametrize("kind", ["amendment", "nullification"])
def test_an_amendment_and_a_nullification_say_why(kind: str) -> None:
    course = a_case()
    course.sent(1)
    with pytest.raises(ReasonMissing):
        course.sent(2, kind=kind)
    course.sent(2, kind=kind, reason="The onset was wrong")


def test_of_a_retracted_event_only_its_nullification_is_told() -> None:
    course = a_case()
    course.sent(1)
    course.site(RETRACTING)
    with pytest.raises(OnlyNullification):
        course.sent(2, kind="follow-up")
    with pytest.raises(OnlyNullification):
        course.sent(2, recipient="sponsor")


def test_an_event_that_never_was_serious_is_not_reported_and_one_that_was_is() -> None:
    course = Course().reported(seriousness=[])
    with pytest.raises(NeverSerious):
        course.sent(1)
    downgraded = a_case().site(serious(at=AWARE))
    downgraded.sent(1)
    assert downgraded.case.reports[0].sent.content.sponsor.susar is None


@pytest.mark.parametrize("minutes", [-1, 6])
def test_a_report_is_sent_after_the_awareness_and_not_in_the_future(minutes: int) -> None:
    course = a_case()
    with pytest.raises(CaseDatesContradict):
        course.sent(1, sent_at=AWARE + timedelta(minutes=minutes))


def test_reports_to_one_recipient_are_recorded_in_the_order_they_were_sent() -> None:
    course = a_case()
    course.wait(hours=2).sent(1)
    with pytest.raises(CaseDatesContradict, match="last report"):
        course.sent(2, kind="follow-up", sent_at=AWARE + HOUR)
    course.sent(2, recipient="sponsor", sent_at=AWARE + HOUR)


def test_the_same_report_twice_decides_to_nothing() -> None:
    course = a_case()
    course.sent(1)
    assert course.sent(1) == []


# --- Answers. ---


def test_an_answer_is_recorded_once_and_a_later_one_replaces_it() -> None:
    course = a_case()
    course.sent(1)
    course.sent(2, recipient="sponsor")
    assert kinds(course.answered(1)) == ["report-acknowledged"]
    assert course.answered(1) == []
    course.wait(hours=1).answered(1, "rejected", receiver_reference="TH-7")
    first, second = course.case.reports
    assert (first.rejected, first.answer and first.answer.receiver_reference) == (True, "TH-7")
    assert second.answer is None


def test_an_answer_needs_a_report_and_lies_not_in_the_future() -> None:
    course = a_case()
    with pytest.raises(NoSuchReport):
        course.answered(1)
    course.sent(1)
    with pytest.raises(CaseDatesContradict):
        course.answered(1, acknowledged_at=AWARE + HOUR)


# --- The sponsor's assessment. ---


def test_the_same_assessment_twice_decides_to_nothing() -> None:
    course = a_case()
    course.assessed(causality=opinion("probable"), became_aware_at=AWARE)
    assert course.wait(hours=1).assessed(causality=opinion("probable"), became_aware_at=AWARE) == []
    course.site(RegradeAdverseEvent(grade=4, since="2026-03-16"))
    assert kinds(course.assessed(causality=opinion("probable"), became_aware_at=AWARE)) == ["sponsor-assessed"]


def test_another_expectedness_than_the_rules_comes_with_a_reason() -> None:
    course = a_case()
    with pytest.raises(ReasonMissing, match="proposes unexpected"):
        course.assessed(expectedness="expected")
    course.assessed(expectedness="expected", reason="Known of the class")
    assert course.case.assessment is not None
    assert course.case.assessment.proposed.expectedness == "unexpected"


@pytest.mark.parametrize(
    ("causality", "error"),
    [(opinion("possible", "vaccine"), UnknownAgent), (opinion("possible") + opinion("definite"), AgentNamedTwice)],
)
def test_an_assessment_names_agents_of_the_protocol_once(causality: Any, error: type) -> None:
    with pytest.raises(error):
        a_case().assessed(causality=causality)


@pytest.mark.parametrize("at", [AWARE + timedelta(minutes=6), datetime(2026, 3, 14, 23, 59, tzinfo=BANGKOK)])
def test_the_sponsor_knows_neither_before_the_onset_nor_in_the_future(at: datetime) -> None:
    with pytest.raises(CaseDatesContradict):
        a_case().assessed(became_aware_at=at)


def test_a_retracted_event_is_not_assessed() -> None:
    with pytest.raises(AdverseEventAlreadyRetracted):
        a_case().site(RETRACTING).assessed()


# --- What a report tells. ---


def test_a_report_tells_everything_known_and_stays_as_it_was() -> None:
    course = Course().lists().reported(causality=opinion("possible"))
    course.wait(hours=1).assessed(causality=opinion("probable"), expectedness="unexpected", reason="Atypical course")
    course.wait(hours=1).sent(1, narrative_reference="DOC-7")
    course.wait(hours=1).site(RETRACTING)
    course.wait(hours=1).sent(2, kind="nullification", reason="A duplicate report")
    first, second = (each.sent.content for each in course.case.reports)
    assert first.adverse_event.causality[0].attribution == "possible"
    assert first.sponsor.causality[0].attribution == "probable"
    assert (first.sponsor.expectedness, first.sponsor.expectedness_by) == ("unexpected", "sponsor")
    assert (first.sponsor.proposed.rsi_version, first.sponsor.reason) == ("IB-1", "Atypical course")
    assert first.sponsor.susar is CaseUrgency.OTHER
    assert (first.first_received_at, first.latest_information_at) == (AWARE, AWARE + HOUR)
    assert (first.adverse_event.retracted, second.adverse_event.retracted) == (False, True)
    assert second.adverse_event.retraction_reason == RETRACTING.reason
    assert second.latest_information_at == AWARE + 3 * HOUR
    assert [each.lot for each in first.infusions] == ["LOT-7"]


@pytest.mark.parametrize(
    ("born", "onset", "months"),
    [
        ("2017-03", "2026-03-15", (107, 108)),
        ("2017-03", "2026-03-31", (108, 108)),
        ("2017-03", "2026-03-01", (107, 108)),
        ("2017-03", "2026", (105, 117)),
        ("2026-03", "2026-03-01", (0, 0)),  # born on that day or later: not below zero
        (None, "2026-03-15", None),
    ],
)
def test_the_age_at_onset_is_as_exact_as_month_of_birth_and_onset(
    born: str | None, onset: str, months: tuple[int, int] | None
) -> None:
    expected = None if months is None else AgeAtOnset(months_at_least=months[0], months_at_most=months[1])
    assert age_at(onset, born) == expected


def test_nothing_is_decided_about_an_event_without_a_report() -> None:
    with pytest.raises(NoSuchAdverseEvent):
        event_after(())


# --- Whatever happens. ---

STEPS = st.sampled_from(
    [
        lambda c: c.site(serious("life-threatening", at=c.now)),
        lambda c: c.site(serious("hospitalisation", at=c.now)),
        lambda c: c.site(serious(at=c.now)),
        lambda c: c.site(AssessCausality.model_validate({"causality": opinion("unrelated")})),
        lambda c: c.assessed(causality=opinion("unrelated")),
        lambda c: c.assessed(causality=opinion("probable")),
        lambda c: c.assessed(expectedness="expected", reason="Known of the class"),
        lambda c: c.sent(len(c.case.reports) + 1, kind="follow-up" if c.case.reports else "initial"),
        lambda c: c.sent(len(c.case.reports) + 1, kind="amendment", reason="It was wrong") if c.case.reports else None,
        lambda c: c.reviewed(),
    ]
)


@given(st.lists(st.tuples(STEPS, st.integers(0, 200)), max_size=12))
@settings(max_examples=60, deadline=None)
def test_whatever_happens_no_step_of_a_clock_comes_twice_and_deciding_again_adds_nothing(steps: list[Any]) -> None:
    course = Course().reported()
    for step, hours in steps:
        course.wait(hours=hours)
        step(course)
    course.reviewed()
    assert course.reviewed() == []
    said = [
        (each.event_type, each.clock_id, getattr(each, "level", 0))
        for each in course.happened
        if hasattr(each, "clock_id")
    ]
    assert len(said) == len(set(said))
    judged = [each.number for each in course.happened if isinstance(each, SusarIdentified)]
    assert judged == list(range(1, len(judged) + 1))
    for clock in course.case.clocks:
        assert not (clock.met and clock.stopped)
        assert clock.met or clock.stopped or clock.missed == (clock.started.due_at < course.now)


@given(st.lists(st.integers(1, 400), min_size=1, max_size=8))
@settings(max_examples=40, deadline=None)
def test_how_often_one_looks_changes_no_step(pauses: list[int]) -> None:
    often, once = Course().reported(), Course().reported()
    often.reviewed()
    for hours in pauses:
        often.wait(hours=hours).reviewed()
    once.wait(hours=sum(pauses)).reviewed()

    def steps(course: Course) -> set[Any]:
        return {
            (each.event_type, *(getattr(each, name, None) for name in ("clock", "level", "at")))
            for each in course.happened
            if hasattr(each, "clock_id")
        }

    assert steps(often) == steps(once)
