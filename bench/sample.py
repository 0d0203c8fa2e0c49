"""The event and the command that the benches write: an adverse event as the safety service publishes it."""

from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

from shared.contracts import safety  # noqa: F401 - registers the event
from shared.eventstore.store import Write
from shared.kernel.actor import Actor, Role
from shared.kernel.decider import Recording
from shared.kernel.events import Event, decode

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "tests" / "contracts" / "samples" / "safety.adverse-event-reported.v1.json"
NOW = datetime(2026, 3, 14, 12, tzinfo=UTC)
INVESTIGATOR = Actor("bench", frozenset({Role.INVESTIGATOR}), None, Role.INVESTIGATOR)
FINGERPRINT = "f" * 64


def event() -> Event:
    return decode("safety.adverse-event-reported", 1, SAMPLE.read_bytes())


def write_of(stream: UUID, expected: int, happened: Event) -> Write:
    recording = Recording(by=INVESTIGATOR, at=NOW, subject=str(stream), command_id=uuid4())
    return Write(f"adverse-event:{stream}", expected, [happened], recording, FINGERPRINT)
