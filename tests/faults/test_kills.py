"""kill -9 of APIs, relays and projectors at random moments under load: nothing accepted is lost or half there."""

import random
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from deploy.native.stack import Stack
from tests.faults.aftermath import OnPostgres, assert_nothing_is_lost_or_half_there
from tests.faults.load import answered, under_load
from tests.flows.trial import Trial
from tests.flows.waiting import until

VICTIMS = {
    "api": ("enrollment-api", "safety-api", "efficacy-api"),
    "relay": ("enrollment-worker", "safety-worker", "efficacy-worker"),
    "projector": ("projector-worker",),
}
LONGEST_LIFE_SECONDS = 1.5


class Killer:
    """Kills one of its victims after the other, each at a random moment, and starts it again."""

    def __init__(self, stack: Stack, victims: tuple[str, ...], seed: str, killed: Counter[str]) -> None:
        self._stack, self._victims, self._killed = stack, victims, killed
        self._random = random.Random(seed)  # noqa: S311 - to be repeated, not to be secret

    def kill(self, times: int) -> None:
        for _ in range(times):
            threading.Event().wait(self._random.uniform(0, LONGEST_LIFE_SECONDS))
            name = self._random.choice(self._victims)
            process = self._stack.processes[name]
            process.kill()
            self._killed[name] += 1
            process.start()


def shares(kills: int) -> dict[str, int]:
    """The kills spread over the kinds of process, the first kinds getting what is left over."""
    kinds = list(VICTIMS)
    return {kind: kills // len(kinds) + (place < kills % len(kinds)) for place, kind in enumerate(kinds)}


@pytest.mark.timeout(1500)
def test_nothing_is_lost_or_half_there_whoever_is_killed(
    whole: Stack, trial: Trial, site: str, place: OnPostgres, kills: int, seed: str, say: Callable[[str], None]
) -> None:
    killed: Counter[str] = Counter()
    say(f"  {kills} kills of APIs, relays and the projector under load")
    with under_load(trial, site, seed) as books:
        until("there is load", answered(books, 40))
        with ThreadPoolExecutor(len(VICTIMS)) as together:
            tasks = [
                together.submit(Killer(whole, VICTIMS[kind], f"{seed}/{kind}", killed).kill, times)
                for kind, times in shares(kills).items()
            ]
        for task in tasks:
            task.result()
        until("the load goes on", answered(books, 10))
    assert killed.total() == kills
    say(f"  killed {dict(killed)}")
    assert_nothing_is_lost_or_half_there(books, place, say)
