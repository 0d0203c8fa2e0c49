"""What every service does alike: problems, exact numbers, versions, ids, pages, limits."""

import json
import logging
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI

from shared.auth.local_issuer import LocalIssuer
from shared.http.health import Finding, routes
from shared.http.middleware import MAX_BODY_BYTES
from shared.kernel.actor import Role
from shared.telemetry.logs import JsonFormatter

JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("how", "status", "code"),
    [
        ("unacceptable", 422, "overweight"),
        ("conflict", 409, "conflict"),
        ("stale", 412, "stale-version"),
        ("missing", 404, "not-found"),
        ("forbidden", 403, "forbidden"),
        ("away", 503, "unavailable"),
    ],
)
async def test_what_the_domain_raises_is_answered_as_a_problem(
    client: httpx.AsyncClient, how: str, status: int, code: str
) -> None:
    answer = await client.get(f"/v1/scales/fail/{how}")
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    problem = answer.json()
    assert (problem["type"], problem["status"]) == (code, status)
    assert problem["trace_id"] == answer.headers["trace-id"]
    assert answer.headers.get("retry-after") == ("2" if status == 503 else None)
    assert problem.get("current_version") == (7 if status == 412 else None)


async def test_a_bug_is_answered_without_its_secrets_and_logged_without_them(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, "trial.http"):
        answer = await client.get("/v1/scales/fail/bug")
    assert (answer.status_code, answer.json()["type"]) == (500, "internal-error")
    assert "4711" not in answer.text
    (record,) = caplog.records
    line = json.loads(JsonFormatter().format(record))
    assert (line["message"], line["error_type"]) == ("a request failed by a bug of ours", "ZeroDivisionError")
    assert "4711" not in json.dumps(line)


@pytest.mark.parametrize("body", ['{"grams": 0.1000000000000000000001}', '{"grams": "0.1000000000000000000001"}'])
async def test_a_number_is_kept_digit_for_digit(client: httpx.AsyncClient, body: str) -> None:
    answer = await client.post("/v1/scales", content=body, headers=JSON)
    # More than 12 decimal places are refused rather than rounded.
    assert answer.status_code == 422
    answer = await client.post("/v1/scales", content=body.replace("0" * 18, "0" * 8), headers=JSON)
    assert (answer.status_code, answer.headers["x-grams"]) == (201, "0.100000000001")


async def test_trailing_zeros_are_a_statement_of_precision_and_stay(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/scales", content='{"grams": 1.10}', headers=JSON)
    assert answer.headers["x-grams"] == "1.10"


@pytest.mark.parametrize(
    ("body", "at"),
    [
        ('{"grams": NaN}', "/0"),
        ('{"grams": 1, "grams": 2}', "/0"),
        ('{"grams": 1', "/0"),
        ("\xff", "/0"),
        ("[" * 100_000, "/0"),
        ("9" * 5000, "/0"),
        ('{"grams": 1e999999999}', "/grams"),
        ('{"grams": 1, "grammes": 2}', "/grammes"),
        ('{"grams": true}', "/grams"),
        ('{"note": "x"}', "/grams"),
        ('{"grams": 1, "note": "a\\u0000b"}', "/note"),
        ("[]", "/"),
        ("null", "/"),
    ],
)
async def test_a_body_that_does_not_fit_is_refused_with_the_place(
    client: httpx.AsyncClient, body: str, at: str
) -> None:
    answer = await client.post("/v1/scales", content=body.encode("latin-1"), headers=JSON)
    assert (answer.status_code, answer.json()["type"]) == (422, "invalid-request")
    assert at in {error["at"] for error in answer.json()["errors"]} or at == "/0"


async def test_what_was_sent_is_not_quoted_back(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/scales", json={"grams": "Somchai", "note": "call 081 234 5678"})
    assert "Somchai" not in answer.text
    assert "081" not in answer.text


async def test_a_body_that_is_not_json_is_told_how(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/scales", content="grams=1", headers={"Content-Type": "text/plain"})
    assert answer.status_code == 422
    assert "Content-Type: application/json" in answer.json()["detail"]


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_over_one_mebibyte_is_refused(client: httpx.AsyncClient, chunked: bool) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(17):
            yield b" " * (MAX_BODY_BYTES // 16)

    content = pieces() if chunked else b" " * (MAX_BODY_BYTES + 1)
    answer = await client.post("/v1/scales", content=content, headers=JSON)
    assert (answer.status_code, answer.json()["type"]) == (413, "body-too-large")


async def test_a_body_of_exactly_one_mebibyte_is_read(client: httpx.AsyncClient) -> None:
    body = b'{"grams": 1}'
    answer = await client.post("/v1/scales", content=body + b" " * (MAX_BODY_BYTES - len(body)), headers=JSON)
    assert answer.status_code == 201


async def test_an_unknown_query_parameter_is_refused_with_those_that_are_known(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/scales", params={"limmit": 3})
    assert answer.status_code == 422
    assert "limmit" in answer.json()["detail"]
    assert "cursor, limit" in answer.json()["detail"]


@pytest.mark.parametrize(("path", "method", "status"), [("/v1/nothing", "GET", 404), ("/v1/scales", "DELETE", 405)])
async def test_what_is_not_there_is_a_problem_too(
    client: httpx.AsyncClient, path: str, method: str, status: int
) -> None:
    answer = await client.request(method, path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert ("allow" in answer.headers) == (status == 405)


async def test_a_creation_says_where_it_is_and_what_to_wait_for(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/scales", json={"grams": "1"}, headers={"Idempotency-Key": "k1"})
    made = answer.json()["id"]
    assert answer.headers["location"] == f"/scales/v1/scales/{made}"
    assert answer.headers["etag"] == '"1"'
    assert answer.headers["trial-position"] == answer.json()["position"] == f"scale:{made}@1"
    again = await client.post("/v1/scales", json={"grams": "1"}, headers={"Idempotency-Key": "k1"})
    other = await client.post("/v1/scales", json={"grams": "1"}, headers={"Idempotency-Key": "k2"})
    assert again.json()["id"] == made != other.json()["id"]
    assert UUID(made).version == 5


async def test_without_a_key_every_creation_is_its_own(client: httpx.AsyncClient) -> None:
    ids = {(await client.post("/v1/scales", json={"grams": "1"})).json()["id"] for _ in range(3)}
    assert len(ids) == 3


@pytest.mark.parametrize(
    ("tag", "status"),
    [(None, 428), ('"2"', 200), ('W/"2"', 200), ("2", 422), ('"x"', 422), ("*", 422), ('"1", "2"', 422)],
)
async def test_a_change_names_the_version_it_was_decided_on(
    client: httpx.AsyncClient, tag: str | None, status: int
) -> None:
    answer = await client.post(f"/v1/scales/{uuid4()}/tare", headers={} if tag is None else {"If-Match": tag})
    assert answer.status_code == status
    if status == 200:
        assert answer.headers["etag"] == '"3"'


async def test_a_replay_says_that_it_is_one(client: httpx.AsyncClient) -> None:
    path = f"/v1/scales/{uuid4()}/tare"
    assert (await client.post(path, headers={"If-Match": '"3"'})).headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in (await client.post(path, headers={"If-Match": '"2"'})).headers


async def test_pages_follow_each_other_to_the_end(client: httpx.AsyncClient) -> None:
    seen: list[int] = []
    path: str | None = "/v1/scales?limit=2"
    while path:
        answer = await client.get(path.removeprefix("/scales"))
        seen += answer.json()["items"]
        path = answer.links["next"]["url"] if "next" in answer.links else None
        assert (path is None) == (answer.json()["next_cursor"] is None)
    assert seen == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("cursor", ["", "x", "WzEsMl0x", "WzEsIngiXQ", "bnVsbA", "WzIsMV0", "é"])
async def test_a_cursor_that_was_not_given_is_refused(client: httpx.AsyncClient, cursor: str) -> None:
    answer = await client.get("/v1/scales", params={"cursor": cursor})
    assert answer.status_code == 422


async def test_a_trace_goes_on_or_begins(client: httpx.AsyncClient) -> None:
    given = await client.get("/v1/scales", headers={"traceparent": f"00-{'a' * 32}-{'b' * 16}-01"})
    assert given.headers["trace-id"] == "a" * 32
    made = await client.get("/v1/scales", headers={"traceparent": "00-nonsense"})
    assert len(made.headers["trace-id"]) == 32
    assert made.headers["trace-id"] != given.headers["trace-id"]


@pytest.mark.parametrize(
    ("header", "status"),
    [(None, 401), ("Bearer nonsense", 401), ("Basic YTpi", 401), ("Bearer ", 401)],
)
async def test_a_call_without_a_good_token_is_refused(app: FastAPI, header: str | None, status: int) -> None:
    headers = {} if header is None else {"Authorization": header}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as stranger:
        answer = await stranger.post("/v1/scales", json={"grams": "1"}, headers=headers)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (status, "Bearer")


async def test_another_role_is_refused(app: FastAPI, issuer: LocalIssuer) -> None:
    token = issuer.token(subject="x", roles=[Role.MONITOR], sites=["CU"])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as monitor:
        answer = await monitor.post("/v1/scales", json={"grams": "1"}, headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.json()["type"]) == (403, "forbidden")


def test_the_document_has_the_problem_that_every_operation_refers_to(app: FastAPI) -> None:
    document = app.openapi()
    assert "Problem" in document["components"]["schemas"]
    answers_of_weigh = document["paths"]["/v1/scales"]["post"]["responses"]
    assert set(answers_of_weigh) == {"201", "401", "403", "413", "422", "500", "503"}
    assert document["paths"]["/v1/scales"]["post"]["operationId"] == "weigh"


async def test_health_says_what_is_wrong_and_survives_a_check_that_fails() -> None:
    from starlette.applications import Starlette

    async def good() -> Finding:
        return Finding(ok=True, detail={"lag": 0})

    async def broken() -> Finding:
        raise RuntimeError("password=4711")

    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(Starlette(routes=routes({"good": good, "broken": broken}))),
        base_url="http://test",
    ) as probe:
        assert (await probe.get("/health/live")).status_code == 200
        ready = await probe.get("/health/ready")
        metrics = await probe.get("/metrics")
    assert (ready.status_code, ready.json()["checks"]["broken"]) == (503, {"ok": False, "error": "RuntimeError"})
    assert "trial_http_request_seconds" in metrics.text
