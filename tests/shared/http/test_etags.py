"""Which entity tags say that a client holds what it asks for."""

import httpx
import pytest
from fastapi import FastAPI

from shared.http.etags import IfNoneMatch

APP = FastAPI()


@APP.get("/held")
async def held(at_hand: IfNoneMatch) -> bool:
    return '"a"' in at_hand


@pytest.mark.parametrize(
    ("sent", "is_held"),
    [
        ([], False),
        ([""], False),
        (['"b"'], False),
        (["a"], False),
        (['"a"'], True),
        (['W/"a"'], True),
        (['"b", W/"a"'], True),
        (['"b"', '"a"'], True),
        (["*"], True),
    ],
)
async def test_what_is_at_hand(sent: list[str], is_held: bool) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(APP), base_url="http://test") as client:
        answer = await client.get("/held", headers=[("If-None-Match", each) for each in sent])
    assert answer.json() is is_held
