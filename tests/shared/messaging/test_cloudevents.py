"""The form of a message, read by the CloudEvents project's own reader and by ours."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary_event
from hypothesis import given
from hypothesis import strategies as st

from shared.kernel.actor import Role
from shared.kernel.events import Envelope
from shared.messaging import Undecodable
from shared.messaging.cloudevents import decode, encode
from tests.shared.messaging.support import NOON, an_envelope

TEXT = st.text(st.characters(codec="utf-8"), max_size=40)
TYPE = st.from_regex(r"[a-z]+\.[a-z-]+", fullmatch=True)
ENVELOPES = st.builds(
    Envelope,
    event_id=st.uuids(),
    stream=TEXT,
    version=st.integers(1, 2**31),
    type=TYPE,
    schema_version=st.integers(1, 99),
    subject=TEXT,
    recorded_at=st.datetimes(timezones=st.just(UTC)),
    actor=TEXT,
    role=st.sampled_from([role.value for role in Role]),
    reason=st.none() | TEXT,
    correlation_id=st.uuids(),
    causation_id=st.uuids(),
    traceparent=st.none() | TEXT,
    data=TEXT,
)


@given(ENVELOPES)
def test_an_envelope_is_read_as_it_was_written(envelope: Envelope) -> None:
    assert decode(*encode(envelope)) == envelope


@given(ENVELOPES)
def test_what_is_read_is_what_validation_would_have_made(envelope: Envelope) -> None:
    read = decode(*encode(envelope))
    assert isinstance(read, Envelope)
    assert Envelope.model_validate(read.model_dump(), strict=True).model_dump_json() == envelope.model_dump_json()
    assert read.model_fields_set == envelope.model_fields_set


def test_the_cloudevents_library_reads_our_messages() -> None:
    envelope = an_envelope(
        reason="แก้ไขวันที่",
        data='{"grade": 3, "term": "ไข้"}',
        traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    )
    key, headers, value = encode(envelope)
    read = from_binary_event(KafkaMessage(dict(headers), key, value))
    assert read.get_specversion() == "1.0"
    assert read.get_id() == str(envelope.event_id)
    assert read.get_type() == "safety.adverse-event-reported"
    assert read.get_source() == "/safety"
    assert read.get_subject() == "CU-001"
    assert read.get_time() == NOON
    assert read.get_datacontenttype() == "application/json"
    assert read.get_dataschema() == "urn:trial:schema:safety.adverse-event-reported:2"
    assert read.get_data() == {"grade": 3, "term": "ไข้"}
    extensions = {
        "position": "adverse-event:1@1",
        "recording": f"{envelope.causation_id}/{envelope.correlation_id}/investigator/dr-somchai",
        "reason": "แก้ไขวันที่",
    }
    assert {name: read.get_extension(name) for name in extensions} == extensions


def test_trace_context_stands_under_its_own_name() -> None:
    _, headers, _ = encode(an_envelope(traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"))
    assert dict(headers)["traceparent"] == b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    assert "traceparent" not in dict(encode(an_envelope())[1])


def test_names_of_attributes_are_those_the_specification_allows() -> None:
    """CloudEvents 1.0.2, "Naming Conventions": lower-case letters and digits, at most 20."""
    _, headers, _ = encode(an_envelope(reason="r"))
    names = [name.removeprefix("ce_") for name, _ in headers if name.startswith("ce_")]
    assert len(names) == len(headers) - 1
    assert all(name.isascii() and name.isalnum() and name == name.lower() and len(name) <= 20 for name in names)


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("ce_specversion", None, "'ce_specversion' is missing"),
        ("ce_position", None, "'ce_position' is missing"),
        ("ce_specversion", b"0.3", "neither CloudEvents 1.0 nor JSON"),
        ("content-type", b"application/avro", "neither CloudEvents 1.0 nor JSON"),
        ("ce_id", b"17", "another form"),
        ("ce_position", b"adverse-event:1@one", "another form"),
        ("ce_position", b"1", "another form"),
        ("ce_dataschema", b"urn:trial:schema:safety.adverse-event-reported:two", "another form"),
        ("ce_dataschema", b"urn:trial:schema:safety.adverse-event-resolved:2", "not that of its type"),
        ("ce_dataschema", b"2", "not that of its type"),
        ("ce_recording", b"investigator/dr-somchai", "another form"),
        ("ce_recording", b"17/18/investigator/dr-somchai", "another form"),
        ("ce_time", b"yesterday", "another form"),
        ("ce_time", b"2026-03-01T12:00:00", "no offset"),
        ("ce_time", b"0001-01-01T00:00:00+14:00", "another form"),
        ("ce_position", b"adverse-event:1@0", "begin with 1"),
        ("ce_recording", b"\xff\xfe", "another form"),
        ("ce_subject", b"CU-002", "the key is not the subject"),
    ],
)
def test_a_message_of_another_form_is_kept_with_the_reason(name: str, content: bytes | None, why: str) -> None:
    key, headers, value = encode(an_envelope())
    changed = [(each, old) for each, old in headers if each != name] + ([(name, content)] if content else [])
    read = decode(key, changed, value)
    assert isinstance(read, Undecodable)
    assert why in read.why
    assert read.key == "CU-001"
    assert len(read.headers) == len(changed)


def test_a_header_that_occurs_twice_is_not_guessed_at() -> None:
    key, headers, value = encode(an_envelope())
    read = decode(key, [*headers, ("ce_recording", b"somebody-else")], value)
    assert isinstance(read, Undecodable)
    assert "twice" in read.why


def test_other_headers_do_no_harm() -> None:
    envelope = an_envelope()
    key, headers, value = encode(envelope)
    assert decode(key, [*headers, ("tracestate", b"vendor=1")], value) == envelope


def test_a_time_with_another_offset_is_the_same_instant_in_utc() -> None:
    bangkok = timezone(timedelta(hours=7))
    envelope = an_envelope(recorded_at=datetime(2026, 3, 1, 19, tzinfo=bangkok))
    read = decode(*encode(envelope))
    assert isinstance(read, Envelope)
    assert read.recorded_at.isoformat() == "2026-03-01T12:00:00+00:00"


ANYTHING: Any = st.none() | st.binary(max_size=30)
NAMES = st.sampled_from([name for name, _ in encode(an_envelope())[1]]) | st.text(max_size=10)


@given(ANYTHING, st.lists(st.tuples(NAMES, ANYTHING), max_size=20), ANYTHING)
def test_no_message_whatever_raises(
    key: bytes | None, headers: list[tuple[str, bytes | None]], value: bytes | None
) -> None:
    assert isinstance(decode(key, headers, value), Undecodable)


@given(st.sampled_from(range(12)), ANYTHING)
def test_no_damage_to_one_of_ours_raises(place: int, content: bytes | None) -> None:
    key, headers, value = encode(an_envelope())
    damaged = [(name, content if number == place else old) for number, (name, old) in enumerate(headers)]
    decode(key, damaged, value)
    decode(content, headers, value)
    decode(key, headers, content)
