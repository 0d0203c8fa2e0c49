"""The gate over a real store: what stands beside enrolment and infusions, and what the watch says."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from services.enrollment.domain.cohorts.commands import PauseDosing, RecordDecision, ReleaseSlot, ResumeDosing
from services.enrollment.domain.cohorts.escalation import (
    DesignSaysOtherwise,
    DosingPausedNow,
    InfusionNotPermitted,
    NoFreeSlot,
    ParticipantHasLeft,
)
from services.enrollment.domain.ending import DiscontinueTreatment
from services.enrollment.domain.life import Enrolment
from services.enrollment.escalating import LevelOfAnotherSlot, NoEscalationInProtocol
from shared.contracts.enrollment_escalation import (
    Bar,
    EscalationBasisChanged,
    EscalationDecided,
    InfusionJudged,
    InfusionJudgementRetracted,
    Permission,
    SlotReserved,
)
from shared.db import Database
from shared.escalation.designs.standing import Decision
from shared.kernel.errors import StaleVersion
from shared.protocol import load_protocol
from shared.protocol.dose_limiting_status import DltStatus
from tests.dying import Killed, dying
from tests.services.enrollment.clinic import COORDINATOR, DAY, OFFICER, SPONSOR, Clinic, enrolment, who
from tests.services.enrollment.domain.cohorts.story import enforcing


@pytest.fixture
def clinic(sqlite: Database) -> Clinic:
    return Clinic(sqlite)


async def cohort(clinic: Clinic, *numbers: int) -> None:
    """Enrolled and infused in the right intervals, until the last window has ended."""
    await clinic.screened(*numbers)
    for place, number in enumerate(numbers):
        await clinic.enrol(number)
        await clinic.infuse(number)
        clinic.now += (14 if place == 0 else 7) * DAY
    clinic.now += 29 * DAY


async def test_an_enrolment_takes_a_slot_and_its_level(clinic: Clinic) -> None:
    await clinic.screened(1)
    await clinic.enrol(1)
    (reserved,) = await clinic.history()
    assert isinstance(reserved, SlotReserved)
    child = await clinic.child(1)
    assert child.enrolment is not None
    assert child.enrolment.dose_level == reserved.dose_level == "DL1"


async def test_an_enrolment_at_the_level_of_a_slot_reserved_before_adds_none(clinic: Clinic) -> None:
    await clinic.screened(1)
    await clinic.reserve(1)
    await clinic.enrol(1, "DL1")
    assert len(await clinic.history()) == 1


@pytest.mark.parametrize(("level", "refused"), [("DL2", LevelOfAnotherSlot), (None, NoFreeSlot)])
async def test_nobody_is_enrolled_at_another_level_or_without_a_slot(
    clinic: Clinic, level: str | None, refused: type[Exception]
) -> None:
    await clinic.screened(1, 2, 3, 4)
    for number in (2, 3, 4) if refused is NoFreeSlot else ():
        await clinic.reserve(number)
    before = await clinic.history()
    with pytest.raises(refused):
        await clinic.enrol(1, level)
    assert (await clinic.child(1)).enrolment is None
    assert await clinic.history() == before


async def test_the_same_enrolment_twice_is_one(clinic: Clinic) -> None:
    await clinic.screened(1)
    first = await clinic.enrol(1)
    again = await clinic.enrollment.change(
        who(1),
        enrolment(),
        expected=first.version - 1,
        command_id=uuid4(),
        by=COORDINATOR,
    )
    assert (again.version, again.replayed) == (first.version, True)
    assert len(await clinic.history()) == 1


async def test_an_infusion_is_judged_in_the_same_append(clinic: Clinic) -> None:
    await clinic.screened(1, 2)
    await clinic.enrol(1)
    await clinic.enrol(2)
    assert await clinic.infuse(1) is Permission.PERMITTED
    clinic.now += 13 * DAY
    before = await clinic.history()
    with pytest.raises(InfusionNotPermitted) as refused:
        await clinic.infuse(2)
    assert refused.value.places[0][1].startswith("stagger: until 2026-03-24")
    assert (await clinic.child(2)).infusions == ()
    assert await clinic.history() == before
    assert await clinic.infuse(2, despite="The cells would not have kept") is Permission.DEVIATION
    judged = (await clinic.history())[-1]
    assert isinstance(judged, InfusionJudged)
    assert (judged.bars, judged.reason) == ((Bar.STAGGER,), "The cells would not have kept")
    assert len((await clinic.child(2)).infusions) == 1


async def test_a_correction_is_judged_anew_and_a_retraction_takes_the_judgement_back(clinic: Clinic) -> None:
    await clinic.screened(1, 2)
    await clinic.enrol(1)
    await clinic.enrol(2)
    await clinic.infuse(1)
    clinic.now += 14 * DAY
    assert await clinic.infuse(2) is Permission.PERMITTED
    assert await clinic.correct(2, clinic.now - DAY) is Permission.DEVIATION
    await clinic.retract(2)
    assert isinstance((await clinic.history())[-1], InfusionJudgementRetracted)
    assert await clinic.infuse(2) is Permission.PERMITTED


async def test_two_infusions_at_once_do_not_pass_each_other(either: Database) -> None:
    """Each alone is permitted; of the two, whose stagger they would break, one is."""
    clinic = Clinic(either)
    await clinic.screened(1, 2)
    await clinic.enrol(1)
    await clinic.enrol(2)
    answers = await asyncio.gather(clinic.infuse(1), clinic.infuse(2), return_exceptions=True)
    assert sorted(type(each).__name__ for each in answers) == ["InfusionNotPermitted", "Permission"]


async def test_what_somebody_has_seen_is_what_they_change(clinic: Clinic) -> None:
    await clinic.screened(1)
    await clinic.reserve(1)
    release = ReleaseSlot(participant_id=who(1), reason="Too ill to be treated")
    with pytest.raises(StaleVersion):
        await clinic.escalations.carry_out(release, by=COORDINATOR, command_id=uuid4(), expected=3)
    await clinic.escalations.carry_out(release, by=COORDINATOR, command_id=uuid4(), expected=1)
    assert (await clinic.state()).slots == {}


async def test_who_has_left_gets_no_slot(clinic: Clinic) -> None:
    await clinic.screened(1)
    await clinic.enrol(1)
    ended = {"discontinued_on": "2026-03-10", "disposition": "PHYSICIAN DECISION"}
    await clinic.tell(1, DiscontinueTreatment.model_validate(ended))
    await clinic.carry_out(ReleaseSlot(participant_id=who(1), reason="Will not be treated"))
    with pytest.raises(ParticipantHasLeft):
        await clinic.reserve(1)


async def test_a_stopping_rule_closes_the_gate_by_itself_and_a_person_opens_it(clinic: Clinic) -> None:
    await clinic.screened(1, 2)
    await clinic.enrol(1)
    clinic.now += DAY
    await clinic.halted()
    with pytest.raises(InfusionNotPermitted, match="stopping-rule"):
        await clinic.infuse(1)
    assert await clinic.infuse(1, at=clinic.now - timedelta(hours=1)) is Permission.PERMITTED
    with pytest.raises(DosingPausedNow):
        await clinic.reserve(2)
    clinic.now += DAY
    await clinic.reviewed()
    await clinic.reserve(2)
    view, _ = await clinic.standing()
    assert [halt.until for halt in view.facts.halts] == [clinic.now]


async def test_a_pause_is_a_persons_and_so_is_its_end(clinic: Clinic) -> None:
    await clinic.screened(1)
    await clinic.enrol(1)
    await clinic.carry_out(PauseDosing(reason="A report is being read"))
    with pytest.raises(InfusionNotPermitted, match="paused"):
        await clinic.infuse(1)
    await clinic.carry_out(ResumeDosing(reason="It was read"))
    clinic.now += timedelta(minutes=5)
    assert await clinic.infuse(1) is Permission.PERMITTED


async def test_two_people_open_a_closed_gate_and_it_is_told(clinic: Clinic) -> None:
    await clinic.screened(1, 2)
    await clinic.enrol(1)
    await clinic.enrol(2)
    await clinic.infuse(1)
    clinic.now += DAY
    await clinic.override(2)
    permit = await clinic.escalations.permit(who(2), "DL1", clinic.now.date(), by=SPONSOR)
    assert (permit.permitted, permit.overridden) == (True, True)
    assert await clinic.infuse(2) is Permission.OVERRIDDEN


@pytest.mark.parametrize(
    ("design", "target", "says"),
    [("3+3", None, "escalate"), ("rolling-6", None, "escalate"), ("BOIN", "0.30", "escalate")],
)
async def test_each_design_runs_by_a_protocol_of_its_own(
    sqlite: Database, design: str, target: str | None, says: str
) -> None:
    clinic = Clinic(sqlite, enforcing(design, target))
    await cohort(clinic, 1, 2, 3)
    await clinic.follow_the_design()
    decided = (await clinic.history())[-1]
    assert isinstance(decided, EscalationDecided)
    assert (decided.parameters.design, decided.decision, decided.next_level) == (design, says, "DL2")
    assert [each.status for each in decided.basis] == ["evaluable-without-dlt"] * 3


@pytest.mark.parametrize(("design", "target"), [("3+3", None), ("rolling-6", None), ("BOIN", "0.30")])
async def test_two_toxicities_send_the_next_one_below(sqlite: Database, design: str, target: str | None) -> None:
    clinic = Clinic(sqlite, enforcing(design, target))
    await cohort(clinic, 1, 2, 3)
    await clinic.has_a_dlt(1)
    await clinic.has_a_dlt(2)
    await clinic.follow_the_design()
    decided = (await clinic.history())[-1]
    assert isinstance(decided, EscalationDecided)
    assert (decided.decision, decided.next_level) == ("de-escalate", "DL-1")
    assert [each.status for each in decided.basis] == ["dlt", "dlt", "evaluable-without-dlt"]


async def test_who_is_enrolled_above_goes_down_with_a_new_slot_and_is_infused_there(clinic: Clinic) -> None:
    await cohort(clinic, 1, 2, 3)
    await clinic.follow_the_design()
    await clinic.screened(4)
    await clinic.enrol(4)
    before = await clinic.child(4)
    assert before.enrolment == Enrolment(enrolment().enrolled_on, "DL2")
    _, said = await clinic.standing()
    down = {"decision": "de-escalate", "next_level": "DL1", "slots": 3, "reason": "A report from another trial"}
    await clinic.carry_out(RecordDecision.model_validate({"design_said": said.decision, **down}))
    with pytest.raises(InfusionNotPermitted, match="level-closed"):
        await clinic.infuse(4)
    moved = await clinic.reserve(4)
    after = await clinic.child(4)
    assert after == replace(before, enrolment=Enrolment(enrolment().enrolled_on, "DL1"))
    assert (await clinic.reserve(4)).version == moved.version, "the second changes nothing"
    assert await clinic.child(4) == after
    assert await clinic.infuse(4) is Permission.PERMITTED


async def test_a_protocol_that_enforces_nothing_keeps_slots_and_holds_no_infusion_to_them(sqlite: Database) -> None:
    clinic = Clinic(sqlite, load_protocol())
    await clinic.screened(1, 2)
    await clinic.enrol(1, "DL2")
    assert await clinic.history() == []
    await clinic.reserve(2)
    assert await clinic.infuse(1) is None
    assert len((await clinic.child(1)).infusions) == 1
    assert len(await clinic.history()) == 1
    await clinic.hears_itself()
    view, _ = await clinic.standing()
    assert view.facts.people[who(1)].status is DltStatus.IN_WINDOW


async def test_an_infusion_of_before_is_corrected_and_not_judged(sqlite: Database) -> None:
    off, on = Clinic(sqlite, load_protocol()), Clinic(sqlite)
    await off.screened(1, 2)
    await off.enrol(1, "DL1")
    assert await off.infuse(1) is None
    await on.hears_itself()
    assert await on.correct(1, on.now - timedelta(hours=1)) is None
    assert await on.history() == []
    on.now += DAY
    await on.reserve(2)
    permit = await on.escalations.permit(who(2), None, on.now.date(), by=SPONSOR)
    assert [each.bar for each in permit.closed] == [Bar.STAGGER]  # who was infused before counts all the same


async def test_a_trial_without_escalation_has_none_to_ask_about(sqlite: Database) -> None:
    clinic = Clinic(sqlite, load_protocol().model_copy(update={"dose_escalation": None}))
    await clinic.screened(1)
    with pytest.raises(NoEscalationInProtocol):
        await clinic.reserve(1)
    with pytest.raises(NoEscalationInProtocol):
        await clinic.standing()
    await clinic.enrol(1, "DL1")
    await clinic.hears_itself()
    await clinic.watch().round(asyncio.Event())


@pytest.fixture
async def decided(clinic: Clinic) -> Clinic:
    await cohort(clinic, 1, 2, 3)
    await clinic.follow_the_design()
    await clinic.hears_itself()
    await clinic.watch().round(asyncio.Event())
    return clinic


async def changes(clinic: Clinic) -> list[EscalationBasisChanged]:
    return [each for each in await clinic.history() if isinstance(each, EscalationBasisChanged)]


async def test_a_toxicity_decided_later_changes_the_basis_once_and_edits_nothing(decided: Clinic) -> None:
    assert await changes(decided) == []
    await decided.has_a_dlt(2)
    for _ in range(2):
        await decided.hears_itself()
        await decided.watch().round(asyncio.Event())
    (changed,) = await changes(decided)
    assert (changed.number, [each.status for each in changed.basis].count("dlt")) == (1, 1)
    assert (await decided.state()).open_level(decided.enrollment.escalating.plan) == "DL2"


async def test_an_infusion_that_is_taken_back_changes_the_basis(decided: Clinic) -> None:
    await decided.retract(3)
    await decided.hears_itself()
    await decided.watch().round(asyncio.Event())
    (changed,) = await changes(decided)
    assert len(changed.basis) == 2


async def test_the_watch_looks_once_and_then_rests(decided: Clinic) -> None:
    assert await decided.watch()._due() == []


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("awaited", ["_look", "append", "_note"])
async def test_a_watch_that_dies_loses_nothing_and_says_nothing_twice(
    decided: Clinic, monkeypatch: pytest.MonkeyPatch, awaited: str, *, after: bool
) -> None:
    await decided.has_a_dlt(2)
    watch = decided.watch()
    with monkeypatch.context() as dies:
        if awaited == "append":
            dies.setattr(decided.store, "append", dying(decided.store.append, after=after))
        else:
            dies.setattr(watch, awaited, dying(getattr(watch, awaited), after=after))
        with pytest.raises(Killed):
            await watch.round(asyncio.Event())
    await decided.watch().round(asyncio.Event())
    assert len(await changes(decided)) == 1


async def test_a_decision_on_what_has_changed_meanwhile_is_refused(decided: Clinic) -> None:
    version = len(await decided.history())
    command = RecordDecision(design_said=Decision.WAIT, decision=Decision.STOP, reason="The committee has met")
    with pytest.raises(DesignSaysOtherwise):
        await decided.escalations.carry_out(command, by=OFFICER, command_id=uuid4(), expected=version)


async def test_a_late_record_is_judged_by_what_was_known_when_the_infusion_began(clinic: Clinic) -> None:
    await clinic.screened(1, 2, 3, 4)
    await cohort_of_two(clinic)
    began = clinic.now
    clinic.now += 2 * DAY
    for number in (1, 2):
        await clinic.has_a_dlt(number)
    assert await clinic.infuse(3, at=began) is Permission.PERMITTED
    on_the_day, day_after = began.date(), (clinic.now + DAY).date()
    asked = [await clinic.escalations.permit(who(4), "DL1", on, by=SPONSOR) for on in (on_the_day, day_after)]
    assert [Bar.AWAITS_DECISION in [each.bar for each in permit.closed] for permit in asked] == [False, True]


async def cohort_of_two(clinic: Clinic) -> None:
    """Infused, and a third enrolled, whose turn it is."""
    for number, wait in ((1, 14), (2, 7)):
        await clinic.enrol(number)
        await clinic.infuse(number)
        clinic.now += wait * DAY
    await clinic.enrol(3)


async def test_the_permit_of_today_begins_now(clinic: Clinic) -> None:
    await clinic.screened(1, 2)
    await clinic.enrol(1)
    await clinic.enrol(2)
    today = await clinic.escalations.permit(who(1), None, clinic.now.date(), by=SPONSOR)
    assert (today.permitted, today.opens_at) == (True, clinic.now)
    await clinic.carry_out(PauseDosing(reason="A report from another trial"))
    paused = await clinic.escalations.permit(who(1), None, clinic.now.date(), by=SPONSOR)
    assert (paused.permitted, paused.opens_at) == (False, None)
