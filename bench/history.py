"""Events as relay and projections meet them: adverse events reported, regraded twice and resolved.

All are reported before any is regraded, so a batch of 500 touches 500 different rows, as in a trial of many
participants, and nothing is gained by merging changes of the same row.
"""

from collections.abc import Iterator
from datetime import timedelta
from uuid import NAMESPACE_OID, UUID, uuid5

from bench import sample
from shared.kernel.events import Envelope

RESOLVED = "safety.adverse-event-resolved"
LIFE = (sample.REPORTED, sample.REGRADED, sample.REGRADED, RESOLVED)
PARTICIPANTS = 500
TOPIC = "trial.safety"


def identity(kind: str, number: int) -> UUID:
    return uuid5(NAMESPACE_OID, f"{kind} {number}")


def history(lives: int) -> list[Envelope]:
    """The events of so many adverse events, four each."""
    return list(_history(lives))


def _history(lives: int) -> Iterator[Envelope]:
    sampled = str(sample.fields()["adverse_event_id"])
    for version, name in enumerate(LIFE, start=1):
        data = sample.event(name).to_json()
        for number in range(lives):
            made, subject = str(identity("adverse event", number)), str(identity("participant", number % PARTICIPANTS))
            command = identity(f"command {version}", number)
            yield Envelope(
                event_id=identity(f"event {version}", number),
                stream=f"adverse-event:{made}",
                version=version,
                type=name,
                schema_version=1,
                subject=subject,
                recorded_at=sample.NOW + timedelta(days=version, milliseconds=number),
                actor="bench",
                role="investigator",
                reason=None,
                correlation_id=command,
                causation_id=command,
                traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                data=data.replace(sampled, made).replace(str(sample.PARTICIPANT), subject),
            )
