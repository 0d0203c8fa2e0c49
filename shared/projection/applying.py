"""One batch into one database: rows, cursors and positions of all its projections in one transaction."""

from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg

from shared.db import Database
from shared.kernel.clock import Clock, system_clock
from shared.projection import ledger
from shared.projection.connections import Connection, reading, transaction
from shared.projection.ledger import MAX_REMEMBERED_STREAMS, Standing
from shared.projection.parking import parking
from shared.projection.planning import Arrival, Step, concerning, describe, plan, unknown_streams
from shared.projection.projection import Projection
from shared.projection.writing import BulkWriter, Statement, cause, is_poison


class Overtaken(Exception):
    """Somebody else moved one of the projections; what was planned is void."""


class Poisoned(Exception):
    """The database refuses the rows of one projection: one of the batch's events is to blame."""

    def __init__(self, projection: str, error: BaseException) -> None:
        super().__init__(f"{projection} cannot be written")
        self.projection = projection
        self.why = describe(error)


class Applier:
    """Keeps what is known of the projections' standings, and applies batches to them."""

    def __init__(self, db: Database, projections: Sequence[Projection], clock: Clock = system_clock) -> None:
        _refuse_shared_tables(projections)
        self.projections = tuple(projections)
        self.names = [projection.name for projection in projections]
        self.wanted = frozenset(kind for projection in projections for kind in projection.handlers)
        self.standings: dict[str, Standing] = {}
        self._db = db
        self._clock = clock
        self._writer = BulkWriter(db.engine.dialect)

    async def refresh(self) -> bool:
        """Look whether others moved the projections; True where they did, and the standings are read anew."""
        async with self._db.connect() as connection:
            known = {name: standing.epoch for name, standing in self.standings.items()}
            if known and await ledger.epochs(connection, self.names) == known:
                return False
            self.standings = await ledger.load(connection, self.names)
            return True

    async def apply(self, arrivals: Sequence[Arrival]) -> list[Step]:
        """Take a batch in, or one event after the other where one of them has to be found that no table takes."""
        try:
            return await self._apply(arrivals, {})
        except Poisoned:
            return [step for arrival in arrivals for step in await self._apply_alone(arrival)]

    async def _apply_alone(self, arrival: Arrival) -> list[Step]:
        poison: dict[str, str] = {}
        while True:
            try:
                return await self._apply([arrival], poison)
            except Poisoned as refused:
                if refused.projection in poison:
                    raise  # even setting the event aside fails
                poison[refused.projection] = refused.why

    async def _apply(self, arrivals: Sequence[Arrival], poison: dict[str, str]) -> list[Step]:
        while True:
            steps = [
                plan(projection, self.standings[projection.name], mine, poison.get(projection.name))
                for projection, mine in await self._concerned(arrivals)
            ]
            if not steps:
                return []
            try:
                await self._commit(steps)
            except Overtaken:
                self.standings = {}
                continue
            for step in steps:
                step.accept()
            if any(step.aside for step in steps):
                self.standings = {}  # how many wait, the database knows: what is parked twice is kept once
            return steps

    async def _commit(self, steps: Sequence[Step]) -> None:
        prepared = [(step, self._statements(step)) for step in steps]
        try:
            if not await self._written_at_once(prepared):
                async with transaction(self._db) as connection:
                    await self._write(connection, prepared)
        except asyncpg.TransactionRollbackError as error:
            raise Overtaken from error  # a deadlock or a serialisation failure: the same again

    async def _written_at_once(self, prepared: Sequence[tuple[Step, list[Statement]]]) -> bool:
        """Write a small batch in one round trip. False: nothing was written, and one statement after the other has
        to be, or to tell which projection's rows the database refuses."""
        joined = self._writer.parts([one for _, statements in prepared for one in statements], ledger.PARAMETERS + 1)
        if joined is None:
            return False
        try:
            async with transaction(self._db) as connection:
                await self._claim(connection, prepared, *joined)
        except Exception as error:
            if is_poison(error):
                return False
            raise
        return True

    async def _write(self, connection: Connection, prepared: Sequence[tuple[Step, list[Statement]]]) -> None:
        await self._claim(connection, prepared)
        for step, statements in prepared:
            try:
                await self._writer.run(connection, statements)
            except Exception as error:
                if is_poison(error):
                    raise Poisoned(step.projection.name, cause(error)) from error
                raise

    async def _claim(
        self,
        connection: Connection,
        prepared: Sequence[tuple[Step, list[Statement]]],
        parts: Sequence[str] = (),
        values: Sequence[Any] = (),
    ) -> None:
        if not await ledger.claim(connection, [step.move() for step, _ in prepared], parts, values):
            raise Overtaken

    def _statements(self, step: Step) -> list[Statement]:
        changes = step.rows.changes()
        if step.aside:
            changes.append(parking(step.projection.name, step.aside, self._clock()))
        try:
            return self._writer.statements(changes)
        except Exception as error:
            raise Poisoned(step.projection.name, error) from error

    async def _concerned(self, arrivals: Sequence[Arrival]) -> list[tuple[Projection, list[Arrival]]]:
        """Which messages mean something to which projection; its cursors of all their streams are then known."""
        if not self.standings:
            await self.refresh()
        found = [
            (projection, mine)
            for projection in self.projections
            if (mine := concerning(projection, self.standings[projection.name], arrivals))
        ]
        missing: dict[str, set[str]] = {}
        for projection, mine in found:
            standing = self.standings[projection.name]
            if len(standing.cursors) > MAX_REMEMBERED_STREAMS:
                standing.cursors.clear()
            if streams := unknown_streams(standing, mine):
                missing[projection.name] = streams
        if missing:
            await self._read_cursors(missing)
        return found

    async def _read_cursors(self, missing: Mapping[str, set[str]]) -> None:
        async with reading(self._db) as connection:
            found = await ledger.load_cursors(connection, list(missing), list(set().union(*missing.values())))
        for name, streams in missing.items():
            self.standings[name].cursors.update(dict.fromkeys(streams, 0))
        for name, stream, version in found:
            self.standings[name].cursors[stream] = version


def _refuse_shared_tables(projections: Sequence[Projection]) -> None:
    owners: dict[str, str] = {}
    for projection in projections:
        for table in projection.tables:
            owner = owners.setdefault(table.name, projection.name)
            if owner != projection.name:
                raise TypeError(f"{table.name} belongs to {owner}: a rebuild of {projection.name} would destroy it")
