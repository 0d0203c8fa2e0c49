"""The question of where the escalation of the dose stands."""

from services.projector.domain.board_lines import (
    CohortBoard,
)
from services.projector.domain.cohort_board import (
    Known,
    Told,
    cohort_board,
    slot_holders,
)
from services.projector.reading import Found, Question, Readings
from services.projector.readmodels import dose_limiting, escalation, participants
from services.projector.readmodels.participants import EVERYBODY
from services.projector.safety_tables import OF_TOXICITIES, dosed_of, fired_of, toxicities_of


class CohortBoards(Readings):
    """The query. It names the read models it is built from."""

    async def board(self, question: Question) -> Found[CohortBoard]:
        """The gate looks at the whole trial, whoever asks."""
        async with self._reading(question, *OF_TOXICITIES, escalation.PROJECTION) as reading:
            connection = reading.connection
            told = [Told(*each) for each in await escalation.told(connection)]
            people = await participants.dosed(connection, EVERYBODY, slot_holders(told))
            seen = await participants.numbers(connection, reading.scope)
            proposed = toxicities_of(await dose_limiting.of(connection, EVERYBODY))
            fired = fired_of(await dose_limiting.of_dosing(connection))
        known = Known(told, [dosed_of(row, self.protocol) for row in people], proposed, fired, frozenset(seen))
        return reading.found(cohort_board(self.protocol, known, reading.now))
