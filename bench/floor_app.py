"""The bare endpoint that ours is measured beside: the same model, the same kind of insert, nothing else."""

import gc
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import asyncpg
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

from bench.append import CTE
from services.safety.domain.adverse_event import ReportAdverseEvent


class Accepted(BaseModel):
    """The bare answer."""

    id: UUID
    version: int


def make_app(dsn: str) -> FastAPI:
    async def no_reset(_connection: object) -> None:
        return

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with asyncpg.create_pool(dsn, min_size=8, max_size=8, reset=no_reset) as pool:
            app.state.pool = pool
            gc.collect()
            gc.freeze()
            yield

    app = FastAPI(lifespan=lifespan)

    @app.post("/v1/adverse-events", status_code=201)
    async def report(command: ReportAdverseEvent) -> Accepted:
        made = uuid4()
        async with app.state.pool.acquire() as connection:
            await connection.execute(CTE, made, "safety.adverse-event-reported", command.model_dump_json())
        return Accepted(id=made, version=1)

    @app.get("/health/live")
    async def live() -> dict[str, str]:
        return {"status": "live"}

    return app


if __name__ == "__main__":
    options = {"loop": "uvloop", "http": "httptools", "access_log": False, "log_level": "warning"}
    uvicorn.run(make_app(sys.argv[1]), host="127.0.0.1", port=int(sys.argv[2]), **options)  # type: ignore[arg-type]
