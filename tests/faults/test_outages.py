"""The broker or the database is away for a while, under load: what goes on, what is answered, how it recovers."""

import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from deploy.native.stack import SERVICES, Stack
from shared.kernel.actor import Role
from tests.faults.aftermath import OnPostgres, assert_nothing_is_lost_or_half_there
from tests.faults.conftest import THOROUGH
from tests.faults.load import Outcome, answered, under_load
from tests.flows import records
from tests.flows.endpoints import SCREENING_DATA
from tests.flows.trial import Trial
from tests.flows.waiting import until

PAUSE_SECONDS = 0.05 if THOROUGH else 0.4  # of each client between one thing and the next, while servers start again
ANSWER_SECONDS = 8.0  # a caller is told that the database is away well within its own patience


def health(stack: Stack, process: str, path: str = "ready") -> httpx.Response:
    return httpx.get(f"http://127.0.0.1:{stack.processes[process].port}/health/{path}", timeout=10)


def pids(stack: Stack) -> dict[str, int]:
    return {name: process.pid for name, process in stack.processes.items() if name.endswith(("-api", "-worker"))}


@pytest.mark.parametrize("how", ["stop", "kill"] if THOROUGH else ["kill"])
def test_without_the_broker_writes_go_on_and_the_backlog_drains_in_order(
    whole: Stack, trial: Trial, site: str, place: OnPostgres, seed: str, say: Callable[[str], None], how: str
) -> None:
    with under_load(trial, site, seed, clients=4, pause=PAUSE_SECONDS) as books:
        until("there is load", answered(books, 60))
        getattr(whole.kafka, how)()
        before = sum(place.waiting().values())
        until("writes go on without the broker", answered(books, 40))
        processes = pids(whole)
        ready = {name: health(whole, name).status_code for name in processes}
        assert set(ready.values()) == {200}, f"{how}: {ready}"
        backlog = sum(place.waiting().values())
        assert backlog > before
        kill_and_start_again(whole, "safety-worker", "enrollment-worker")
        processes = pids(whole)
        whole.kafka.start()
        until("the load goes on", answered(books, 10))
    say(f"  without the broker ({how}): {backlog} events waited, two relays were killed meanwhile")
    assert not books.by(Outcome.UNKNOWN), "the broker is no part of a command"
    assert_nothing_is_lost_or_half_there(books, place, say)
    assert pids(whole) == processes, "somebody had to start again"


def kill_and_start_again(stack: Stack, *names: str) -> None:
    """What a relay had begun to publish dies with it; that it may start again, the broker need not be there."""
    for name in names:
        stack.processes[name].kill()
        stack.processes[name].start()


@pytest.mark.parametrize("how", ["stop", "kill"] if THOROUGH else ["kill"])
def test_without_the_database_callers_are_told_so_and_all_recover_by_themselves(
    whole: Stack, trial: Trial, site: str, place: OnPostgres, seed: str, say: Callable[[str], None], how: str
) -> None:
    processes = pids(whole)
    with under_load(trial, site, seed, clients=4, pause=PAUSE_SECONDS) as books:
        until("there is load", answered(books, 60))
        getattr(whole.postgres, how)()
        for path, body in writes(site).items():
            assert_told_that_it_is_away(trial, site, "POST", path, body)
        for path in reads():
            assert_told_that_it_is_away(trial, site, "GET", path, None)
        for service in SERVICES:
            assert health(whole, f"{service}-api").status_code == 503
            assert health(whole, f"{service}-api", "live").status_code == 200
        whole.postgres.start()
        until("the trial writes again", answered(books, 20))
    until("every process is ready again", lambda: all(health(whole, name).status_code == 200 for name in processes))
    assert pids(whole) == processes, "somebody had to start again"
    say(f"  the database was away ({how})")
    assert_nothing_is_lost_or_half_there(books, place, say)


def writes(site: str) -> dict[str, Any]:
    nobody = "00000000-0000-4000-8000-000000000000"
    return {
        "/enrollment/v1/participants": {"site_id": site, **SCREENING_DATA},
        "/safety/v1/adverse-events": {
            "participant_id": nobody,
            "term": "Fever",
            "grade": 1,
            "onset": "2025-09-16",
            "became_aware_at": "2025-09-16T20:00:00+07:00",
        },
        f"/efficacy/v1/participants/{nobody}/lesions": {"label": "T01", "role": "target", "organ": "liver"},
    }


def reads() -> list[str]:
    nobody = "00000000-0000-4000-8000-000000000000"
    return [
        f"/enrollment/v1/participants/{nobody}",
        f"/safety/v1/adverse-events/{nobody}",
        f"/efficacy/v1/participants/{nobody}/tumour-burden",
        f"/biomarkers/v1/flow-results/{nobody}",
        "/trial/v1/outcomes/response-rate",
        "/trial/v1/participants?wait_for=participant:1@1",
    ]


def assert_told_that_it_is_away(trial: Trial, site: str, method: str, path: str, body: Any) -> None:
    started = time.monotonic()
    answer = trial.call(method, path, body, role=Role.INVESTIGATOR, sites=(site,))
    assert answer.status_code == 503, f"{method} {path}: {answer.status_code} {answer.text}"
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["type"] == "database-away", answer.text
    assert int(answer.headers["Retry-After"]) > 0
    assert time.monotonic() - started < ANSWER_SECONDS


def test_a_store_that_is_read_only_accepts_nothing_and_recovers(whole: Stack, trial: Trial, site: str) -> None:
    """As PostgreSQL is while it fails over, or where an operator saved it from a full disk."""
    body = {"site_id": site, "participant_id": "00000000-0000-4000-8000-00000000000f", **SCREENING_DATA}
    before = len(records.events_in_postgres(whole.postgres.dsn("trial")))
    whole.postgres.execute("alter role enrollment set default_transaction_read_only = on")
    try:
        terminate_backends(whole, "enrollment")
        assert_told_that_it_is_away(trial, site, "POST", "/enrollment/v1/participants", body)
    finally:
        whole.postgres.execute("alter role enrollment reset default_transaction_read_only")
        terminate_backends(whole, "enrollment")
    assert len(records.events_in_postgres(whole.postgres.dsn("trial"))) == before

    def screened() -> bool:
        answer = trial.call("POST", "/enrollment/v1/participants", body, role=Role.INVESTIGATOR, sites=(site,))
        return answer.status_code == 201

    until("enrollment writes again", screened)


def terminate_backends(stack: Stack, role: str) -> None:
    stack.postgres.execute(f"select count(pg_terminate_backend(pid)) from pg_stat_activity where usename = '{role}'")
