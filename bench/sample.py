"""The event and the command that the benches write: an adverse event as the safety service publishes it."""

import json
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

from shared.contracts import safety  # noqa: F401 - registers the event
from shared.eventstore.store import Write
from shared.kernel.actor import Actor, Role
from shared.kernel.decider import Recording
from shared.kernel.events import Event, decode

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "tests" / "contracts" / "samples"
REPORTED, REGRADED = "safety.adverse-event-reported", "safety.adverse-event-regraded"
NOW = datetime(2026, 3, 14, 12, tzinfo=UTC)
INVESTIGATOR = Actor("bench", frozenset({Role.INVESTIGATOR}), None, Role.INVESTIGATOR)
FINGERPRINT = "f" * 64
PARTICIPANT = UUID("018f2b6e-0000-7000-8000-000000000001")  # of the samples


def fields(name: str = REPORTED) -> dict[str, object]:
    """The sample as plain JSON, for floors and peers."""
    read: dict[str, object] = json.loads((SAMPLES / f"{name}.v1.json").read_bytes())
    return read


def event(name: str = REPORTED) -> Event:
    return decode(name, 1, (SAMPLES / f"{name}.v1.json").read_bytes())


def write_of(stream: UUID, expected: int, happened: Event) -> Write:
    recording = Recording(by=INVESTIGATOR, at=NOW, subject=str(PARTICIPANT), command_id=uuid4())
    return Write(f"adverse-event:{stream}", expected, [happened], recording, FINGERPRINT)
