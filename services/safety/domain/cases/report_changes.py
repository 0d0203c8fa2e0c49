"""What one version of a report tells otherwise than another, field by field: what it was, what it is, and by whom.

A field of the adverse event was changed by whoever recorded its last change between the two versions; the sponsor's
judgement by its assessment; everything else by who sent the report that first told it so.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from services.safety.domain.cases.facts import Entry
from services.safety.domain.cases.report_content import reported_event
from shared.contracts.safety_cases import ReportSubmitted, SponsorAssessed
from shared.kernel.events import Envelope

Json = Any
Version = tuple[Json, Envelope]

_MISSING = object()
_JUDGED = {"causality", "reason", "expectedness", "expectedness_by"}


class FieldChange(BaseModel):
    """One field of the report. None where it is not there: a list that grew, or shrank."""

    model_config = ConfigDict(frozen=True)

    at: str = Field(description="JSON pointer into the report's content", examples=["/adverse_event/outcome"])
    was: Json
    now: Json
    changed_by: str
    role: str
    changed_at: datetime
    reason: str | None


def changes(
    earlier: ReportSubmitted, later: ReportSubmitted, event: Sequence[Envelope], life: Sequence[Envelope]
) -> list[FieldChange]:
    """`event` is the history of the adverse event's stream, `life` that of the case's."""
    was, now = _content(earlier), _content(later)
    tracks = [_of_event(earlier, later, event), _of_sponsor(earlier, later, life), _of_reports(earlier, later, life)]
    return [
        FieldChange(
            at=at,
            was=before,
            now=after,
            changed_by=envelope.actor,
            role=envelope.role,
            changed_at=envelope.recorded_at,
            reason=envelope.reason,
        )
        for at, before, after in differences(was, now)
        for envelope in [_author(at, tracks)]
    ]


def differences(was: Json, now: Json, at: str = "") -> Iterator[tuple[str, Json, Json]]:
    """JSON pointer, value before, value after, for each field that differs. Lists of plain values are one field."""
    match was, now:
        case dict(), dict():
            for name in sorted({*was, *now}):
                yield from differences(was.get(name), now.get(name), f"{at}/{name}")
        case list(), list() if any(isinstance(each, dict) for each in (*was, *now)):
            for place in range(max(len(was), len(now))):
                yield from differences(_item(was, place), _item(now, place), f"{at}/{place}")
        case _:
            if was != now:
                yield at, was, now


def _item(values: list[Json], place: int) -> Json:
    return values[place] if place < len(values) else None


def _content(report: ReportSubmitted) -> Json:
    return report.content.model_dump(mode="json", exclude={"adverse_event": {"version"}})


def _author(at: str, tracks: Sequence[Sequence[Version]]) -> Envelope:
    """Who changed the field last, on the first track that knows of it. The reports themselves know of everything."""
    return next(
        envelope
        for track in tracks
        for (before, _), (after, envelope) in reversed(list(pairwise(track)))
        if _at(before, at) != _at(after, at)
    )


def _at(content: Json, pointer: str) -> Json:
    for name in pointer.split("/")[1:]:
        if isinstance(content, Mapping):
            content = content.get(name, _MISSING)
        elif isinstance(content, list) and name.isdecimal() and int(name) < len(content):
            content = content[int(name)]
        else:
            return _MISSING
    return content


def _of_event(earlier: ReportSubmitted, later: ReportSubmitted, history: Sequence[Envelope]) -> list[Version]:
    entries = tuple(Entry.of(each) for each in history)
    told = range(earlier.content.adverse_event.version, later.content.adverse_event.version + 1)
    return [
        ({"adverse_event": reported_event(entries[:version]).model_dump(mode="json")}, history[version - 1])
        for version in told
    ]


def _of_sponsor(earlier: ReportSubmitted, later: ReportSubmitted, life: Sequence[Envelope]) -> list[Version]:
    between = _between(earlier, later, life)
    judged = [(_judgement(event), each) for each in between if isinstance(event := each.event(), SponsorAssessed)]
    told = earlier.content.sponsor.model_dump(mode="json", include=_JUDGED)
    return [({"sponsor": told}, between[0]), *judged]


def _judgement(assessed: SponsorAssessed) -> Json:
    told = assessed.model_dump(mode="json", include=_JUDGED)
    told["expectedness_by"] = "sponsor" if assessed.expectedness else "rule"
    told["expectedness"] = assessed.expectedness or assessed.proposed.expectedness
    return {"sponsor": told}


def _of_reports(earlier: ReportSubmitted, later: ReportSubmitted, life: Sequence[Envelope]) -> list[Version]:
    between = _between(earlier, later, life)
    return [(_content(event), each) for each in between if isinstance(event := each.event(), ReportSubmitted)]


def _between(earlier: ReportSubmitted, later: ReportSubmitted, life: Sequence[Envelope]) -> list[Envelope]:
    """The case's history from the one report to the other, both with it."""
    numbers = {
        event.number: place for place, each in enumerate(life) if isinstance(event := each.event(), ReportSubmitted)
    }
    return list(life[numbers[earlier.number] : numbers[later.number] + 1])
