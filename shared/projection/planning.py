"""What a batch of messages means for one projection. Pure: from a standing and messages to a step, no I/O.

A version already taken in is skipped, a gap halts the projection, an event that its handler cannot take parks its
subject, and everything later of a parked subject follows it. The rest becomes rows.
"""

import json
from collections.abc import Container, Iterable
from dataclasses import asdict, dataclass, field
from traceback import extract_tb
from typing import NamedTuple

from shared.kernel.events import Envelope, Event
from shared.messaging.bus import Delivery, Undecodable
from shared.projection.ledger import Move, Newest, Place, Standing, new_epoch
from shared.projection.projection import Projection
from shared.projection.rows import Rows

MAX_ERROR = 2000


class Arrival(NamedTuple):
    """A message and its event, decoded once for all projections: None where nobody has a handler for it."""

    delivery: Delivery
    event: Event | None = None
    error: Exception | None = None


@dataclass(frozen=True, slots=True)
class SetAside:
    """An event that waits in `parked_events`, or a message that is none of ours (then `subject` is empty)."""

    subject: str
    stream: str
    version: int
    envelope: str
    error: str


@dataclass(slots=True)
class Counts:
    """What became of the messages of one batch."""

    applied: int = 0
    ignored: int = 0
    duplicates: int = 0
    parked: int = 0
    foreign: int = 0


@dataclass(slots=True)
class Step:
    """One projection's part of a batch."""

    projection: Projection
    standing: Standing
    rows: Rows
    events: int
    newest: Newest | None
    categories: frozenset[str]
    halted: str | None = None
    cursors: dict[str, int] = field(default_factory=dict)
    offsets: dict[Place, int] = field(default_factory=dict)
    aside: list[SetAside] = field(default_factory=list)
    early: dict[str, int] = field(default_factory=dict)
    counts: Counts = field(default_factory=Counts)
    epoch: int = field(default_factory=new_epoch)

    def move(self) -> Move:
        return Move(
            projection=self.projection.name,
            epoch=self.standing.epoch,
            next_epoch=self.epoch,
            events=self.events,
            newest=self.newest,
            categories=self.categories,
            halted=self.halted,
            cursors=self.cursors,
            offsets=self.offsets,
        )

    def accept(self) -> None:
        """The step was committed: the standing is now what the step led to."""
        standing = self.standing
        standing.epoch = self.epoch
        standing.events, standing.newest = self.events, self.newest
        standing.categories, standing.halted = self.categories, self.halted
        standing.cursors.update(self.cursors)
        standing.offsets.update(self.offsets)
        standing.parked.update(one.subject for one in self.aside if one.subject)
        standing.parked_events += len(self.aside)
        if standing.early is not None:
            early = standing.early | self.early
            standing.early = {
                stream: version for stream, version in early.items() if standing.cursors.get(stream, 0) < version
            }


def decoded(deliveries: Iterable[Delivery], wanted: Container[str]) -> list[Arrival]:
    """Decode what somebody has a handler for. What cannot be decoded says so when its turn comes."""
    arrivals = []
    for delivery in deliveries:
        envelope = delivery.envelope
        if isinstance(envelope, Undecodable) or envelope.type not in wanted:
            arrivals.append(Arrival(delivery))
            continue
        try:
            arrivals.append(Arrival(delivery, envelope.event()))
        except (LookupError, ValueError) as error:
            arrivals.append(Arrival(delivery, None, error))
    return arrivals


def concerning(projection: Projection, standing: Standing, arrivals: Iterable[Arrival]) -> list[Arrival]:
    """The messages of topics that a projection follows, from places that it has not been past."""
    if standing.halted:
        return []
    topics, passed = projection.topics, standing.offsets
    return [
        arrival
        for arrival in arrivals
        if (delivery := arrival.delivery).topic in topics
        and delivery.offset >= passed.get((delivery.topic, delivery.partition), 0)
    ]


def unknown_streams(standing: Standing, arrivals: Iterable[Arrival]) -> set[str]:
    """The streams of which the standing does not say how far they were taken in."""
    known = standing.cursors
    return {
        envelope.stream
        for arrival in arrivals
        if not isinstance(envelope := arrival.delivery.envelope, Undecodable) and envelope.stream not in known
    }


def plan(projection: Projection, standing: Standing, arrivals: Iterable[Arrival], poison: str | None = None) -> Step:
    """The step that messages lead to which concern this projection.

    `poison` is why the database refused the rows of the batch's only event, which is then set aside.
    """
    step = Step(projection, standing, projection.rows(), standing.events, standing.newest, standing.categories)
    parked = set(standing.parked)
    for arrival in arrivals:
        delivery = arrival.delivery
        if isinstance(delivery.envelope, Undecodable):
            _keep_foreign(step, delivery, delivery.envelope)
        else:
            _weigh(step, parked, arrival, delivery.envelope, poison)
            if step.halted:
                break
        step.offsets[delivery.topic, delivery.partition] = delivery.offset + 1
    return step


def _weigh(step: Step, parked: set[str], arrival: Arrival, envelope: Envelope, poison: str | None) -> None:
    """Skip, set aside, halt, or take in."""
    stream, version, standing = envelope.stream, envelope.version, step.standing
    seen = step.cursors.get(stream) or standing.cursors.get(stream, 0)
    if version <= seen:
        step.counts.duplicates += 1
    elif envelope.subject in parked:
        _set_aside(step, envelope, "waits for an earlier event of its subject")
    elif version == seen + 1:
        why = _refused(step, arrival, envelope, poison)
        if why is None:
            _take_in(step, envelope, seen)
        else:
            parked.add(envelope.subject)
            _set_aside(step, envelope, why)
    elif standing.early is None:
        step.halted = _gap(envelope, seen, arrival.delivery)
    else:
        step.early[stream] = version


def _gap(envelope: Envelope, seen: int, delivery: Delivery) -> str:
    place = f"{delivery.topic}/{delivery.partition}@{delivery.offset}"
    return f"{envelope.stream} is at version {seen}, and version {envelope.version} arrived at {place}"


def _refused(step: Step, arrival: Arrival, envelope: Envelope, poison: str | None) -> str | None:
    """Hand the event to its handler. The answer is why it cannot be taken in, or None."""
    handler = step.projection.handlers.get(envelope.type)
    if handler is None:
        step.counts.ignored += 1
        return None
    if poison is not None:
        return poison
    if arrival.error is not None:
        return describe(arrival.error)
    try:
        handler(step.rows, arrival.event, envelope)
    except Exception as error:  # noqa: BLE001 - whatever a handler raises concerns this subject alone
        step.rows.forget()
        return describe(error)
    step.rows.keep()
    step.counts.applied += 1
    return None


def _take_in(step: Step, envelope: Envelope, seen: int) -> None:
    step.cursors[envelope.stream] = envelope.version
    step.events += 1
    newest = step.newest
    if newest is None or envelope.recorded_at >= newest[0]:
        this = (envelope.recorded_at, envelope.event_id)
        step.newest = this if newest is None else max(newest, this)
    if seen == 0:
        category = envelope.stream.partition(":")[0]
        if category not in step.categories:
            step.categories |= {category}


def _set_aside(step: Step, envelope: Envelope, error: str) -> None:
    step.counts.parked += 1
    step.aside.append(SetAside(envelope.subject, envelope.stream, envelope.version, envelope.model_dump_json(), error))


def _keep_foreign(step: Step, delivery: Delivery, message: Undecodable) -> None:
    """A message that is none of ours has no stream: its place on the bus stands for it."""
    place = f"{delivery.topic}/{delivery.partition}"
    step.counts.foreign += 1
    step.aside.append(SetAside("", place, delivery.offset, json.dumps(asdict(message)), message.why))


def describe(error: BaseException) -> str:
    """What was raised and where, for the operator's eyes; kept in the database, not in the log."""
    frames = extract_tb(error.__traceback__)
    where = f" at {frames[-1].filename.rpartition('/')[2]}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{where}: {error}".replace("\x00", "")[:MAX_ERROR]
