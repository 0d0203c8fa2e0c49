"""What a process answers beside its services."""

import pytest
from httpx import ASGITransport, AsyncClient

from shared.process.api import root_app


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [("GET", "/nowhere", 404, "no-such-path"), ("POST", "/health/live", 405, "method-not-allowed")],
)
async def test_a_path_that_nobody_serves_is_answered_as_a_problem(
    method: str, path: str, status: int, code: str
) -> None:
    async with AsyncClient(transport=ASGITransport(root_app({}, {})), base_url="http://trial") as client:
        answer = await client.request(method, path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert answer.json()["type"] == code
