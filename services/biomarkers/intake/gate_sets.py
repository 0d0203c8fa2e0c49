"""Gate sets: Gating-ML that a laboratory saved once, to be applied to its files by name.

A set never changes, so that what a result was gated by stays what it was; other gates are another set.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from services.biomarkers.intake.apart import FileUnreadable
from services.biomarkers.intake.plain_xml import local, tree
from services.biomarkers.tables import gate_sets
from shared.contracts.biomarkers import GatedPopulation
from shared.db import Database
from shared.kernel.actor import Actor
from shared.kernel.clock import Clock
from shared.kernel.errors import AlreadyExists, NotFound
from shared.upserts import insert

_columns = gate_sets.c


class NoSuchGateSet(NotFound):
    """No gate set has this id, or none at the caller's sites."""


class GateSetOnRecord(AlreadyExists):
    """Other gates are saved under this id; a set never changes, so take a new id."""


@dataclass(frozen=True, slots=True)
class GateSet:
    """A set as it was saved."""

    gate_set_id: UUID
    site_id: str
    name: str
    gating_ml: str
    populations: Mapping[str, GatedPopulation]
    saved_at: datetime
    saved_by: str

    @property
    def content(self) -> tuple[Any, ...]:
        return self.site_id, self.name, self.gating_ml, dict(self.populations)


class GateSets:
    """What the routes of gate sets call."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def save(
        self,
        gate_set_id: UUID,
        site_id: str,
        name: str,
        gating_ml: str,
        populations: Mapping[str, GatedPopulation],
        *,
        by: Actor,
    ) -> GateSet:
        """Save a set; the same one again changes nothing.

        Raises:
            NoSuchGateSet, GateSetOnRecord, FileUnreadable.
        """
        if not by.may_see(site_id):
            raise NoSuchGateSet("no such site is yours")
        if local(tree(gating_ml.encode()).tag) != "Gating-ML":
            raise FileUnreadable("gating_ml is no Gating-ML")
        wanted = GateSet(gate_set_id, site_id, name, gating_ml, dict(populations), self._clock(), by.id)
        values = {each: getattr(wanted, each) for each in GateSet.__dataclass_fields__}
        values |= {"gate_set_id": str(gate_set_id), "populations": {k: v.value for k, v in populations.items()}}
        async with self._db.begin() as connection:
            insertion = insert(self._db, gate_sets).values(values)
            await connection.execute(insertion.on_conflict_do_nothing(index_elements=["gate_set_id"]))
        [saved] = await self._read(_columns.gate_set_id == str(gate_set_id))
        if saved.content != wanted.content:
            raise GateSetOnRecord("other gates are saved under this id: take a new one")
        return saved

    async def one(self, gate_set_id: UUID, *, by: Actor) -> GateSet:
        """Raises: NoSuchGateSet."""
        found = [
            each for each in await self._read(_columns.gate_set_id == str(gate_set_id)) if by.may_see(each.site_id)
        ]
        if not found:
            raise NoSuchGateSet("no gate set has this id, or none at your sites")
        return found[0]

    async def listed(self, *, by: Actor) -> list[GateSet]:
        return [each for each in await self._read(_columns.site_id.is_not(None)) if by.may_see(each.site_id)]

    async def _read(self, chosen: Any) -> list[GateSet]:
        query = select(gate_sets).where(chosen).order_by(_columns.saved_at, _columns.gate_set_id)
        async with self._db.connect() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [
            GateSet(
                **{
                    **row,
                    "gate_set_id": UUID(row["gate_set_id"]),
                    "populations": {name: GatedPopulation(held) for name, held in row["populations"].items()},
                }
            )
            for row in rows
        ]
