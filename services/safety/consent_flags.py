"""Flags on reports about safety: what consent to follow-up did not cover. Such a report is never refused.

Source: ICH E6(R3) 2.8; FDA 2008, Guidance on data retention when subjects withdraw.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

from services.safety.references import Participant
from services.safety.tables import known_consents
from shared.consent.coverage import Coverage
from shared.contracts.enrollment_terms import ConsentGap, ConsentScope
from shared.db import Database
from shared.kernel.errors import NoSuchParticipant
from shared.known_consents import KnownConsents
from shared.protocol import ConsentGate, Protocol

Gaps = tuple[ConsentGap, ...] | None  # None: the protocol does not ask, or nothing has been heard of the participant
FLAG = "What consent to follow-up lacked on that day; null: the protocol does not ask, or not heard yet"


class ConsentFlags:
    """Answers with what is known here of consent, by enrollment's events."""

    def __init__(self, db: Database, protocol: Protocol) -> None:
        self._consents = KnownConsents(db, known_consents, protocol)

    async def on(self, participant: Participant, partial: str) -> Gaps:
        """What was lacking on a date as far as it is known."""
        covered = await self._covered(participant)
        return None if covered is None else covered.gaps_of(partial, ConsentScope.FOLLOW_UP)

    async def at(self, participant: Participant) -> Callable[[datetime], Gaps]:
        """Answers for instants, each by its day at the site."""
        covered = await self._covered(participant)

        def gaps(at: datetime) -> Gaps:
            return None if covered is None else covered.gaps(covered.record.day_of(at), ConsentScope.FOLLOW_UP)

        return gaps

    async def _covered(self, participant: Participant) -> Coverage | None:
        with suppress(NoSuchParticipant):
            gate = ConsentGate.FOLLOW_UP
            return await self._consents.gating(gate, participant.participant_id, participant.site_id)
        return None
