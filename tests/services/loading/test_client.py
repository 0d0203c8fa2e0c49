"""The caller: patience with closed doors, a verdict or an exception, never a silent loss."""

from collections.abc import Sequence

import httpx
import pytest

from services.loading.client import Answer, NotAdmitted, TrialAway, TrialClient, TrialFailed, identity
from shared.kernel.actor import Role


def a_client(*answers: httpx.Response | Exception, patience: float = 60) -> tuple[TrialClient, list[httpx.Request]]:
    seen: list[httpx.Request] = []
    left = list(answers)

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def token(role: Role, site: str) -> str:
        return f"{role} {site}"

    return TrialClient("http://trial", token, patience=patience, pause=0, transport=httpx.MockTransport(handle)), seen


CREATED = httpx.Response(201, json={}, headers={"ETag": '"1"', "Trial-Position": "site:CU@1"})


async def post(client: TrialClient) -> Answer:
    return await client.post("/v1/sites", {"a": 1}, role=Role.SPONSOR, site="CU", key=identity("x"), etag='"3"')


async def test_a_command_carries_its_token_its_key_and_the_version_it_was_decided_on() -> None:
    client, seen = a_client(CREATED)
    async with client:
        answer = await post(client)
    assert answer == Answer(201, {}, '"1"', "site:CU@1", replayed=False)
    told = {name: seen[0].headers[name] for name in ("Authorization", "Idempotency-Key", "If-Match")}
    assert told == {"Authorization": "Bearer sponsor CU", "Idempotency-Key": str(identity("x")), "If-Match": '"3"'}


@pytest.mark.parametrize("closed", [httpx.Response(503), httpx.Response(502), httpx.ConnectError("refused")])
async def test_a_closed_door_is_tried_again_with_the_same_command(closed: httpx.Response | Exception) -> None:
    client, seen = a_client(closed, closed, CREATED)
    async with client:
        assert (await post(client)).accepted
    assert len({request.content for request in seen}) == 1
    assert len(seen) == 3


async def test_a_door_that_stays_closed_ends_the_load_with_words() -> None:
    client, _ = a_client(httpx.Response(503), patience=0)
    async with client:
        with pytest.raises(TrialAway, match="does not answer"):
            await post(client)


@pytest.mark.parametrize(
    ("status", "error"), [(401, NotAdmitted), (403, NotAdmitted), (500, TrialFailed), (501, TrialFailed)]
)
async def test_what_is_no_verdict_on_the_row_is_no_refusal_of_the_row(status: int, error: type[Exception]) -> None:
    client, _ = a_client(httpx.Response(status, json={}))
    async with client:
        with pytest.raises(error):
            await post(client)


async def test_a_refusal_is_an_answer_with_its_reason() -> None:
    places: Sequence[object] = [{"at": "/grade", "why": "at most 5"}, {"at": "/term", "why": "missing"}]
    client, _ = a_client(
        httpx.Response(422, json={"type": "invalid-request", "detail": "see errors", "errors": places})
    )
    async with client:
        answer = await post(client)
    assert not answer.accepted
    assert answer.reason == "422 invalid-request: /grade: at most 5; /term: missing"


async def test_a_question_that_is_refused_is_an_exception() -> None:
    client, _ = a_client(httpx.Response(404, json={}))
    async with client:
        with pytest.raises(TrialFailed, match="404 to GET /v1/x"):
            await client.get("/v1/x", role=Role.SPONSOR)


def test_the_same_row_has_the_same_id_and_another_row_another() -> None:
    assert identity("a", 1) == identity("a", "1")
    assert identity("a", 1) != identity("a", 2)
