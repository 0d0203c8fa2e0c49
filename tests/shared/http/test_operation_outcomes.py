"""Where FHIR is asked, every problem is an OperationOutcome: those of a domain, of FastAPI and of `Surroundings`."""

from collections.abc import AsyncIterator

import httpx
import pytest

from shared.http.middleware import MAX_BODY_BYTES

JSON = {"Content-Type": "application/json"}
GOOD = b'{"grams": 1}'


async def pieces() -> AsyncIterator[bytes]:
    for _ in range(17):
        yield b" " * (MAX_BODY_BYTES // 16)


def issues(answer: httpx.Response) -> list[tuple[str, str, str]]:
    assert answer.headers["content-type"] == "application/fhir+json"
    body = answer.json()
    assert body["resourceType"] == "OperationOutcome"
    return [(each["severity"], each["code"], each["details"]["text"]) for each in body["issue"]]


@pytest.mark.parametrize(
    ("how", "status", "code", "said"),
    [
        ("unacceptable", 422, "invalid", "overweight"),
        ("conflict", 409, "conflict", "conflict"),
        ("stale", 412, "conflict", "stale-version"),
        ("missing", 404, "not-found", "not-found"),
        ("forbidden", 403, "forbidden", "forbidden"),
        ("away", 503, "transient", "unavailable"),
        ("bug", 500, "exception", "internal-error"),
    ],
)
async def test_what_the_domain_raises(client: httpx.AsyncClient, how: str, status: int, code: str, said: str) -> None:
    answer = await client.post(f"/v1/Device/{how}", content=GOOD, headers=JSON)
    assert (answer.status_code, issues(answer)) == (status, [("error", code, said)])
    assert answer.headers.get("retry-after") == ("2" if status == 503 else None)
    assert answer.headers["trace-id"]


@pytest.mark.parametrize("content", [b" " * (MAX_BODY_BYTES + 1), pieces()], ids=["declared", "chunked"])
async def test_a_body_that_is_too_large(client: httpx.AsyncClient, content: bytes | AsyncIterator[bytes]) -> None:
    answer = await client.post("/v1/Device/missing", content=content, headers=JSON)
    assert (answer.status_code, issues(answer)) == (413, [("error", "too-long", "body-too-large")])


async def test_a_caller_without_a_token(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/Device/missing", content=GOOD, headers={**JSON, "Authorization": "Basic YTpi"})
    assert (answer.status_code, issues(answer)) == (401, [("error", "login", "unauthenticated")])
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_another_method(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/Device/missing")
    assert (answer.status_code, issues(answer)) == (405, [("error", "not-supported", "method-not-allowed")])
    assert answer.headers["allow"] == "POST"


async def test_each_place_of_a_request_is_an_issue(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/Device/missing", json={"grams": "much", "colour": "red"})
    assert (answer.status_code, issues(answer)) == (422, [("error", "invalid", "invalid-request")] * 2)
    says = [each["diagnostics"].partition(":")[0] for each in answer.json()["issue"]]
    assert says == ["/grams", "/colour"]


async def test_a_path_beside_is_answered_with_a_problem(client: httpx.AsyncClient) -> None:
    assert (await client.get("/v1/scales/fail/missing")).headers["content-type"] == "application/problem+json"
