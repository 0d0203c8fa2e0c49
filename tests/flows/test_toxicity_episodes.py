"""Episodes and the log of adverse events, through the real process, killed with -9 while it writes both."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from services.safety.domain.episodes.log import adverse_event_of
from shared.kernel.actor import Role
from tests.flows.course import an_id
from tests.flows.endpoints import FEVERISH, HYPOTENSIVE, SCREENING_DATA
from tests.flows.served import Served
from tests.flows.trial import Trial
from tests.flows.waiting import until

SITE = "CU"
CHILD = an_id(SITE, "feverish")
KILLS = 3
SAFETY = "/safety/v1"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with Served(tmp_path) as running:
        with running.trial() as trial:
            site = {"site_id": SITE, "name": "A hospital", "country": "TH", "time_zone": "Asia/Bangkok"}
            trial.command("/enrollment/v1/sites", site, role=Role.SPONSOR)
            child = {"participant_id": CHILD, "site_id": SITE, **SCREENING_DATA}
            trial.command("/enrollment/v1/participants", child, role=Role.COORDINATOR)
        yield running


def opening(number: int) -> dict[str, Any]:
    at = "2025-09-16T18:00:00+07:00"
    return {
        "episode_id": an_id(SITE, "feverish", f"episode {number}"),
        "participant_id": CHILD,
        "kind": "crs",
        "onset": at,
        "became_aware_at": at,
        "observed_at": at,
        "observation": FEVERISH,
    }


def persistently(trial: Trial, path: str, body: Any, **headers: str) -> None:
    """The same request again and again until it is answered: whoever saw no answer may send it again."""

    def send() -> bool:
        try:
            answer = trial.call("POST", path, body, role=Role.INVESTIGATOR, **headers)
        except httpx.TransportError:
            return False
        assert answer.status_code in {200, 201, 404, 503}, answer.text
        return answer.is_success

    until(f"POST {path} is answered", send)


def a_course(trial: Trial, number: int) -> None:
    persistently(trial, f"{SAFETY}/toxicity-episodes", opening(number))
    path = f"{SAFETY}/toxicity-episodes/{opening(number)['episode_id']}"
    seen = {"observed_at": "2025-09-16T22:00:00+07:00", "observation": HYPOTENSIVE}
    persistently(trial, f"{path}/record-observation", seen, if_match='"2"')
    persistently(
        trial, f"{path}/end", {"ended_at": "2025-09-18T08:00:00+07:00", "outcome": "recovered"}, if_match='"3"'
    )


def test_killed_at_any_moment_an_episode_and_its_adverse_event_say_the_same(served: Served) -> None:
    done: list[int] = []
    over = threading.Event()

    def work() -> None:
        with served.trial() as mine:
            while not over.is_set():
                a_course(mine, len(done))
                done.append(len(done))

    worker = threading.Thread(target=work, name="episodes")
    worker.start()
    try:
        for _ in range(KILLS):
            before = len(done)
            until("courses are recorded", lambda before=before: len(done) > before + 2)  # type: ignore[misc]
            served.kill()
            served.start()
    finally:
        over.set()
        worker.join(60)
    with served.trial() as trial:
        episodes = {opening(number)["episode_id"] for number in done}
        for episode_id in episodes:
            episode = trial.read(f"{SAFETY}/toxicity-episodes/{episode_id}")
            assert (len(episode["series"]), episode["adverse_event"]["state"]) == (2, "follows")
        listed = until("the log shows every one", lambda: the_log(trial, len(episodes)))
        assert {event["adverse_event_id"] for event in listed} >= {
            str(adverse_event_of(UUID(each))) for each in episodes
        }
        for event in listed:
            assert [each["grade"] for each in event["grades"]] == [1, 2]
            assert event["outcome"] == "recovered"
        course = trial.read(f"/trial/v1/participants/{CHILD}/crs-icans-course")["result"]
        assert {episode["worst_ctcae_grade"] for episode in course} == {2}


def the_log(trial: Trial, at_least: int) -> list[Any] | None:
    """Adverse events as the read model has them, once all have come to their end."""
    found: list[Any] = trial.read("/trial/v1/adverse-events?limit=200")["items"]
    return found if len(found) >= at_least and all(event["ended_on"] for event in found) else None
