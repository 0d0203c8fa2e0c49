"""How urgent a serious event is, and the duties to tell that follow."""

from collections.abc import Iterator
from datetime import UTC, datetime, tzinfo
from enum import IntEnum

from services.safety.domain.record import OnRecord
from shared.contracts.safety import AlertCause, Notice, Seriousness
from shared.protocol import AppliesWhen, Protocol, StartsFrom
from shared.protocol.schedule import deadline


class Urgency(IntEnum):
    """Not serious, serious, and the two kinds that regulators and committees hear of sooner."""

    NONE = 0
    SERIOUS = 1
    LIFE_THREATENING = 2
    FATAL = 3


def urgency_of(seriousness: tuple[Seriousness, ...]) -> Urgency:
    if Seriousness.DEATH in seriousness:
        return Urgency.FATAL
    if Seriousness.LIFE_THREATENING in seriousness:
        return Urgency.LIFE_THREATENING
    return Urgency.SERIOUS if seriousness else Urgency.NONE


_ROSE_TO = {
    Urgency.SERIOUS: AlertCause.BECAME_SERIOUS,
    Urgency.LIFE_THREATENING: AlertCause.BECAME_LIFE_THREATENING,
    Urgency.FATAL: AlertCause.BECAME_FATAL,
}

_APPLIES = {
    Urgency.NONE: frozenset[AppliesWhen](),
    Urgency.SERIOUS: frozenset({AppliesWhen.SERIOUS, AppliesWhen.OTHER_SERIOUS}),
    Urgency.LIFE_THREATENING: frozenset({AppliesWhen.SERIOUS, AppliesWhen.FATAL_OR_LIFE_THREATENING}),
    Urgency.FATAL: frozenset({AppliesWhen.SERIOUS, AppliesWhen.FATAL_OR_LIFE_THREATENING}),
}


def cause_of_alert(before: OnRecord | None, after: OnRecord) -> AlertCause | None:
    """Why a change raises an alert, or None: the event became more urgent, or its clock had run from a wrong instant.

    A downgrade raises none and withdraws none. If the event is upgraded again, that is new, and raises another.
    """
    urgency = urgency_of(after.seriousness)
    if before is None:
        return AlertCause.REPORTED_SERIOUS if urgency else None
    if urgency > urgency_of(before.seriousness):
        return _ROSE_TO[urgency]
    moved = before.became_aware_at != after.became_aware_at
    ran_from_it = bool(before.alerts) and before.alerts[-1].became_aware_at == before.became_aware_at
    return AlertCause.AWARENESS_CORRECTED if urgency and moved and ran_from_it else None


def notices(protocol: Protocol, urgency: Urgency, aware_at: datetime, zone: tzinfo) -> Iterator[Notice]:
    """The protocol's clocks that the site's awareness starts, with the instants at which they run out.

    Clocks of suspected unexpected reactions start from the sponsor's awareness and need expectedness; they are not
    the site's. Hours are exact; calendar days end with the day at the site.
    """
    for clock in protocol.clocks:
        starts_here = clock.enabled and clock.starts_from is StartsFrom.SITE_AWARENESS
        if starts_here and clock.applies_when in _APPLIES[urgency]:
            due = deadline(clock, aware_at, zone).astimezone(UTC)
            yield Notice(clock=clock.id, to=clock.to, due_at=due)
