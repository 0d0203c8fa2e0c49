"""The watch over dose-limiting toxicity: records and hours become proposals, decisions become halts."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.safety.domain.dose_limiting.life import id_of
from services.safety.toxicity.watch import ToxicityWatch
from shared.contracts.enrollment import (
    ConsentWithdrawn,
    DiscontinuationRetracted,
    DoseLevelReassigned,
    InfusionRetracted,
    ParticipantDied,
    ParticipantEnrolled,
    ParticipantRescreened,
)
from shared.contracts.safety_dose_limiting import (
    StoppingBasisChanged,
    StoppingRuleTriggered,
    ToxicityKind,
    ToxicitySource,
)
from shared.kernel.actor import Role
from tests.services.safety.api.test_adverse_events import change, report
from tests.services.safety.builders import CHILD, EVENT, PROTOCOL
from tests.services.safety.house import INFUSED_AT, House, infused, screened
from tests.services.safety.toxicity.episodes import EPISODE, crs, opening

PATH = f"/v1/participants/{CHILD}/dose-limiting-toxicities"
DLT = id_of(ToxicitySource(kind=ToxicityKind.ADVERSE_EVENT, id=EVENT))
DLT_STREAM, HALTS = f"dose-limiting-toxicity:{CHILD}", "stopping-rules:CMD03"
SEIZURE = {"term": "Seizure", "grade": 4, "onset": "2026-03-15", "seriousness": []}


def enrolled(participant_id: UUID = CHILD, dose_level: str | None = "DL2") -> ParticipantEnrolled:
    return ParticipantEnrolled.model_validate(
        {
            "participant_id": participant_id,
            "site_id": "CU",
            "subject_number": "CU-001",
            "enrolled_on": "2026-03-10",
            "dose_level": dose_level,
            "criteria_excepted": (),
            "status": "enrolled",
            "protocol": PROTOCOL.ref,
        }
    )


async def treated(house: House, participant_id: UUID = CHILD) -> None:
    if participant_id != CHILD:
        await house.hears(screened(participant_id))
    await house.hears(enrolled(participant_id), infused(participant_id))


async def a_round(house: House) -> None:
    """What the worker does in a second: take in what has happened, then look."""
    await house.hears_itself()
    await ToxicityWatch(house.db, house.store, house.clock, PROTOCOL).round(asyncio.Event())


async def standing(house: House, path: str = PATH, role: Role = Role.INVESTIGATOR) -> Any:
    async with house.client(role) as client:
        answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def decide(house: House, decision: str, expected: int, dlt_id: UUID = DLT, path: str = PATH) -> Any:
    async with house.client(Role.SAFETY_OFFICER) as client:
        body = {"decision": decision, "reason": "The committee of 20 March"}
        return await client.post(f"{path}/{dlt_id}/decide", json=body, headers={"If-Match": f'"{expected}"'})


async def toxic(house: House, **changed: Any) -> None:
    async with house.client(Role.INVESTIGATOR) as client:
        answer = await report(client, **{**SEIZURE, **changed})
    assert answer.status_code == 201, answer.text


async def kinds(house: House, stream: str = DLT_STREAM) -> list[str]:
    return [type(event).__name__ for event in await house.store.read(stream)]


async def test_a_toxicity_is_proposed_and_confirmed(any_house: House) -> None:
    await treated(any_house)
    await a_round(any_house)
    assert (await standing(any_house))["status"] == "in-window"
    await toxic(any_house)
    await a_round(any_house)
    await a_round(any_house)
    (proposed,) = (told := await standing(any_house))["toxicities"]
    assert told["status"] == "in-window"
    assert told["window"]["ends"] == "2026-04-11T10:00:00Z"
    assert proposed == {
        "dlt_id": str(DLT),
        "source": {"kind": "adverse-event", "id": str(EVENT)},
        "basis": {"rules": ["organ-toxicity-grade-4"], "grade": 4, "since": "2026-03-15"},
        "withdrawn": False,
        "decision": None,
        "reason": None,
        "wants_a_look": True,
    }
    assert await standing(any_house, f"{PATH}/{DLT}") == proposed
    assert (await decide(any_house, "confirmed", 1)).status_code == 200
    told = await standing(any_house)
    assert (told["status"], told["toxicities"][0]["wants_a_look"]) == ("dlt", False)
    assert await kinds(any_house) == ["DoseLimitingToxicityProposed", "DoseLimitingToxicityDecided"]
    history = await standing(any_house, f"{PATH}/history")
    assert [entry["actor"] for entry in history] == ["toxicity-watch", "dr-mali"]
    assert history[1]["reason"] == "The committee of 20 March"


async def test_time_alone_brings_a_proposal(house: House) -> None:
    await treated(house)
    await toxic(house, grade=3)
    await a_round(house)
    assert await kinds(house) == []
    house.wait(days=2)  # three days after the 15th began
    await a_round(house)
    proposed = (await house.store.read(DLT_STREAM))[0]
    assert proposed.basis.rules == ("organ-toxicity-grade-3-beyond-72-h",)


async def test_an_episode_is_watched_by_its_astct_grades(house: House) -> None:
    await treated(house)
    async with house.client(Role.INVESTIGATOR) as client:
        severe = {"hypotension": "multiple-vasopressors", "oxygen_device": "ventilation"}
        answer = await client.post("/v1/toxicity-episodes", json=opening(**crs("", **severe)))
        assert answer.status_code == 201, answer.text
    await a_round(house)
    first = (await standing(house))["toxicities"]
    by_kind = {each["source"]["kind"]: each["basis"]["rules"] for each in first}
    assert by_kind["crs"] == ["crs-grade-4"]
    async with house.client(Role.SAFETY_OFFICER) as client:
        other = {"source": {"kind": "icans", "id": str(EPISODE)}, "reason": "The committee counts it"}
        assert (await client.post(f"{PATH}/declare", json=other)).status_code == 422
        same = {**other, "source": {"kind": "crs", "id": str(EPISODE)}}
        assert (await client.post(f"{PATH}/declare", json=same)).status_code == 200
    assert (await standing(house))["status"] == "dlt"


async def test_who_withdrew_and_was_screened_again_has_not_left_early(any_house: House) -> None:
    left = {"participant_id": CHILD, "withdrawn_on": "2026-02-01", "disposition": "WITHDRAWAL BY PARENT/GUARDIAN"}
    again = {"participant_id": CHILD, "screening_number": "CU-001-S2", "screened_on": "2026-02-20"}
    await any_house.hears(
        ConsentWithdrawn.model_validate({**left, "status": "withdrawn"}),
        ParticipantRescreened.model_validate({**again, "status": "screening"}),
    )
    await treated(any_house)
    await a_round(any_house)
    assert (await standing(any_house))["status"] == "in-window"


async def test_the_window_ends_by_itself(house: House) -> None:
    await treated(house)
    house.now = INFUSED_AT + timedelta(days=28, minutes=30)
    await a_round(house)
    assert (await standing(house))["status"] == "in-window"
    house.wait(seconds=1)
    await a_round(house)
    assert (await standing(house))["status"] == "evaluable-without-dlt"


@pytest.mark.parametrize(
    ("dose_level", "died_on", "why"),
    [
        ("DL3", None, ["less-than-the-protocol's-part-of-the-planned-dose"]),
        (None, None, ["dose-level-unknown"]),
        ("DL2", "2026-03-20", ["left-before-the-end-of-the-window"]),
    ],
)
async def test_who_does_not_count_is_told_why(house: House, dose_level: str, died_on: str, why: list[str]) -> None:
    death = {"participant_id": CHILD, "died_on": died_on, "disposition": "DEATH", "status": "died"}
    await house.hears(enrolled(dose_level=dose_level), infused())
    if died_on:
        await house.hears(ParticipantDied.model_validate(death))
    await a_round(house)
    told = await standing(house)
    assert (told["status"], told["not_evaluable"]) == ("not-evaluable", why)


async def test_who_was_given_another_level_is_held_to_the_dose_of_that(house: House) -> None:
    lower = {"participant_id": CHILD, "from_level": "DL3", "dose_level": "DL2", "protocol": PROTOCOL.ref}
    await house.hears(enrolled(dose_level="DL3"), DoseLevelReassigned.model_validate(lower), infused())
    await a_round(house)
    assert (await standing(house))["not_evaluable"] == []


async def test_an_ending_taken_back_counts_no_longer(house: House) -> None:
    death = {"participant_id": CHILD, "died_on": "2026-03-15", "disposition": "DEATH", "status": "died"}
    back = {"participant_id": CHILD, "retracted": "died", "reason": "Another child's", "status": "infused"}
    await treated(house)
    await house.hears(ParticipantDied.model_validate(death), DiscontinuationRetracted.model_validate(back))
    assert (await standing(house))["status"] == "in-window"


async def test_a_correction_withdraws_a_proposal_and_changes_the_basis_of_a_decision(house: House) -> None:
    await treated(house)
    await toxic(house)
    await a_round(house)
    async with house.client(Role.INVESTIGATOR) as client:
        body: dict[str, Any] = {"grades": [{"grade": 2, "since": "2026-03-15"}], "reason": "Read off the wrong chart"}
        assert (await change(client, "correct", 1, **body)).status_code == 200
        await a_round(house)
        assert (await kinds(house))[1:] == ["DoseLimitingToxicityWithdrawn"]
        assert (await decide(house, "confirmed", 2)).status_code == 409
        body = {"grades": [{"grade": 4, "since": "2026-03-15"}], "reason": "The chart was the right one"}
        assert (await change(client, "correct", 2, **body)).status_code == 200
        await a_round(house)
        assert (await decide(house, "confirmed", 3)).status_code == 200
        assert (await change(client, "retract", 3, reason="Another child's")).status_code == 200
    await a_round(house)
    assert (await kinds(house))[2:] == [
        "DoseLimitingToxicityProposed",
        "DoseLimitingToxicityDecided",
        "DltBasisChanged",
    ]
    (known,) = (told := await standing(house))["toxicities"]
    assert (told["status"], known["decision"], known["wants_a_look"]) == ("dlt", "confirmed", True)


async def test_without_an_infusion_nothing_limits_the_dose(house: House) -> None:
    await treated(house)
    await toxic(house)
    await a_round(house)
    taken_back = {
        "participant_id": CHILD,
        "infusion_number": 1,
        "day_zero": None,
        "reason": "Another child's",
        "status": "enrolled",
        "protocol": PROTOCOL.ref,
    }
    await house.hears(InfusionRetracted.model_validate(taken_back))
    await a_round(house)
    assert (await standing(house))["status"] == "not-infused"
    assert (await kinds(house))[1:] == ["DoseLimitingToxicityWithdrawn"]


async def test_an_officer_declares_what_no_rule_found(house: House) -> None:
    await treated(house)
    await toxic(house, grade=2)
    body = {"source": {"kind": "adverse-event", "id": str(EVENT)}, "reason": "The committee counts it"}
    async with house.client(Role.SAFETY_OFFICER) as client:
        answer = await client.post(f"{PATH}/declare", json=body)
        assert answer.status_code == 200, answer.text
        unknown = {**body, "source": {"kind": "adverse-event", "id": str(uuid4())}}
        assert (await client.post(f"{PATH}/declare", json=unknown)).status_code == 422
    assert (await standing(house))["status"] == "dlt"


async def test_two_limited_of_three_halt_dosing_until_the_committee_has_reviewed(any_house: House) -> None:
    house = any_house
    children = [CHILD, uuid4(), uuid4()]
    for child in children:
        await treated(house, child)
    for child in children[:2]:
        event = EVENT if child == CHILD else uuid4()
        await toxic(house, adverse_event_id=str(event), participant_id=str(child))
        await a_round(house)
        path = f"/v1/participants/{child}/dose-limiting-toxicities"
        dlt_id = id_of(ToxicitySource(kind=ToxicityKind.ADVERSE_EVENT, id=event))
        assert (await decide(house, "confirmed", 1, dlt_id, path)).status_code == 200
    await a_round(house)
    assert await kinds(house, HALTS) == []  # the third is still in window: two evaluable say nothing
    house.now = INFUSED_AT + timedelta(days=29)
    await a_round(house)
    await a_round(house)
    (fired,) = await house.store.read(HALTS)
    assert isinstance(fired, StoppingRuleTriggered)
    assert (set(fired.participants), fired.evaluable) == (set(children[:2]), 3)
    rate, death = await standing(house, "/v1/stopping-rules")
    assert (rate["events"], rate["stops_from"], rate["halt"]["stops_dosing"]) == (2, 2, True)
    assert set(rate["participants"]) == {str(child) for child in children[:2]}
    assert (death["events"], death["evaluable"], death["posterior"], death["halt"]) == (0, 3, None, None)
    async with house.client(Role.INVESTIGATOR, site="SI") as elsewhere:
        told = (await elsewhere.get("/v1/stopping-rules")).json()
    assert (told[0]["events"], told[0]["participants"]) == (2, [])
    await _review_and_refute(house)


async def _review_and_refute(house: House) -> None:
    async with house.client(Role.SAFETY_OFFICER) as client:
        where = "/v1/stopping-rules/excessive-dose-limiting-toxicity"
        body = {"decision": "resume", "reason": "Dose level lowered"}
        seen = {"If-Match": '"1"'}
        assert (await client.get(where)).headers["ETag"] == seen["If-Match"]
        assert (await client.get(f"{where}s")).status_code == 404
        assert (await client.post(f"{where}s/review", json=body, headers=seen)).status_code == 404
        assert (await client.post(f"{where}/review", json=body, headers=seen)).status_code == 200
    assert (await standing(house, "/v1/stopping-rules"))[0]["halt"]["stops_dosing"] is False
    assert (await decide(house, "refuted", 3)).status_code == 200  # meanwhile it has lasted beyond 72 hours
    await a_round(house)
    (*_, changed) = await house.store.read(HALTS)
    assert isinstance(changed, StoppingBasisChanged)
    assert (len(changed.now), changed.holds) == (1, False)
    history = await standing(house, "/v1/stopping-rules/history", Role.SPONSOR)
    assert [entry["version"] for entry in history] == [1, 2, 3]


async def test_a_death_from_the_treatment_halts_dosing_at_once(house: House) -> None:
    await treated(house)
    await toxic(house, grade=5, seriousness=["results-in-death"], outcome="fatal", ended_on="2026-03-15")
    await a_round(house)
    (fired,) = await house.store.read(HALTS)
    assert (fired.rule, fired.participants, fired.posterior) == ("treatment-related-death", (CHILD,), None)


async def test_a_watch_that_dies_anywhere_says_everything_once(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is stopped at each of its steps in turn, and a new one goes on from what is on record."""
    await treated(house)
    await toxic(house, grade=5, seriousness=["results-in-death"], outcome="fatal", ended_on="2026-03-15")
    await house.hears_itself()
    whole = 0
    for dies_at in range(100):
        steps = _dying_at(monkeypatch, house, dies_at)
        watch = ToxicityWatch(house.db, house.store, house.clock, PROTOCOL)
        try:
            await watch.round(asyncio.Event())
        except _Killed:
            continue
        whole = steps()
        break
    assert whole > 3
    assert await kinds(house) == ["DoseLimitingToxicityProposed"]
    assert await kinds(house, HALTS) == ["StoppingRuleTriggered"]


class _Killed(BaseException):
    """Nothing catches it, as nothing catches kill -9."""


def _dying_at(monkeypatch: pytest.MonkeyPatch, house: House, step: int) -> Any:
    """Let every use of the database count, and the one of this number, once done, be the last."""
    taken = 0
    for owner, name in ((house.store, "execute"), (house.store, "load"), (ToxicityWatch, "_note")):
        original = getattr(type(house.store) if owner is house.store else owner, name)

        async def counted(self: Any, *arguments: Any, original: Any = original, **named: Any) -> Any:
            nonlocal taken
            answer = await original(self, *arguments, **named)
            taken += 1
            if taken == step:
                raise _Killed
            return answer

        monkeypatch.setattr(type(owner) if owner is house.store else owner, name, counted)
    return lambda: taken
