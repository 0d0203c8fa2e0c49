"""Questions about specimens across participants."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from services.projector.cohorts import cohort_of
from services.projector.domain.specimen_list import Held, SpecimenLine, SpecimenStatus, specimen_lines
from services.projector.reading import Found, Question, Readings
from services.projector.readmodels import cytokine_panels, flow_results, participants, specimens
from services.projector.readmodels.participants import Scope
from shared.contracts.biomarkers import FlowSpecimenType
from shared.contracts.biomarkers_specimens import Absence, Collection, Purpose, SpecimenType
from shared.protocol import Assessment

_OF_SPECIMENS = (
    participants.PROJECTION,
    specimens.PROJECTION,
    flow_results.PROJECTION,
    cytokine_panels.PROJECTION,
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
                await cohort_of(reading),
                await _every(connection, scope),
                performed,
                today=reading.today,
            )
        shown = [line for line in lines if wanted.holds(line) and (after is None or key_of_line(line) > after)]
        return reading.found(shown[:limit])


async def _every(connection: AsyncConnection, scope: Scope) -> list[Held]:
    """Every specimen that there is, where it stands."""
    steps, analyses = await specimens.steps(connection, scope), await specimens.analyses(connection)
    drawn = {key: _collection(own) for key, own in steps.items()}
    return [_held(own, drawn, analyses.get(key, ())) for key, own in steps.items()]


def _collection(own: Sequence[RowMapping]) -> Collection | None:
    if own[0]["status"] != SpecimenStatus.COLLECTED or own[0]["parent_id"] is not None:
        return None
    return Collection.model_validate(own[0]["details"])


def _held(own: Sequence[RowMapping], drawn: dict[UUID, Collection | None], analyses: Sequence[int]) -> Held:
    first, last = own[0], own[-1]
    origin = drawn.get(first["parent_id"] or first["specimen_id"])
    analysed = bool(analyses) and analyses[-1] > last["step"]
    conditions = [row["details"]["condition"] for row in own if "condition" in row["details"]]
    absence = Absence.model_validate(first["details"]) if first["status"] == SpecimenStatus.MISSING else None
    kind = first["details"].get("type")
    return Held(
        specimen_id=first["specimen_id"],
        participant_id=first["participant_id"],
        status=SpecimenStatus.ANALYSED if analysed else SpecimenStatus(last["status"]),
        since=None if analysed else last["at"],
        parent_id=first["parent_id"],
        type=None if kind is None else SpecimenType(kind),
        purposes=() if origin is None else tuple(Purpose(each) for each in origin.purposes),
        collected_at=None if origin is None else origin.collected_at,
        condition=conditions[-1] if conditions else None,
        because=None if analysed else last["details"].get("because"),
        results=len(analyses),
        absent_from=None if absence is None else (absence.visit, absence.purpose),
    )
