"""Two workers of one service: one works, the other takes over within ten seconds when the first dies or freezes."""

import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import httpx
import pytest

from deploy.native.stack import Process, Stack
from shared.kernel.actor import Role
from tests.faults.aftermath import OnPostgres, until_settled
from tests.faults.conftest import THOROUGH
from tests.flows import records
from tests.flows.endpoints import SCREENING_DATA
from tests.flows.trial import Trial
from tests.flows.waiting import until

TAKE_OVER_SECONDS = 10.0
SIGNALS = {"killed": signal.SIGKILL, "frozen": signal.SIGSTOP}


@pytest.fixture
def pair(whole: Stack, request: pytest.FixtureRequest) -> Iterator[tuple[Process, Process]]:
    """The stack's worker of a service, which works, and a second one, which waits."""
    name = f"{request.param}-worker"
    with ExitStack() as running:
        first, second = whole.processes[name], running.enter_context(whole.another(name))
        yield first, second
        if first.is_running:
            os.kill(first.pid, signal.SIGCONT)


def relay_is_active(worker: Process) -> bool:
    metrics = httpx.get(f"http://127.0.0.1:{worker.port}/metrics", timeout=5).text
    return re.search(r"trial_relay_active\{[^}]*\} 1\.0", metrics) is not None


def screen(trial: Trial, site: str) -> str:
    body = {"site_id": site, **SCREENING_DATA}
    answer = trial.command("/enrollment/v1/participants", body, role=Role.COORDINATOR, sites=(site,))
    return answer.headers["Trial-Position"]


def is_shown(trial: Trial, site: str, position: str) -> bool:
    path = f"/trial/v1/participants?wait_for={position}"
    return trial.get(path, role=Role.COORDINATOR, sites=(site,)).status_code == 200


@pytest.mark.parametrize("pair", ["enrollment"], indirect=True)
@pytest.mark.parametrize("how", SIGNALS if THOROUGH else ["frozen"])
def test_another_relay_takes_over(
    pair: tuple[Process, Process], trial: Trial, site: str, place: OnPostgres, how: str, say: Callable[[str], None]
) -> None:
    first, second = pair
    until("the first relay works", lambda: relay_is_active(first))
    assert not relay_is_active(second), "two relays work at once"
    position = until_taken_over(trial, site, first, how, say)
    assert relay_is_active(second)
    if how == "frozen":
        os.kill(first.pid, signal.SIGCONT)
        assert is_shown(trial, site, screen(trial, site))
        assert [relay_is_active(worker) for worker in pair] == [False, True], "the thawed relay works again"
    until_settled(place)
    records.assert_published(place.events(), place.messages())
    assert position


@pytest.mark.parametrize("pair", ["projector"], indirect=True)
@pytest.mark.parametrize("how", SIGNALS if THOROUGH else ["frozen"])
def test_another_projector_takes_over(
    pair: tuple[Process, Process], trial: Trial, site: str, place: OnPostgres, how: str, say: Callable[[str], None]
) -> None:
    first, _ = pair
    assert is_shown(trial, site, screen(trial, site))
    until_taken_over(trial, site, first, how, say)
    if how == "frozen":
        os.kill(first.pid, signal.SIGCONT)
        assert is_shown(trial, site, screen(trial, site))
    until_settled(place)
    expected = place.folded(place.messages())
    until("read models show every event once", lambda: place.rows() == expected)


def until_taken_over(trial: Trial, site: str, first: Process, how: str, say: Callable[[str], None]) -> str:
    """Kill or freeze the first, write, and see the write shown in time."""
    started = time.monotonic()
    if how == "killed":
        first.kill()
    else:
        os.kill(first.pid, SIGNALS[how])
    position = screen(trial, site)
    until("the other has taken over", lambda: is_shown(trial, site, position), seconds=30)
    took = time.monotonic() - started
    say(f"  {first.name} {how}: a write was shown after {took:.1f} s")
    assert took < TAKE_OVER_SECONDS
    return position
