"""The least API process that holds the same libraries: `python -m bench.floor_api URL PORT`.

FastAPI on uvicorn, SQLAlchemy over asyncpg, one model, one question that asks the database.
"""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine


class Answer(BaseModel):
    """The bare answer."""

    number: int


def make_app(url: str) -> FastAPI:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.engine = create_async_engine(url)
        yield
        await app.state.engine.dispose()

    app = FastAPI(lifespan=lifespan)

    @app.get("/health/ready")
    async def ready() -> Answer:
        async with app.state.engine.connect() as connection:
            return Answer(number=await connection.scalar(text("select 1")))

    return app


if __name__ == "__main__":
    options = {"loop": "uvloop", "http": "httptools", "access_log": False, "log_level": "warning"}
    uvicorn.run(make_app(sys.argv[1]), host="127.0.0.1", port=int(sys.argv[2]), **options)  # type: ignore[arg-type]
