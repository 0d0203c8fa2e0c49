"""Which migration a database is at, and which one this code was written for.

Without alembic: an api and a worker ask each time somebody looks at their readiness, and would else carry alembic's
7 MiB for this one question.
"""

import ast
from functools import cache
from pathlib import Path

from sqlalchemy import text

from shared.db import Database

_BEGUN = {
    "postgresql": text("select to_regclass('alembic_version') is not null"),
    "sqlite": text("select exists (select 1 from sqlite_master where type = 'table' and name = 'alembic_version')"),
}


async def is_current(db: Database, folder: Path) -> bool:
    """Whether the database is at the revision this code was written for."""
    async with db.connect() as connection:
        if not await connection.scalar(_BEGUN[db.dialect]):
            return False
        at: object = await connection.scalar(text("select version_num from alembic_version"))
        return at == head(folder)


@cache
def head(folder: Path) -> object:
    """The newest of a service's migrations: the one that no other builds on. None where there are none."""
    written = [_assigned(file) for file in (folder / "versions").glob("*.py")]
    newest = {each["revision"] for each in written} - {each["down_revision"] for each in written}
    if len(newest) > 1:
        raise ValueError(f"{folder} has several newest migrations: {', '.join(sorted(map(str, newest)))}")
    return newest.pop() if newest else None


def _assigned(file: Path) -> dict[str, object]:
    """`revision` and `down_revision` of one migration, which is read and not run."""
    found: dict[str, object] = {}
    for statement in ast.parse(file.read_text(encoding="utf-8")).body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=value)):
                found[name] = value
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.Constant(value=value)):
                found[name] = value
    return found
