"""Specimens where they stand, and what a reader of a result should know of the one that it names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from services.projector.domain.specimen_list import Held, SpecimenStatus, flags_of_result
from services.projector.reading import Reading
from services.projector.readmodels import specimens
from services.projector.readmodels.participants import Scope
from shared.contracts.biomarkers_specimens import Absence, Collection, Purpose, ResultKind, SpecimenType
from shared.contracts.specimen_flags import SpecimenFlag


@dataclass(frozen=True, slots=True)
class Custody:
    """Which specimen each result names, where it stands."""

    named: Mapping[tuple[ResultKind, UUID], UUID]
    held: Mapping[UUID, Held]

    def flags(self, kind: ResultKind, result_id: UUID, row: RowMapping) -> tuple[SpecimenFlag, ...]:
        """What a reader of this result should know; `row` has the type and the time of collection of its report."""
        specimen_id = self.named.get((kind, result_id))
        found = None if specimen_id is None else self.held.get(specimen_id)
        return flags_of_result(found, type_=row["specimen"], collected_at=row["collected_at"])


async def custody_of(reading: Reading) -> Custody:
    """Rests on the read model of specimens."""
    held = await every_specimen(reading.connection, reading.scope)
    return Custody(await specimens.named_by_results(reading.connection), {each.specimen_id: each for each in held})


async def every_specimen(connection: AsyncConnection, scope: Scope) -> list[Held]:
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
