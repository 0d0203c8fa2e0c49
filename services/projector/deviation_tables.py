"""Questions about protocol deviations, of whatever kind."""

from services.projector.consent_tables import OF_UNCOVERED, uncovered_of
from services.projector.domain.protocol_deviations import (
    OF_DEVIATIONS,
    DeviationKey,
    ProtocolDeviation,
    Told,
    Whose,
    key_of_deviation,
    protocol_deviations,
)
from services.projector.domain.site_schedule import schedule_deviations
from services.projector.performed import OF_SCHEDULES
from services.projector.reading import Found, Question, Readings
from services.projector.readmodels import participants, timeline
from services.projector.schedule_tables import schedules_of
from shared.protocol import DeviationKind


class DeviationTables(Readings):
    """The queries. Each names the read models it is built from."""

    async def deviations(
        self, question: Question, kinds: frozenset[DeviationKind], after: DeviationKey | None, limit: int
    ) -> Found[list[ProtocolDeviation]]:
        async with self._reading(question, *{*OF_SCHEDULES, *OF_UNCOVERED}) as reading:
            rows = await participants.everybody(reading.connection, reading.scope)
            recorded = await timeline.recorded(reading.connection, OF_DEVIATIONS)
            schedules = await schedules_of(reading, self.protocol)
            uncovered = await uncovered_of(reading, self.protocol)
        own = self.protocol.schedule.time_zone.value
        people = [
            Whose(
                participant_id=row["participant_id"],
                subject_number=row["subject_number"],
                site_id=row["site_id"],
                zone=row["time_zone"] or own,
                day_zero=row["day_zero"],
            )
            for row in rows
        ]
        told = {who: [Told(*each) for each in events] for who, events in recorded.items()}
        lines = protocol_deviations(self.protocol, people, told, schedule_deviations(schedules), kinds, uncovered)
        return reading.found([line for line in lines if after is None or key_of_deviation(line) > after][:limit])
