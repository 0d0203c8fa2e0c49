"""When an alert is raised, and until when somebody has to be told."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.safety.domain.adverse_event import DECIDER
from services.safety.domain.correction import CorrectAdverseEvent, RetractAdverseEvent
from services.safety.domain.follow_up import ReassessSeriousness, RecordDeath, RegradeAdverseEvent
from services.safety.domain.urgency import Urgency, notices, urgency_of
from shared.contracts.safety import (
    AdverseEventRetracted,
    AlertCause,
    SeriousAdverseEventIdentified,
    Seriousness,
    SeriousnessReassessed,
)
from shared.kernel.decider import Command
from shared.protocol import StartsFrom
from tests.services.safety.builders import (
    AWARE,
    BANGKOK,
    CHILD,
    EVENT,
    HOSPITALISED,
    IN_SEVEN_DAYS,
    NOW,
    PROTOCOL,
    a_report,
    facts,
    raised,
    reported,
    to_ethics_by,
    to_sponsor,
    urgent_to_ethics,
)
from tests.specs import Spec

given = Spec(DECIDER).given
THESE: dict[str, Any] = {"adverse_event_id": EVENT, "participant_id": CHILD}
LATER = AWARE + timedelta(days=2)
AFTER = facts(LATER + timedelta(hours=1))
HOSPITAL, THREAT, DEATH = Seriousness.HOSPITALISATION, Seriousness.LIFE_THREATENING, Seriousness.DEATH
SERIOUS = reported(seriousness=(HOSPITAL,))


def reassess(*criteria: Seriousness) -> ReassessSeriousness:
    return ReassessSeriousness(seriousness=criteria, became_aware_at=LATER)


def reassessed(previous: tuple[Seriousness, ...], *criteria: Seriousness) -> SeriousnessReassessed:
    return SeriousnessReassessed(**THESE, previous=previous, seriousness=tuple(sorted(criteria)), became_aware_at=LATER)


def alerts_of(history: list[Any], command: Command) -> list[SeriousAdverseEventIdentified]:
    return [e for e in given(*history).when(command, AFTER).decide() if isinstance(e, SeriousAdverseEventIdentified)]


@pytest.mark.parametrize("criterion", Seriousness)
def test_any_of_the_six_criteria_makes_an_event_serious(criterion: Seriousness) -> None:
    death = {"grade": 5, "outcome": "fatal"} if criterion is DEATH else {}
    *_, alert = given().when(a_report(seriousness=[criterion], **death), facts()).decide()
    assert isinstance(alert, SeriousAdverseEventIdentified)
    assert alert.seriousness == (criterion,)
    assert urgency_of(()) is Urgency.NONE
    assert urgency_of((criterion,)) >= Urgency.SERIOUS


def test_a_serious_report_starts_the_protocols_clocks_from_awareness() -> None:
    given().when(a_report(seriousness=HOSPITALISED), facts()).then(
        SERIOUS, raised(notices=(to_sponsor(), to_ethics_by(IN_SEVEN_DAYS)))
    )


def test_a_life_threatening_report_has_the_committees_short_clock() -> None:
    given().when(a_report(seriousness=[THREAT]), facts()).then(
        reported(seriousness=(THREAT,)), raised(seriousness=(THREAT,), notices=(to_sponsor(), urgent_to_ethics()))
    )


def test_a_report_entered_late_is_overdue_at_once() -> None:
    month_later = facts(NOW + timedelta(days=30))
    *_, alert = given().when(a_report(seriousness=HOSPITALISED), month_later).decide()
    assert isinstance(alert, SeriousAdverseEventIdentified)
    assert alert.notices[0].due_at == AWARE + timedelta(hours=24) < month_later.now


def test_a_severe_event_that_is_not_serious_raises_nothing() -> None:
    given().when(a_report(grade=4), facts()).then(reported(grade=4))
    assert alerts_of([reported()], RegradeAdverseEvent(grade=4, since="2026-03-16")) == []


@pytest.mark.parametrize(
    ("before", "after", "cause"),
    [
        ((), (HOSPITAL,), AlertCause.BECAME_SERIOUS),
        ((), (THREAT,), AlertCause.BECAME_LIFE_THREATENING),
        ((HOSPITAL,), (HOSPITAL, THREAT), AlertCause.BECAME_LIFE_THREATENING),
        ((HOSPITAL,), (HOSPITAL, Seriousness.DISABILITY), None),
        ((HOSPITAL, THREAT), (HOSPITAL,), None),
        ((HOSPITAL,), (), None),
    ],
)
def test_an_upgrade_raises_an_alert_and_a_downgrade_none(
    before: tuple[Seriousness, ...], after: tuple[Seriousness, ...], cause: AlertCause | None
) -> None:
    history = [reported(seriousness=before), *([raised(seriousness=before)] if before else [])]
    found = alerts_of(history, reassess(*after))
    assert [alert.because for alert in found] == ([cause] if cause else [])
    for alert in found:
        assert alert.became_aware_at == LATER  # of the upgrade, not of the event
        assert alert.notices[0] == to_sponsor(LATER)
        assert alert.number == len(history)


def test_a_death_raises_an_alert_of_its_own() -> None:
    death = RecordDeath(died_on="2026-03-18", became_aware_at=LATER)
    assert alerts_of([SERIOUS, raised()], death) == [
        raised(
            number=2,
            because=AlertCause.BECAME_FATAL,
            grade=5,
            seriousness=(HOSPITAL, DEATH),
            became_aware_at=LATER,
            notices=(to_sponsor(LATER), urgent_to_ethics(LATER)),
        )
    ]


def test_an_event_that_becomes_serious_again_raises_another_alert() -> None:
    history = [SERIOUS, raised(), reassessed((HOSPITAL,))]
    (alert,) = alerts_of(history, reassess(HOSPITAL))
    assert (alert.number, alert.because) == (2, AlertCause.BECAME_SERIOUS)


def test_what_was_reassessed_is_on_record() -> None:
    given(reported()).when(reassess(HOSPITAL), AFTER).then(
        reassessed((), HOSPITAL),
        raised(
            because=AlertCause.BECAME_SERIOUS,
            became_aware_at=LATER,
            notices=(to_sponsor(LATER), to_ethics_by(IN_SEVEN_DAYS + timedelta(days=2))),
        ),
    )
    given(reported(), reassessed((), HOSPITAL)).when(reassess(HOSPITAL), AFTER).then_nothing()


def test_a_correction_says_what_was_true_all_along_so_its_clocks_run_from_the_report() -> None:
    (alert,) = alerts_of([reported()], CorrectAdverseEvent(reason="Admission was missed", seriousness=HOSPITALISED))
    assert (alert.because, alert.became_aware_at) == (AlertCause.BECAME_SERIOUS, AWARE)


def test_a_corrected_awareness_restarts_the_clocks_that_ran_from_it() -> None:
    earlier = AWARE - timedelta(hours=20)
    (alert,) = alerts_of([SERIOUS, raised()], CorrectAdverseEvent(reason="Wrong day", became_aware_at=earlier))
    assert (alert.number, alert.because) == (2, AlertCause.AWARENESS_CORRECTED)
    assert alert.notices[0] == to_sponsor(earlier)


def test_a_corrected_awareness_leaves_the_clocks_of_an_upgrade_alone() -> None:
    upgraded = [reported(), reassessed((), HOSPITAL), raised(became_aware_at=LATER)]
    wrong_day = CorrectAdverseEvent(reason="Wrong day", became_aware_at=AWARE - timedelta(hours=20))
    assert alerts_of(upgraded, wrong_day) == []
    assert alerts_of([reported()], wrong_day) == []


def test_a_retraction_erases_no_alert() -> None:
    given(SERIOUS, raised()).when(RetractAdverseEvent(reason="Duplicate"), facts()).then(
        AdverseEventRetracted(**THESE, reason="Duplicate")
    )
    assert given(SERIOUS, raised(), AdverseEventRetracted(**THESE, reason="Duplicate")).state.was.alerts == (raised(),)


def test_only_enabled_clocks_that_awareness_of_the_site_starts_are_started() -> None:
    clocks = [clock.model_copy(update={"enabled": False}) for clock in PROTOCOL.clocks]
    off = PROTOCOL.model_copy(update={"clocks": tuple(clocks)})
    assert list(notices(off, Urgency.FATAL, AWARE, BANGKOK)) == []
    started = {notice.clock for urgency in Urgency for notice in notices(PROTOCOL, urgency, AWARE, BANGKOK)}
    assert started == {"investigator-to-sponsor", "ethics-fatal-or-life-threatening", "ethics-other-serious"}
    assert {PROTOCOL.clock(clock).starts_from for clock in started} == {StartsFrom.SITE_AWARENESS}
    assert list(notices(PROTOCOL, Urgency.NONE, AWARE, BANGKOK)) == []


def test_calendar_days_end_with_the_day_at_the_site() -> None:
    late = datetime(2026, 3, 16, 23, 30, tzinfo=BANGKOK)
    early = datetime(2026, 3, 17, 0, 30, tzinfo=BANGKOK)  # the 17th there, the 16th in UTC
    assert [n.due_at for n in notices(PROTOCOL, Urgency.SERIOUS, late, BANGKOK)][1] == IN_SEVEN_DAYS
    due = [n.due_at for n in notices(PROTOCOL, Urgency.SERIOUS, early, BANGKOK)][1]
    assert due == IN_SEVEN_DAYS + timedelta(days=1)
    assert due.tzinfo is UTC
