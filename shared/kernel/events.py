"""Events: what has happened, under an explicit name and version that outlive any class or module name.

A stored event is read through its upcasters, one version at a time, so that code knows the newest only.
"""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from types import MappingProxyType
from typing import Any, ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import SchemaValidator

Upcaster = Callable[[dict[str, Any]], dict[str, Any]]

_EVENTS: dict[str, type["Event"]] = {}
_UPCASTERS: dict[tuple[str, int], Upcaster] = {}


class UnknownEventType(LookupError):
    """No class is registered under this name: the reader is older than the writer, or lacks an import."""


class UndecodableEvent(ValueError):
    """The stored text does not fit its class: damaged, or an upcaster is missing."""


class Event(BaseModel):
    """A fact of the trial. Its name and version are a storage format: renaming the class changes neither."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    event_type: ClassVar[str]
    schema_version: ClassVar[int]

    def __init_subclass__(cls, *, type: str, version: int, **kwargs: Any) -> None:  # noqa: A002 - reads as a declaration
        super().__init_subclass__(**kwargs)
        if type in _EVENTS:
            raise TypeError(f"event type {type!r} is taken by {_EVENTS[type].__qualname__}")
        cls.event_type, cls.schema_version = type, version
        _EVENTS[type] = cls

    def to_json(self) -> str:
        return self.model_dump_json()


class Envelope(BaseModel):
    """An event with everything around it: as it is stored, published and projected.

    `subject` is the participant's id (a site's events: the site's), which is also the key on the bus.
    `data` is the event as JSON text, byte for byte as it was stored.
    `causation_id` is the id of the command, `recorded_at` the server's instant in UTC.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    event_id: UUID
    stream: str
    version: int
    type: str
    schema_version: int
    subject: str
    recorded_at: datetime
    actor: str
    role: str
    reason: str | None
    correlation_id: UUID
    causation_id: UUID
    traceparent: str | None
    data: str

    @classmethod
    def trusted(cls, fields: dict[str, Any]) -> "Envelope":
        """An envelope of all its fields, in values that were checked when they were first written.

        What pydantic's `model_construct` does, in a third of the time: every event of the trial passes here
        several times.
        """
        envelope = cls.__new__(cls)
        object.__setattr__(envelope, "__dict__", fields)
        object.__setattr__(envelope, "__pydantic_fields_set__", _ENVELOPE_FIELDS)
        object.__setattr__(envelope, "__pydantic_extra__", None)
        object.__setattr__(envelope, "__pydantic_private__", None)
        return envelope

    def event(self) -> Event:
        return decode(self.type, self.schema_version, self.data)


_ENVELOPE_FIELDS = set(Envelope.model_fields)


def registered() -> Mapping[str, type[Event]]:
    """Every event class that has been imported, by its stored name."""
    return MappingProxyType(_EVENTS)


def upcasts(event_type: str, *, from_version: int) -> Callable[[Upcaster], Upcaster]:
    """Register the step from `from_version` to the next: JSON object in, JSON object out, pure."""

    def register(step: Upcaster) -> Upcaster:
        if (event_type, from_version) in _UPCASTERS:
            raise TypeError(f"{event_type} version {from_version} has an upcaster already")
        _UPCASTERS[event_type, from_version] = step
        return step

    return register


def decode(event_type: str, schema_version: int, data: str | bytes) -> Event:
    """Read a stored event into its class, through the upcasters if it was written by an older version.

    Raises:
        UnknownEventType: no class is registered under this name, or the version is from the future.
        UndecodableEvent: the text does not fit the class.
    """
    cls = _EVENTS.get(event_type)
    if cls is None:
        raise UnknownEventType(event_type)
    if schema_version > cls.schema_version:
        raise UnknownEventType(f"{event_type} version {schema_version}; this reader knows {cls.schema_version}")
    try:
        if schema_version != cls.schema_version:
            data = json.dumps(_upcast(cls, schema_version, json.loads(data)))
        event: Event = _reader(cls).validate_json(data)
    except (ValidationError, json.JSONDecodeError) as error:
        # The message names the fields, never their values: it may end in a log.
        raise UndecodableEvent(f"{event_type} version {schema_version}: {_places(error)}") from None
    return event


@cache
def _reader(cls: type[Event]) -> SchemaValidator:
    """Reads what was stored: its types are checked again, its rules are not, for they held when it happened.

    A rule may be sharpened later; history stays readable. It is also four times as fast (`make bench`, "load").
    Without `_use_prebuilt=False` the parts of an event would be read by their own classes' validators, rules included.
    """
    cls.model_rebuild()  # where it is made at its first use, this is it
    return SchemaValidator(_without_rules(cls.__pydantic_core_schema__), _use_prebuilt=False)


def _without_rules(schema: Any) -> Any:
    """A core schema without the Python functions that run before or after its types are checked."""
    match schema:
        case {"type": "function-after" | "function-before", "schema": inner}:
            return _without_rules(inner)
        case dict():
            kept = ("metadata", "serialization", "cls")
            return {key: value if key in kept else _without_rules(value) for key, value in schema.items()}
        case list():
            return [_without_rules(each) for each in schema]
        case _:
            return schema


def _upcast(cls: type[Event], version: int, data: dict[str, Any]) -> dict[str, Any]:
    for step in range(version, cls.schema_version):
        upcaster = _UPCASTERS.get((cls.event_type, step))
        if upcaster is None:
            raise UndecodableEvent(f"{cls.event_type} has no upcaster from version {step}")
        data = upcaster(data)
    return data


def _places(error: ValidationError | json.JSONDecodeError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return "not JSON"
    return ", ".join(f"{'.'.join(map(str, e['loc']))}: {e['type']}" for e in error.errors(include_input=False))
