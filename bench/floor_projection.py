"""The floor of a projection: the same rows by psycopg's executemany, 500 events a transaction, and nothing else.

Events lie in memory as JSON. No bus, no cursors per stream, no handlers, no check of any value: what each event
changes is written out by hand, the statements go through the connection's pipeline, and one offset moves with them.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from pydantic_core import from_json

from bench import sample
from bench.harness import Case, Figures
from bench.history import RESOLVED
from shared.kernel.events import Envelope

BATCH = 500
OFFSETS = "create table if not exists floor_offsets (consumer text primary key, next_offset bigint not null)"
MOVE = (
    "insert into floor_offsets values ('floor', %s) on conflict (consumer) do update "
    "set next_offset = excluded.next_offset"
)


def _upsert(table: str, key: Sequence[str], *columns: str) -> str:
    names = [*key, *columns]
    sets = ", ".join(f"{name} = excluded.{name}" for name in columns)
    return (
        f"insert into {table} ({', '.join(names)}) values ({', '.join(['%s'] * len(names))}) "
        f"on conflict ({', '.join(key)}) do update set {sets}"
    )


_ID = ("adverse_event_id",)
_REPORT = _upsert(
    "adverse_events",
    _ID,
    *("participant_id", "onset", "ended_on", "became_aware_at", "serious", "seriousness", "action_taken", "outcome"),
    *("version", "edition", "meddra_code", "term", "soc", "specification"),
)
_REGRADE = _upsert("adverse_events", _ID, "version")
_RESOLVE = _upsert("adverse_events", _ID, "ended_on", "outcome", "version")
_GRADE = _upsert("adverse_event_grades", (*_ID, "place"), "grade", "since", "basis")
_CAUSALITY = _upsert("adverse_event_causality", (*_ID, "agent"), "attribution")

Rows = dict[str, list[tuple[Any, ...]]]


def _reported(rows: Rows, event: Mapping[str, Any], version: int) -> None:
    made, term, serious = event["adverse_event_id"], event["term"], event["seriousness"]
    told = (event["participant_id"], event["onset"], event["ended_on"], event["became_aware_at"], bool(serious))
    how = (_json(serious), event["action_taken"], event["outcome"], version)
    what = (term["edition"], term["meddra_code"], term["name"], term["soc"], term["specification"])
    rows[_REPORT].append((made, *told, *how, *what))
    _graded(rows, event, event["onset"], version)
    rows[_CAUSALITY].extend((made, each["agent"], each["attribution"]) for each in event["causality"])


def _regraded(rows: Rows, event: Mapping[str, Any], version: int) -> None:
    rows[_REGRADE].append((event["adverse_event_id"], version))
    _graded(rows, event, event["since"], version)


def _resolved(rows: Rows, event: Mapping[str, Any], version: int) -> None:
    rows[_RESOLVE].append((event["adverse_event_id"], event["ended_on"], event["outcome"], version))


def _graded(rows: Rows, event: Mapping[str, Any], since: str, version: int) -> None:
    place, basis = version * 1000, _json(event["grade_basis"])
    rows[_GRADE].append((event["adverse_event_id"], place, event["grade"], since, basis))


def _json(value: Any) -> psycopg.types.json.Jsonb:
    return psycopg.types.json.Jsonb(value)


_HANDLERS = {sample.REPORTED: _reported, sample.REGRADED: _regraded, RESOLVED: _resolved}


def floor(dsn: str, envelopes: Sequence[Envelope], clear: str) -> Case:
    events = [(each.type, each.version, each.data.encode()) for each in envelopes]

    def run() -> Figures:
        with psycopg.connect(dsn) as connection, connection.cursor() as cursor:
            cursor.execute("set search_path to projector")
            cursor.execute(f"{clear}; {OFFSETS}")
            connection.commit()
            begun, cpu = time.perf_counter(), time.process_time()
            for start in range(0, len(events), BATCH):
                for statement, rows in _rows(events[start : start + BATCH]).items():
                    if rows:
                        cursor.executemany(statement, rows)
                cursor.execute(MOVE, (start + BATCH,), prepare=True)
                connection.commit()
            took, used = time.perf_counter() - begun, time.process_time() - cpu
        return {"rate": len(events) / took, "cpu_us": used / len(events) * 1e6}

    return run


def _rows(events: Sequence[tuple[str, int, bytes]]) -> Rows:
    rows: Rows = {_REPORT: [], _REGRADE: [], _RESOLVE: [], _GRADE: [], _CAUSALITY: []}
    for kind, version, data in events:
        _HANDLERS[kind](rows, from_json(data), version)
    return rows
