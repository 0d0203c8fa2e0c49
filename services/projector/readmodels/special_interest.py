"""Adverse events of special interest: the protocol's list, each kind with the events that are of it."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from uuid import UUID

from pydantic import BaseModel, Field

from services.projector.readmodels.adverse_events import AdverseEvent
from shared.contracts.grade_spells import grade_spells
from shared.protocol import Mark, Protocol


class KindOfInterest(BaseModel):
    """One kind, how well it is known, and its events as they stand now."""

    id: str
    title: str
    mark: Mark
    participants: int = Field(description="Those with at least one event of this kind")
    events: tuple[AdverseEvent, ...]


class SpecialInterests(BaseModel):
    """Every kind of the protocol that is watched. An event may be of several."""

    infused: int
    kinds: tuple[KindOfInterest, ...]


def special_interests(
    protocol: Protocol, infused_on: Mapping[UUID, date], events: Sequence[AdverseEvent]
) -> SpecialInterests:
    """The events of those infused, by kind. `infused_on` is the day of the first infusion in the trial's time zone."""
    return SpecialInterests(infused=len(infused_on), kinds=tuple(_kinds(protocol, infused_on, events)))


def _kinds(
    protocol: Protocol, infused_on: Mapping[UUID, date], events: Sequence[AdverseEvent]
) -> Iterator[KindOfInterest]:
    spells = {
        each.adverse_event_id: [*grade_spells(each.grades, each.ended_on, infused_on.get(each.participant_id))]
        for each in events
    }
    for kind in protocol.car_t_toxicity.special_interest:
        of_it = tuple(
            each
            for each in events
            if kind.holds(
                each.soc,
                each.meddra_code,
                each.specification,
                serious=each.serious,
                spells=spells[each.adverse_event_id],
            )
        )
        if kind.enabled:
            who = {each.participant_id for each in of_it}
            yield KindOfInterest(id=kind.id, title=kind.title, mark=kind.mark, participants=len(who), events=of_it)
