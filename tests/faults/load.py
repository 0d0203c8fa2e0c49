"""Load while things break: clients that send commands one after the other and keep books of what was answered.

Every client takes children of its own through screening, adverse events and tumour assessments. A command that gets no
clear answer (none, 502, 503, 504) is sent again with the same id, as any client may; some give up instead, and then
nobody knows whether it was carried out.
"""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID

import httpx

from shared.kernel.actor import Role
from tests.flows.endpoints import CONSENT, SCREENING_DATA
from tests.flows.trial import Trial

PATIENCE_SECONDS = 60.0
PAUSE_SECONDS = 0.05
GIVE_UP_SHARE = 0.2
KNOWN_SHARE, ARRIVING_SHARE = 0.6, 0.7
UNCLEAR = {502, 503, 504}


class Outcome(StrEnum):
    ACCEPTED = "accepted"
    TOO_EARLY = "too early"  # the child has not arrived at this service yet: not carried out
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Sent:
    """One command: the stream it is about, and the events that it makes there if it is carried out."""

    stream: str
    events: tuple[str, ...]
    outcome: Outcome
    position: str | None = None


@dataclass
class Books:
    """What all clients sent, in the order of each stream, and what they were answered."""

    sent: list[Sent] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)
    replayed: int = 0
    refusals: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, sent: Sent) -> None:
        with self._lock:
            self.sent.append(sent)

    def count(self, what: str, *, replayed: bool = False) -> None:
        with self._lock:
            self.statuses[what] += 1
            self.replayed += replayed

    def by(self, outcome: Outcome) -> list[Sent]:
        return [sent for sent in self.sent if sent.outcome is outcome]

    def summary(self) -> str:
        outcomes = Counter(sent.outcome.value for sent in self.sent)
        return f"{dict(outcomes)}, answers {dict(self.statuses)}, {self.replayed} found carried out before"


class Abandoned(Exception):
    """A command was not accepted, or nobody knows: the client leaves what it was about."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome)
        self.outcome = outcome


class Client:
    """One caller: `url` and tokens are the trial's, ids and moments come from its own random numbers."""

    def __init__(self, trial: Trial, books: Books, site: str, seed: str, pause: float) -> None:
        self._pause = pause
        self._trial, self._books, self._site = trial, books, site
        self._random = random.Random(seed)  # noqa: S311 - to be repeated, not to be secret
        self._http = httpx.Client(base_url=trial.url, timeout=10)
        self._known: list[str] = []
        self._arriving: list[str] = []
        self._lesions: dict[str, str] = {}

    def work(self, stop: threading.Event) -> None:
        with self._http:
            while not stop.is_set():
                with suppress(Abandoned):
                    self._one_thing()
                stop.wait(self._pause)

    def _one_thing(self) -> None:
        """An adverse event of a child that every service knows, or the first facts of one that may have arrived."""
        if self._known and self._random.random() < KNOWN_SHARE:
            self._adverse_event(self._random.choice(self._known))
        elif self._arriving and self._random.random() < ARRIVING_SHARE:
            child = self._arriving.pop(0)
            try:
                self._tumour(child)
            except Abandoned as abandoned:
                if abandoned.outcome is Outcome.TOO_EARLY:
                    self._arriving.append(child)
                raise
            self._known.append(child)
        else:
            self._arriving.append(self._screen())

    def _screen(self) -> str:
        child = self._id()
        body = {"participant_id": child, "site_id": self._site, **SCREENING_DATA}
        stream = f"participant:{child}"
        self._send("/enrollment/v1/participants", body, stream, ("enrollment.participant-screened",))
        path = f"/enrollment/v1/participants/{child}/obtain-consent"
        self._send(path, CONSENT, stream, ("enrollment.consent-obtained",), version=1)
        assent = {**CONSENT, "kind": "assent", "relationship": None}
        self._send(path, assent, stream, ("enrollment.consent-obtained",), version=2)
        return child

    def _adverse_event(self, child: str) -> None:
        event = self._id()
        body = {
            "adverse_event_id": event,
            "participant_id": child,
            "term": "Fever",
            "grade": 3,
            "onset": "2025-09-16",
            "became_aware_at": "2025-09-16T20:00:00+07:00",
            "seriousness": ["hospitalisation"],
        }
        types = ("safety.adverse-event-reported", "safety.serious-adverse-event-identified")
        path, stream = "/safety/v1/adverse-events", f"adverse-event:{event}"
        self._send(path, body, stream, types)
        regraded = {"grade": 2, "since": "2025-09-18"}
        self._send(f"{path}/{event}/regrade", regraded, stream, ("safety.adverse-event-regraded",), version=2)
        resolved = {"ended_on": "2025-09-20", "outcome": "recovered"}
        self._send(f"{path}/{event}/resolve", resolved, stream, ("safety.adverse-event-resolved",), version=3)

    def _tumour(self, child: str) -> None:
        path, stream = f"/efficacy/v1/participants/{child}", f"tumour-burden:{child}"
        if child not in self._lesions:  # it may be there, and what follows came before the consent had arrived
            described = {"lesion_id": self._id(), "label": "T01", "role": "target", "organ": "liver"}
            self._send(f"{path}/lesions", described, stream, ("efficacy.lesion-identified",))
            self._lesions[child] = described["lesion_id"]
        lesion = self._lesions[child]
        baseline = self._assessment(lesion, "2025-09-10", "40", baseline=True)
        self._send(f"{path}/assessments", baseline, stream, ("efficacy.tumour-assessed",))
        later = self._assessment(lesion, "2025-10-14", "15")
        types = (
            "efficacy.tumour-assessed",
            "efficacy.response-assigned",
            "efficacy.supportive-responses-assigned",
        )
        self._send(f"{path}/assessments", later, stream, types)

    def _assessment(self, lesion: str, day: str, size: str, *, baseline: bool = False) -> dict[str, Any]:
        target = {"lesion_id": lesion, "state": "measured", "longest_mm": size, "perpendicular_mm": size}
        return {
            "assessment_id": self._id(),
            "assessed_on": day,
            "modality": "mri",
            "targets": [target],
            "non_target": "none",
            "baseline": baseline,
        }

    def _id(self) -> str:
        return str(UUID(int=self._random.getrandbits(128), version=4))

    def _send(
        self, path: str, body: dict[str, Any], stream: str, events: tuple[str, ...], version: int | None = None
    ) -> None:
        """Send until there is a clear answer, or until this client gives up."""
        headers = {"Authorization": f"Bearer {self._trial.token(Role.INVESTIGATOR, (self._site,))}"}
        if version is not None:
            headers |= {"If-Match": f'"{version}"', "Idempotency-Key": self._id()}
        gives_up = self._random.random() < GIVE_UP_SHARE
        give_up = time.monotonic() + PATIENCE_SECONDS
        outcome, position = Outcome.UNKNOWN, None
        while outcome is Outcome.UNKNOWN and time.monotonic() < give_up:
            answer = self._once(path, body, headers)
            if answer is not None:
                outcome, position = self._read(path, answer)
            if outcome is Outcome.UNKNOWN:
                if gives_up:
                    break
                time.sleep(PAUSE_SECONDS)
        self._books.note(Sent(stream, events, outcome, position))
        if outcome is not Outcome.ACCEPTED:
            raise Abandoned(outcome)

    def _read(self, path: str, answer: httpx.Response) -> tuple[Outcome, str | None]:
        if answer.is_success:
            return Outcome.ACCEPTED, answer.headers["Trial-Position"]
        if answer.status_code in UNCLEAR:
            return Outcome.UNKNOWN, None
        if on_the_way(answer):
            return Outcome.TOO_EARLY, None
        self._books.refusals.append(f"{path}: {answer.status_code} {answer.text}")
        return Outcome.REFUSED, None

    def _once(self, path: str, body: dict[str, Any], headers: dict[str, str]) -> httpx.Response | None:
        try:
            answer = self._http.post(path, json=body, headers=headers)
        except httpx.TransportError as error:
            self._books.count(type(error).__name__)
            return None
        replayed = answer.headers.get("Idempotent-Replayed") == "true"
        self._books.count(str(answer.status_code), replayed=replayed)
        return answer


def on_the_way(answer: httpx.Response) -> bool:
    """The participant, or their consent, has not reached this service yet."""
    if answer.status_code not in {404, 409}:
        return False
    return answer.json().get("type") in {"no-such-participant", "consent-does-not-cover"}


@contextmanager
def under_load(trial: Trial, site: str, seed: str, *, clients: int = 6, pause: float = 0) -> Iterator[Books]:
    """Clients work while the block runs, with a pause between one thing and the next; at its end each finishes."""
    books, stop = Books(), threading.Event()
    failures: list[BaseException] = []
    threads = [
        threading.Thread(
            target=_guarded, args=(Client(trial, books, site, f"{seed}/{site}/{number}", pause), stop, failures)
        )
        for number in range(clients)
    ]
    for thread in threads:
        thread.start()
    try:
        yield books
    finally:
        stop.set()
        for thread in threads:
            thread.join(PATIENCE_SECONDS + 20)
    if failures:
        raise failures[0]


def _guarded(client: Client, stop: threading.Event, failures: list[BaseException]) -> None:
    try:
        client.work(stop)
    except BaseException as error:  # noqa: BLE001 - raised by the thread that started the load
        failures.append(error)


def answered(books: Books, more: int) -> Callable[[], bool]:
    """Whether so many more commands were accepted than at this moment."""
    goal = len(books.by(Outcome.ACCEPTED)) + more
    return lambda: len(books.by(Outcome.ACCEPTED)) >= goal
