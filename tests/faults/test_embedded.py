"""The whole trial in one process on SQLite: killed, and out of room on its disk, under load. The same guarantees."""

import random
import resource
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shared.kernel.actor import Role
from tests.faults.aftermath import OnSqlite, assert_nothing_is_lost_or_half_there
from tests.faults.load import Outcome, answered, under_load
from tests.flows.endpoints import SCREENING_DATA
from tests.flows.served import Served
from tests.flows.waiting import until

SITE = "CU"
LONGEST_LIFE_SECONDS = 1.5


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with Served(tmp_path) as running:
        with running.trial() as trial:
            body = {"site_id": SITE, "name": "A hospital", "country": "TH", "time_zone": "Asia/Bangkok"}
            trial.command("/enrollment/v1/sites", body, role=Role.SPONSOR)
        yield running


@pytest.fixture
def place(served: Served, tmp_path: Path) -> OnSqlite:
    return OnSqlite(served.data, tmp_path / "fresh")


@pytest.mark.timeout(900)
def test_nothing_is_lost_or_half_there_when_the_one_process_is_killed(
    served: Served, place: OnSqlite, kills: int, seed: str, say: Callable[[str], None]
) -> None:
    times, chance = max(3, kills // 4), random.Random(seed)  # noqa: S311 - to be repeated, not to be secret
    say(f"  {times} kills of the embedded trial under load")
    with served.trial() as trial, under_load(trial, SITE, seed) as books:
        until("there is load", answered(books, 40))
        for _ in range(times):
            threading.Event().wait(chance.uniform(0, LONGEST_LIFE_SECONDS))
            served.kill()
            served.start()
        until("the load goes on", answered(books, 20))
    assert_nothing_is_lost_or_half_there(books, place, say)
    assert served.stop() == 0


def test_on_a_full_disk_callers_are_told_so_and_nothing_is_half_there(
    served: Served, place: OnSqlite, seed: str, say: Callable[[str], None]
) -> None:
    """The process may write no file beyond its present size: as SQLite meets it, the disk is full."""
    unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    with served.trial() as trial, under_load(trial, SITE, seed, clients=3) as books:
        until("there is load", answered(books, 20))
        resource.prlimit(served.pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
        body = {"site_id": SITE, **SCREENING_DATA}
        answer = trial.call("POST", "/enrollment/v1/participants", body, role=Role.COORDINATOR, sites=(SITE,))
        assert (answer.status_code, answer.json()["type"]) == (503, "database-away"), answer.text
        assert int(answer.headers["Retry-After"]) > 0
        until("others are told so too", lambda: books.statuses["503"] >= 10)
        assert trial.http.get("/health/live").status_code == 200
        resource.prlimit(served.pid, resource.RLIMIT_FSIZE, unlimited)
        until("the trial writes again", answered(books, 20))
    assert len(books.by(Outcome.ACCEPTED)) > 40
    assert_nothing_is_lost_or_half_there(books, place, say)
