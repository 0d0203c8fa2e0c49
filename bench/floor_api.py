"""A bare API process with the same libraries: `python -m bench.floor_api URL PORT`.

FastAPI on uvicorn, one command of thirteen fields, asyncpg's pool for writing and SQLAlchemy's engine for reading.
Nothing else: no tokens, no protocol, no metrics, no log format, one endpoint.
"""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

import asyncpg
import uvicorn
from fastapi import FastAPI
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

Short = Annotated[str, StringConstraints(min_length=1, max_length=200)]
INSERT = "insert into reports (id, payload) values ($1, $2::jsonb)"


class Report(BaseModel):
    """A command as any service has it."""

    model_config = ConfigDict(extra="forbid")

    report_id: UUID
    participant_id: UUID
    term: Short
    specification: Short | None = None
    grade: Annotated[int, Field(ge=1, le=5)]
    onset: date
    ended_on: date | None = None
    became_aware_at: AwareDatetime
    seriousness: Annotated[list[Short], Field(max_length=6)] = []
    causality: dict[str, Literal["unrelated", "unlikely", "possible", "probable", "definite"]] = {}
    action_taken: Short | None = None
    outcome: Short | None = None
    dose: Decimal | None = None


class Accepted(BaseModel):
    """The bare answer."""

    id: UUID
    at: datetime


def make_app(url: str) -> FastAPI:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.engine = create_async_engine(url)
        app.state.pool = await asyncpg.create_pool(url.replace("+asyncpg", ""), min_size=1, max_size=8)
        yield
        await app.state.pool.close()
        await app.state.engine.dispose()

    app = FastAPI(lifespan=lifespan)

    @app.post("/reports", status_code=201)
    async def report(command: Report) -> Accepted:
        await app.state.pool.execute(INSERT, command.report_id, command.model_dump_json())
        return Accepted(id=command.report_id, at=command.became_aware_at)

    @app.get("/health/ready")
    async def ready() -> dict[str, int]:
        async with app.state.engine.connect() as connection:
            return {"answer": await connection.scalar(text("select 1"))}

    return app


if __name__ == "__main__":
    options = {"loop": "uvloop", "http": "httptools", "access_log": False, "log_level": "warning"}
    uvicorn.run(make_app(sys.argv[1]), host="127.0.0.1", port=int(sys.argv[2]), **options)  # type: ignore[arg-type]
