"""The independent review over HTTP: two readers apart, an adjudicator between them, and nobody who sees too much."""

import asyncio
from typing import Any

import httpx
import pytest

from services.efficacy.domain.lesions import IdentifyLesion
from shared.kernel.actor import Role
from shared.kernel.decider import Command
from tests.services.efficacy.api.trial import BURDEN, Trial
from tests.services.efficacy.domain.builders import (
    PARTICIPANT,
    a_baseline,
    a_correction,
    a_lesion,
    an_assessment,
    an_id,
)

READS = f"/v1/independent-reads/{PARTICIPANT}"
ONE, TWO, BETWEEN = Role.INDEPENDENT_READER_1, Role.INDEPENDENT_READER_2, Role.ADJUDICATOR
BLINDED = (ONE, TWO, BETWEEN)
STABLE, GROWN = {"targets": "T01=60x40"}, {"targets": "T01=76x50"}


async def post(trial: Trial, path: str, body: Command | dict[str, Any], role: Role, **more: str) -> httpx.Response:
    sent = body.model_dump(mode="json") if isinstance(body, Command) else body
    return await trial.client.post(f"{READS}{path}", json=sent, headers=trial.headers(role, **more))


async def get(trial: Trial, path: str, role: Role) -> httpx.Response:
    return await trial.client.get(f"{READS}{path}", headers=trial.headers(role))


async def read_as(trial: Trial, role: Role, *commands: Command) -> None:
    for command in commands:
        path = "/lesions" if isinstance(command, IdentifyLesion) else "/assessments"
        answer = await post(trial, path, command, role)
        assert answer.status_code == 201, answer.text


async def differing(trial: Trial) -> None:
    """The investigator calls a response, the first reader stable disease, the second progression."""
    await trial.record(a_lesion(), a_baseline(), an_assessment(targets="T01=20x20", visit="D30"))
    await read_as(trial, ONE, a_lesion(), a_baseline(), an_assessment(visit="D30", **STABLE))
    await read_as(trial, TWO, a_lesion(), a_baseline(), an_assessment(visit="D30", **GROWN))


async def review(trial: Trial) -> tuple[dict[str, Any], str]:
    answer = await get(trial, "/review", BETWEEN)
    (point,) = answer.json()["time_points"]
    return point, answer.headers["ETag"]


async def test_a_difference_is_found_explained_adjudicated_and_stays_visible(trial_on_both: Trial) -> None:
    trial = trial_on_both
    await differing(trial)
    point, etag = await review(trial)
    assert (point["time_point"], point["open"], point["response"]) == ("D30", True, None)
    assert (point["reader_1"]["response"], point["reader_2"]["response"]) == ("SD", "PD")
    assert point["differences"] == ["at-a-limit"]

    body = {"time_point": "D30", "sides_with": "independent-reader-2", "reason": "The second plane shows it"}
    done = await post(trial, "/adjudicate", body, BETWEEN, If_Match=etag)
    assert done.status_code == 200, done.text
    again = await post(trial, "/adjudicate", body, BETWEEN, If_Match=etag)
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (200, "true")
    point, _ = await review(trial)
    assert (point["open"], point["response"], point["by"]) == (False, "PD", "adjudication")
    assert (point["adjudicated"]["sides_with"], point["reader_1"]["response"]) == ("independent-reader-2", "SD")


async def test_a_corrected_reading_that_agrees_needs_no_adjudicator(trial: Trial) -> None:
    await differing(trial)
    etag = (await get(trial, "", TWO)).headers["ETag"]
    correction = a_correction(visit="D30", **STABLE)
    answer = await post(trial, f"/assessments/{an_id('month 1')}/correct", correction, TWO, If_Match=etag)
    assert answer.status_code == 200, answer.text
    point, _ = await review(trial)
    assert (point["open"], point["response"], point["by"]) == (False, "SD", "agreement")
    etag = (await get(trial, "", ONE)).headers["ETag"]
    gone = {"reason": "Another child's images"}
    assert (await post(trial, f"/assessments/{an_id('month 1')}/retract", gone, ONE, If_Match=etag)).status_code == 200
    point, _ = await review(trial)
    assert (point["reader_1"], point["response"]) == (None, None)


async def test_of_two_readers_at_once_neither_is_missed(trial_on_both: Trial) -> None:
    trial = trial_on_both
    for role in (ONE, TWO):
        await read_as(trial, role, a_lesion(), a_baseline())
    sizes = ((ONE, STABLE), (TWO, GROWN))
    visits = [f"D{day}" for day in range(4)]
    commands = [
        (role, an_assessment(visit, assessed_on=f"2026-02-{number + 1:02}", visit=visit, **size))
        for number, visit in enumerate(visits)
        for role, size in sizes
    ]
    found = await asyncio.gather(*(post(trial, "/assessments", command, role) for role, command in commands))
    assert {answer.status_code for answer in found} == {201}
    points = (await get(trial, "/review", BETWEEN)).json()["time_points"]
    assert [point["time_point"] for point in points if point["open"]] == visits


async def test_a_reader_sees_their_own_reading_and_nothing_else(trial: Trial) -> None:
    await differing(trial)
    own = await get(trial, "", ONE)
    assert [each["targets"][0]["longest_mm"] for each in own.json()["assessments"]] == ["60", "60"]
    assert "76" not in own.text  # the other reader's
    assert '"20"' not in own.text  # the investigator's
    history = (await get(trial, "/history", ONE)).json()
    assert {entry["actor"] for entry in history} == {"a independent-reader-1"}
    nobody = await get(trial, "/history", TWO)
    assert {entry["actor"] for entry in nobody.json()} == {"a independent-reader-2"}


async def test_readers_may_name_their_lesions_and_assessments_alike(trial: Trial) -> None:
    """Both name them after the images, and so may the investigator: an id that is taken would tell of the other."""
    await differing(trial)
    assert (await get(trial, "", ONE)).headers["ETag"] == (await get(trial, "", TWO)).headers["ETag"]


@pytest.mark.parametrize("role", BLINDED)
@pytest.mark.parametrize("path", ["/tumour-burden", "/tumour-burden/history", f"/lesions/{an_id('T01')}"])
async def test_the_investigators_reading_is_shut_to_the_blinded(trial: Trial, role: Role, path: str) -> None:
    await differing(trial)
    answer = await trial.client.get(f"{BURDEN}{path}", headers=trial.headers(role))
    assert (answer.status_code, answer.json()["type"]) == (403, "forbidden")


@pytest.mark.parametrize("role", [ONE, TWO])
async def test_no_reader_sees_the_review(trial: Trial, role: Role) -> None:
    await differing(trial)
    assert (await get(trial, "/review", role)).status_code == 403
    body = {"time_point": "D30", "response": "PD", "reason": "Mine"}
    assert (await post(trial, "/adjudicate", body, role, If_Match='"1"')).status_code == 403


@pytest.mark.parametrize("beside", [TWO, Role.INVESTIGATOR, Role.MONITOR])
async def test_a_reader_who_holds_another_role_too_is_refused(trial: Trial, beside: Role) -> None:
    token = trial.issuer.token(subject="both", roles=[ONE, beside], sites=["CU"])
    answer = await trial.client.get(READS, headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.json()["type"]) == (403, "forbidden")
    assert "no other role" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("body", "status", "problem"),
    [
        ({"time_point": "D60", "response": "PD"}, 404, "nothing-to-adjudicate"),
        ({"time_point": "D30"}, 422, "invalid-request"),
        ({"time_point": "D30", "response": "PD", "sides_with": "independent-reader-1"}, 422, "invalid-request"),
        ({"time_point": "D30", "sides_with": "investigator"}, 422, "invalid-request"),
    ],
)
async def test_a_decision_that_cannot_be_taken_is_refused(
    trial: Trial, body: dict[str, str], status: int, problem: str
) -> None:
    await differing(trial)
    _, etag = await review(trial)
    answer = await post(trial, "/adjudicate", body | {"reason": "Seen again"}, BETWEEN, If_Match=etag)
    assert (answer.status_code, answer.json()["type"]) == (status, problem)


async def test_what_a_reader_does_not_have_is_not_found(trial: Trial) -> None:
    await trial.record(a_lesion())  # the investigator has it
    gone = {"reason": "A vessel"}
    answer = await post(trial, f"/lesions/{an_id('T01')}/retract", gone, ONE, If_Match='"1"')
    assert (answer.status_code, answer.json()["type"]) == (404, "no-such-lesion")
    stale = a_lesion().model_dump(mode="json") | {"reason": "The other side"}
    await read_as(trial, ONE, a_lesion())
    answer = await post(trial, f"/lesions/{an_id('T01')}/correct", stale, ONE, If_Match='"7"')
    assert (answer.status_code, answer.json()["type"]) == (412, "stale-version")
    assert (await post(trial, "/lesions", a_lesion(), ONE)).headers["Idempotent-Replayed"] == "true"
