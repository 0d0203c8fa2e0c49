"""An envelope as a Kafka message: CloudEvents 1.0, binary mode. Pure.

The value is the event's JSON, byte for byte as it was stored; everything around it is a header. What CloudEvents does
not name stands in three extension attributes, for each header costs kafka-python as much as a small value does
(`make bench`, "live projection"):

    ce_position   <stream>@<version>, as in the header `Trial-Position` of an answer
    ce_recording  <id of the command>/<correlation id>/<role>/<actor>
    ce_reason     where there is one

The event's version is the last part of `ce_dataschema`. `traceparent` stands under the name that W3C Trace Context
and OpenTelemetry read.

Source: CloudEvents 1.0.2, "Kafka Protocol Binding", section 3.2 (binary content mode).
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from uuid import UUID

from shared.kernel.events import Envelope
from shared.messaging.bus import Undecodable

Header = tuple[str, bytes]
CONTENT_TYPE = b"application/json"
SCHEMAS = "urn:trial:schema:"


def encode(envelope: Envelope) -> tuple[bytes, list[Header], bytes]:
    """The key, the headers and the value of the message."""
    subject = envelope.subject.encode()
    headers = [
        *_headers_of_type(envelope.type, envelope.schema_version),
        ("ce_id", str(envelope.event_id).encode()),
        ("ce_subject", subject),
        ("ce_time", envelope.recorded_at.isoformat().encode()),
        ("ce_position", f"{envelope.stream}@{envelope.version}".encode()),
        (
            "ce_recording",
            f"{envelope.causation_id}/{envelope.correlation_id}/{envelope.role}/{envelope.actor}".encode(),
        ),
    ]
    if envelope.reason is not None:
        headers.append(("ce_reason", envelope.reason.encode()))
    if envelope.traceparent is not None:
        headers.append(("traceparent", envelope.traceparent.encode()))
    return subject, headers, envelope.data.encode()


@lru_cache(maxsize=1024)
def _headers_of_type(event_type: str, schema_version: int) -> tuple[Header, ...]:
    """What every event of one type and version says alike."""
    service = event_type.partition(".")[0]
    return (
        ("ce_specversion", b"1.0"),
        ("ce_type", event_type.encode()),
        ("ce_source", f"/{service}".encode()),
        ("ce_dataschema", f"{SCHEMAS}{event_type}:{schema_version}".encode()),
        ("content-type", CONTENT_TYPE),
    )


def decode(
    key: bytes | None, headers: Sequence[tuple[str, bytes | None]], value: bytes | None
) -> Envelope | Undecodable:
    """Read a message. One that is not ours comes back as what it is, with the reason; nothing is raised."""
    try:
        return _envelope(key, headers, value)
    except KeyError as missing:
        why = f"the header {missing} is missing"
    except NotOurs as reason:
        why = str(reason)
    except (ValueError, OverflowError) as error:
        why = f"a header or the value has another form ({type(error).__name__})"
    texts = tuple((name, _text(content)) for name, content in headers)
    return Undecodable(why, None if key is None else _text(key), texts, _text(value))


class NotOurs(ValueError):
    """The message says by itself that it is not one of ours."""


def _envelope(key: bytes | None, headers: Sequence[tuple[str, bytes | None]], value: bytes | None) -> Envelope:
    found: dict[str, bytes] = dict(headers)  # type: ignore[arg-type]  # a null is refused in the next lines
    if key is None or value is None or None in found.values():
        raise NotOurs("its key, its value or a header is null")
    if len(found) != len(headers):
        raise NotOurs("a header occurs twice")
    if found["ce_specversion"] != b"1.0" or found["content-type"] != CONTENT_TYPE:
        raise NotOurs("neither CloudEvents 1.0 nor JSON")
    if found["ce_subject"] != key:
        raise NotOurs("the key is not the subject, so the order of its events is not kept")
    stream, version = found["ce_position"].decode().rsplit("@", 1)
    if int(version) < 1:
        raise NotOurs("versions of a stream begin with 1")
    event_type, schema_version = _type_of(found["ce_type"], found["ce_dataschema"])
    causation_id, correlation_id, role, actor = found["ce_recording"].decode().split("/", 3)
    reason, traceparent = found.get("ce_reason"), found.get("traceparent")
    return Envelope.trusted(
        {
            "event_id": UUID(found["ce_id"].decode()),
            "stream": stream,
            "version": int(version),
            "type": event_type,
            "schema_version": schema_version,
            "subject": key.decode(),
            "recorded_at": _instant(found["ce_time"].decode()),
            "actor": actor,
            "role": role,
            "reason": None if reason is None else reason.decode(),
            "correlation_id": UUID(correlation_id),
            "causation_id": UUID(causation_id),
            "traceparent": None if traceparent is None else traceparent.decode(),
            "data": value.decode(),
        }
    )


@lru_cache(maxsize=1024)
def _type_of(event_type: bytes, schema: bytes) -> tuple[str, int]:
    """The type and its version, which the schema names once more."""
    name, text = event_type.decode(), schema.decode()
    described, _, version = text.rpartition(":")
    if described != SCHEMAS + name:
        raise NotOurs("its schema is not that of its type")
    return name, int(version)


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise NotOurs("its time has no offset")
    return instant.astimezone(UTC)


def _text(content: bytes | None) -> str:
    return "" if content is None else content.decode(errors="backslashreplace")
