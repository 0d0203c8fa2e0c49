"""A participant goes to another site of the trial: access goes along, identity and record stay.

The sponsor records it, once both sites agree. What the former site recorded stays on record and is read at the new
one; its own source documents it keeps (ICH E6(R3) 2.12, Appendix C). Consent goes by the new site's forms from then on.
"""

from pydantic import ConfigDict

from services.enrollment.domain.facts import Facts, OutOfOrder, refuse_future_day
from services.enrollment.domain.life import Participant
from services.enrollment.domain.site import NoSuchSite
from shared.contracts.enrollment import ParticipantEvent, ParticipantTransferred
from shared.contracts.terms import Day, Reason, SiteId
from shared.kernel.decider import Command
from shared.kernel.errors import Conflict


class TransferParticipant(Command):
    """Care goes over to another site, at once; `transferred_on` tells the day on which it did."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"to_site": "KKU", "transferred_on": "2026-06-02", "reason": "The family moved to Khon Kaen"}]
        }
    )

    to_site: SiteId
    transferred_on: Day
    reason: Reason


class AlreadyThere(Conflict):
    """The participant is at that site, since another day or from the beginning."""


def transfer(command: TransferParticipant, participant: Participant, facts: Facts) -> list[ParticipantEvent]:
    """Raises: NoSuchSite, AlreadyThere, InTheFuture, OutOfOrder."""
    if command.to_site == participant.site_id:
        if participant.transferred_on == command.transferred_on:
            return []
        raise AlreadyThere("the participant is at that site already")
    if facts.receiving is None:
        raise NoSuchSite("there is no such site; a sponsor opens it first")
    refuse_future_day(command.transferred_on.isoformat(), facts, participant.zone)
    if command.transferred_on < (participant.transferred_on or participant.data.screened_on):
        raise OutOfOrder("transferred_on lies before the participant came to the present site")
    return [
        ParticipantTransferred(
            participant_id=participant.participant_id,
            from_site=participant.site_id,
            site_id=command.to_site,
            time_zone=facts.receiving,
            transferred_on=command.transferred_on,
            reason=command.reason,
        )
    ]
