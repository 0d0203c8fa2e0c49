"""Episodes over HTTP, and the adverse event that follows each without being entered."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from services.safety.domain.episodes.log import adverse_event_of
from shared.kernel.actor import Role
from tests.services.safety.api.test_adverse_events import problem
from tests.services.safety.builders import CHILD
from tests.services.safety.house import House, infused, screened
from tests.services.safety.toxicity.episodes import EPISODE, EVENT, crs, icans, opening

PATH = f"/v1/toxicity-episodes/{EPISODE}"
LOG = f"/v1/adverse-events/{EVENT}"


@pytest.fixture
async def investigator(any_house: House) -> AsyncIterator[httpx.AsyncClient]:
    async with any_house.client(Role.INVESTIGATOR) as client:
        yield client


async def opened(client: httpx.AsyncClient, **changed: Any) -> None:
    answer = await client.post("/v1/toxicity-episodes", json=opening(**changed))
    assert answer.status_code == 201, answer.text


async def change(client: httpx.AsyncClient, verb: str, **body: Any) -> httpx.Response:
    version = (await client.get(PATH)).headers["ETag"]
    return await client.post(f"{PATH}/{verb}", json=body, headers={"If-Match": version})


async def changed(client: httpx.AsyncClient, verb: str, **body: Any) -> None:
    answer = await change(client, verb, **body)
    assert answer.status_code == 200, answer.text


async def read(client: httpx.AsyncClient, path: str) -> Any:
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_an_episode_is_in_the_log_in_the_same_instant(investigator: httpx.AsyncClient) -> None:
    await opened(investigator, seriousness=["hospitalisation"])
    episode, event = await read(investigator, PATH), await read(investigator, LOG)
    assert (event["term"]["meddra_code"], event["term"]["name"]) == ("10052015", "Cytokine release syndrome")
    assert (event["grade"], event["onset"], event["seriousness"]) == (1, "2026-03-15", ["hospitalisation"])
    assert [alert["because"] for alert in event["alerts"]] == ["reported-serious"]
    assert episode["adverse_event"] == {
        "adverse_event_id": str(EVENT),
        "state": "follows",
        "worst_grade": 1,
        "seriousness": ["hospitalisation"],
        "confirm_seriousness": False,
        "problem": None,
    }
    assert (episode["worst_astct_grade"], episode["worst_ctcae_grade"], episode["ungraded"]) == (1, 1, 0)


async def test_the_log_follows_a_course_to_its_end(investigator: httpx.AsyncClient) -> None:
    await opened(investigator)
    await changed(
        investigator, "record-observation", **crs("16T06:00", oxygen_device="high-flow-cannula", fio2_percent="35")
    )
    await changed(
        investigator,
        "record-treatment",
        treatment="tocilizumab",
        given_at="2026-03-16T06:30:00+07:00",
        dose="8",
        unit="mg/kg",
    )
    await changed(
        investigator, "record-observation", **crs("16T07:00", temperature_c="36.8", hypotension="one-vasopressor")
    )
    await changed(investigator, "record-observation", **crs("16T08:00", temperature_c="36.6"))
    await changed(investigator, "end", ended_at="2026-03-16T09:00:00+07:00", outcome="recovered")
    episode, event = await read(investigator, PATH), await read(investigator, LOG)
    assert [(each["grades"]["astct"], each["grades"]["ctcae"]) for each in episode["series"]] == [
        (1, 1),
        (3, 2),  # two scales, side by side
        (3, 3),  # no fever any more: masked by tocilizumab
        (1, 1),
    ]
    assert (episode["worst_astct_grade"], episode["worst_ctcae_grade"], episode["outcome"]) == (3, 3, "recovered")
    assert [(each["grade"], each["since"]) for each in event["grades"]] == [
        (1, "2026-03-15"),
        (2, "2026-03-16"),
        (3, "2026-03-16"),
    ]
    assert (event["ended_on"], event["outcome"]) == ("2026-03-16", "recovered")
    assert episode["adverse_event"]["state"] == "follows"
    history = await read(investigator, f"{LOG}/history")
    assert {entry["actor"] for entry in history} == {"dr-mali"}


async def test_an_icans_is_logged_as_other_specify_with_its_grade_mapped(investigator: httpx.AsyncClient) -> None:
    await opened(investigator, kind="icans", observation=icans(capd=10))
    event = await read(investigator, LOG)
    assert event["term"]["meddra_code"] == "10029205"
    assert event["term"]["specification"].endswith("(ICANS)")
    assert (event["grade"], event["grades"][0]["basis"]["how"]) == (3, "mapped")


async def test_its_adverse_event_is_one_of_special_interest(any_house: House, investigator: httpx.AsyncClient) -> None:
    await opened(investigator)
    assert (await read(investigator, LOG))["special_interest"] == []  # no infusion: no time since it
    await any_house.hears(infused())
    assert (await read(investigator, LOG))["special_interest"] == ["crs"]
    other = {"kind": "icans", "episode_id": str(uuid4()), "observation": icans(capd=10)}
    answer = await investigator.post("/v1/toxicity-episodes", json=opening(**other))
    path = f"/v1/adverse-events/{adverse_event_of(UUID(answer.json()['id']))}"
    assert (await read(investigator, path))["special_interest"] == ["icans"]
    version = (await investigator.get(path)).headers["ETag"]
    await investigator.post(f"{path}/retract", json={"reason": "Entered twice"}, headers={"If-Match": version})
    assert (await read(investigator, path))["special_interest"] == []


async def test_a_correction_puts_the_log_right(investigator: httpx.AsyncClient) -> None:
    await opened(investigator)
    await changed(investigator, "record-observation", **crs("16T06:00", hypotension="multiple-vasopressors"))
    assert (await read(investigator, PATH))["adverse_event"]["confirm_seriousness"] is True
    right = crs("16T06:00", hypotension="fluids")
    await changed(investigator, "correct-observation", number=2, reason="The pump was another child's", **right)
    event = await read(investigator, LOG)
    assert [each["grade"] for each in event["grades"]] == [1, 2]
    last = (await read(investigator, f"{LOG}/history"))[-1]
    assert (last["type"], last["reason"]) == ("safety.adverse-event-corrected", "The pump was another child's")


async def test_a_retracted_episode_takes_its_adverse_event_with_it(investigator: httpx.AsyncClient) -> None:
    await opened(investigator)
    await changed(investigator, "retract", reason="Entered for another participant")
    assert (await read(investigator, LOG))["retracted"] is True
    episode = await read(investigator, PATH)
    assert (episode["retracted"], episode["adverse_event"]["state"]) == (True, "retracted")
    assert problem(await change(investigator, "end", ended_at="2026-03-16T09:00:00+07:00", outcome="recovered")) == (
        409,
        "episode-already-retracted",
    )


async def test_an_adverse_event_that_cannot_follow_hides_no_observation(investigator: httpx.AsyncClient) -> None:
    await opened(investigator)
    version = (await investigator.get(LOG)).headers["ETag"]
    answer = await investigator.post(
        f"{LOG}/retract", json={"reason": "Retracted by hand"}, headers={"If-Match": version}
    )
    assert answer.status_code == 200
    await changed(investigator, "record-observation", **crs("16T06:00", hypotension="one-vasopressor"))
    episode = await read(investigator, PATH)
    assert episode["worst_ctcae_grade"] == 3
    assert episode["adverse_event"]["state"] == "retracted"
    last = (await read(investigator, f"{PATH}/history"))[-1]
    assert last["data"]["problem"] == "adverse-event-already-retracted"


async def test_an_ungraded_opening_waits_for_a_grade(investigator: httpx.AsyncClient) -> None:
    await opened(investigator, observation=crs("", temperature_c=None)["observation"])
    episode = await read(investigator, PATH)
    assert (episode["adverse_event"]["state"], episode["ungraded"]) == ("waiting", 1)
    assert "missing fever" in episode["series"][0]["grades"]["explanation"]
    assert problem(await investigator.get(LOG)) == (404, "no-such-adverse-event")
    await changed(investigator, "record-observation", **crs("16T06:00", hypotension="fluids"))
    assert (await read(investigator, LOG))["grades"][0] == {
        "grade": 2,
        "since": "2026-03-15",
        "basis": {"how": "ctcae", "mapping": None},
    }


async def test_the_same_request_twice_is_one_opening(investigator: httpx.AsyncClient) -> None:
    first = await investigator.post("/v1/toxicity-episodes", json=opening())
    again = await investigator.post("/v1/toxicity-episodes", json=opening())
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["Idempotent-Replayed"] == "true"
    other = await investigator.post("/v1/toxicity-episodes", json=opening(seriousness=["hospitalisation"]))
    assert problem(other) == (409, "other-content-on-record")


async def test_a_repeated_change_answers_as_the_first_time(investigator: httpx.AsyncClient) -> None:
    await opened(investigator)
    version = (await investigator.get(PATH)).headers["ETag"]
    body = crs("16T06:00", hypotension="fluids")
    answers = [
        await investigator.post(f"{PATH}/record-observation", json=body, headers={"If-Match": version})
        for _ in range(2)
    ]
    assert answers[0].json() == answers[1].json()
    assert answers[1].headers["Idempotent-Replayed"] == "true"
    assert len((await read(investigator, PATH))["series"]) == 2
    other = await investigator.post(f"{PATH}/record-observation", json=crs("16T07:00"), headers={"If-Match": version})
    assert problem(other) == (412, "stale-version")
    assert problem(await investigator.post(f"{PATH}/record-observation", json=body)) == (428, "missing-if-match")


async def test_somebody_else_editing_the_log_meanwhile_is_decided_anew(any_house: House) -> None:
    async with any_house.client(Role.INVESTIGATOR) as client:
        await opened(client)
        load = any_house.store.load
        edits = [f"{LOG}/assess-causality"]

        async def edited_after_loading(decider: Any, id: Any) -> Any:  # noqa: A002 - as in the store
            found = await load(decider, id)
            if decider.category == "adverse-event" and edits:
                body = {"causality": [{"agent": "car-t-product", "attribution": "probable"}]}
                await client.post(edits.pop(), json=body, headers={"If-Match": f'"{found[1]}"'})
            return found

        any_house.store.load = edited_after_loading  # type: ignore[method-assign]
        await changed(client, "record-observation", **crs("16T06:00", hypotension="fluids"))
        event = await read(client, LOG)
        assert (event["grade"], event["causality"][0]["agent"]) == (2, "car-t-product")


@pytest.mark.parametrize(
    ("changed_to", "answer"),
    [
        ({"observation": crs("", temperature_c="37.0", fever_earlier=False)["observation"]}, "nothing-to-open"),
        ({"observation": icans(capd=3)}, "invalid-request"),
        ({"developmental_delay": True}, "invalid-request"),
        ({"became_aware_at": "2026-03-15T20:00:00+07:00"}, "times-contradict"),
        ({"observed_at": "2026-03-15T20:00:00+07:00"}, "times-contradict"),
        ({"observed_at": "2027-03-15T20:00:00+07:00"}, "times-contradict"),
        ({"causality": [{"agent": "moonlight", "attribution": "probable"}]}, "unknown-agent"),
    ],
)
async def test_what_cannot_be_opened(investigator: httpx.AsyncClient, changed_to: dict[str, Any], answer: str) -> None:
    assert problem(await investigator.post("/v1/toxicity-episodes", json=opening(**changed_to))) == (422, answer)


async def test_another_sites_episode_does_not_exist(any_house: House, investigator: httpx.AsyncClient) -> None:
    await any_house.hears(screened(uuid4(), "KKU"))
    await opened(investigator)
    async with any_house.client(Role.INVESTIGATOR, site="KKU") as elsewhere:
        assert problem(await elsewhere.get(PATH)) == (404, "no-such-episode")
        assert problem(await elsewhere.get(f"{PATH}/history")) == (404, "no-such-episode")
        unseen = await elsewhere.post("/v1/toxicity-episodes", json=opening(episode_id=str(uuid4())))
        assert problem(unseen) == (404, "no-such-participant")


def test_the_adverse_event_of_an_episode_is_always_the_same() -> None:
    assert adverse_event_of(EPISODE) == EVENT != CHILD
