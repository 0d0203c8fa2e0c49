"""Names and versions of events, and the steps that read yesterday's."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from shared.contracts.terms import Measurement
from shared.kernel.events import Envelope, Event, UndecodableEvent, UnknownEventType, decode, registered, upcasts


class TumourWeighed(Event, type="test.tumour-weighed", version=3):
    """Read today: version 1 had grams as a number, version 2 knew no scale."""

    grams: Measurement
    scale: str


@upcasts("test.tumour-weighed", from_version=1)
def _(data: dict[str, Any]) -> dict[str, Any]:
    return {"grams": str(data["g"])}


@upcasts("test.tumour-weighed", from_version=2)
def _(data: dict[str, Any]) -> dict[str, Any]:
    return {**data, "scale": "unknown"}


class NeverUpcast(Event, type="test.never-upcast", version=2):
    """Its version 1 cannot be read."""

    text: str


def test_an_event_is_read_back_as_it_was_written() -> None:
    event = TumourWeighed(grams=Decimal("12.50"), scale="S1")
    assert decode("test.tumour-weighed", 3, event.to_json()) == event


@pytest.mark.parametrize(
    ("version", "stored", "scale"),
    [(1, '{"g": 12.5}', "unknown"), (2, '{"grams": "12.5"}', "unknown"), (3, '{"grams": "12.5", "scale": "S1"}', "S1")],
)
def test_every_version_ever_written_is_read_as_the_newest(version: int, stored: str, scale: str) -> None:
    assert decode("test.tumour-weighed", version, stored) == TumourWeighed(grams=Decimal("12.5"), scale=scale)


@pytest.mark.parametrize(("name", "version"), [("test.unheard-of", 1), ("test.tumour-weighed", 4)])
def test_an_event_from_the_future_is_unknown_not_damaged(name: str, version: int) -> None:
    with pytest.raises(UnknownEventType):
        decode(name, version, "{}")


@pytest.mark.parametrize("stored", ["not json", '{"grams": "heavy", "scale": "S1"}', '{"grams": "1"}'])
def test_a_damaged_event_says_where_and_never_what(stored: str) -> None:
    with pytest.raises(UndecodableEvent) as raised:
        decode("test.tumour-weighed", 3, stored)
    assert "heavy" not in str(raised.value)


def test_damage_in_an_old_version_is_damage_too() -> None:
    with pytest.raises(UndecodableEvent, match="not JSON"):
        decode("test.tumour-weighed", 1, "not json")


def test_a_missing_step_is_named() -> None:
    with pytest.raises(UndecodableEvent, match="no upcaster from version 1"):
        decode("test.never-upcast", 1, "{}")


def test_a_name_is_taken_once() -> None:
    with pytest.raises(TypeError, match="is taken by TumourWeighed"):

        class Another(Event, type="test.tumour-weighed", version=1):
            pass


def test_a_step_is_written_once() -> None:
    with pytest.raises(TypeError, match="has an upcaster already"):
        upcasts("test.tumour-weighed", from_version=1)(lambda data: data)


def test_what_is_registered_can_be_listed_and_not_changed() -> None:
    assert registered()["test.tumour-weighed"] is TumourWeighed
    with pytest.raises(TypeError):
        registered()["x"] = TumourWeighed  # type: ignore[index]


class Part(BaseModel):
    """A part of an event with a rule of its own."""

    text: str

    @field_validator("text")
    @classmethod
    def _rule(cls, text: str) -> str:
        if text == "once allowed":
            raise ValueError("no longer said")
        return text


class RuleSharpened(Event, type="test.rule-sharpened", version=1):
    """Written when a rule was looser than it is today."""

    parts: tuple[Part, ...]


def test_history_stays_readable_when_a_rule_is_sharpened() -> None:
    stored = '{"parts": [{"text": "once allowed"}]}'
    with pytest.raises(ValidationError):
        RuleSharpened.model_validate_json(stored)
    event = decode("test.rule-sharpened", 1, stored)
    assert isinstance(event, RuleSharpened)
    assert event.parts[0].text == "once allowed"
    with pytest.raises(UndecodableEvent, match=r"parts\.0\.text: string_type"):
        decode("test.rule-sharpened", 1, '{"parts": [{"text": 3}]}')


class MadeWhenUsed(Event, type="test.made-when-used", version=1):
    """A process makes its models when they are first used."""

    model_config = ConfigDict(defer_build=True)

    text: str


def test_an_event_whose_class_was_not_used_yet_can_be_read() -> None:
    assert not MadeWhenUsed.__pydantic_complete__
    assert decode("test.made-when-used", 1, '{"text": "a"}') == MadeWhenUsed(text="a")


def test_an_envelope_of_trusted_fields_is_the_validated_one_and_opens_to_its_event() -> None:
    fields: dict[str, Any] = {
        "event_id": UUID(int=1),
        "stream": "tumour:1",
        "version": 1,
        "type": "test.tumour-weighed",
        "schema_version": 2,
        "subject": "p1",
        "recorded_at": datetime(2026, 3, 14, tzinfo=UTC),
        "actor": "a",
        "role": "investigator",
        "reason": None,
        "correlation_id": UUID(int=2),
        "causation_id": UUID(int=3),
        "traceparent": None,
        "data": '{"grams": "12.5"}',
    }
    envelope = Envelope.trusted(dict(fields))
    assert envelope == Envelope(**fields)
    assert envelope.model_dump_json() == Envelope(**fields).model_dump_json()
    assert envelope.event() == TumourWeighed(grams=Decimal("12.5"), scale="unknown")
