"""Questions about specimens across participants."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.projector.cohorts import cohort_for_visits
from services.projector.custody import every_specimen
from services.projector.domain.specimen_list import SpecimenLine, SpecimenStatus, specimen_lines
from services.projector.reading import Found, Question, Readings
from services.projector.readmodels import consents, cytokine_panels, flow_results, participants, specimens
from shared.contracts.biomarkers import FlowSpecimenType
from shared.protocol import Assessment

_OF_SPECIMENS = (
    participants.PROJECTION,
    specimens.PROJECTION,
    flow_results.PROJECTION,
    cytokine_panels.PROJECTION,
    consents.PROJECTION,
)

LineKey = tuple[str, UUID, int]


@dataclass(frozen=True, slots=True)
class LineFilter:
    """Which lines to list. None: all."""

    status: SpecimenStatus | None = None

    def holds(self, line: SpecimenLine) -> bool:
        return self.status in {None, line.status}


def key_of_line(line: SpecimenLine) -> LineKey:
    return line.subject_number, line.participant_id, line.sequence


class SpecimenTables(Readings):
    """The queries. Each names the read models it is built from."""

    async def specimens(
        self, question: Question, wanted: LineFilter, after: LineKey | None, limit: int
    ) -> Found[list[SpecimenLine]]:
        async with self._reading(question, *_OF_SPECIMENS) as reading:
            connection, scope = reading.connection, reading.scope
            performed: dict[tuple[UUID, Assessment], list[datetime]] = defaultdict(list)
            for drawn in await flow_results.that_count(connection, scope, FlowSpecimenType.BLOOD):
                performed[drawn["participant_id"], Assessment.CAR_T_FLOW].append(drawn["collected_at"])
            for drawn in await cytokine_panels.that_count(connection, scope):
                performed[drawn["participant_id"], Assessment.CYTOKINES].append(drawn["collected_at"])
            lines = specimen_lines(
                self.protocol,
                await participants.numbers(connection, scope),
                await cohort_for_visits(reading, self.protocol),
                await every_specimen(connection, scope),
                performed,
                today=reading.today,
            )
        shown = [line for line in lines if wanted.holds(line) and (after is None or key_of_line(line) > after)]
        return reading.found(shown[:limit])
