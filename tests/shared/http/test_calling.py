"""Endpoints are called as FastAPI would call them, and what is not offered is refused when the route is made."""

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Annotated, Any

import httpx
import pytest
from fastapi import BackgroundTasks, Body, Cookie, Depends, FastAPI, Header, Path, Query, Request, Response
from pydantic import BaseModel

from shared.http import problems
from shared.http.calling import NotCallable
from shared.http.service_app import router


class Note(BaseModel):
    text: str


class Seen(BaseModel):
    """What the endpoint was called with."""

    number: int
    page: int
    mark: int | None
    text: str
    once: list[int]


calls: list[int] = []


async def _count() -> int:
    calls.append(1)
    return len(calls)


Count = Annotated[int, Depends(_count)]


async def _twice(first: Count, mark: Annotated[int | None, Header(ge=1)] = None) -> tuple[int, int | None]:
    return first, mark


async def _guard(response: Response, guarded: Annotated[bool, Query()] = True) -> None:
    response.headers["X-Guard"] = str(guarded)


notes = router("/notes", "Notes")


@notes.post("/{number}", status_code=201, dependencies=[Depends(_guard)])
async def write(
    number: Annotated[int, Path(ge=1)],
    note: Note,
    count: Count,
    twice: Annotated[tuple[int, int | None], Depends(_twice)],
    request: Request,
    response: Response,
    page: Annotated[int, Query(ge=1)] = 1,
) -> Seen:
    response.headers["X-Path"] = request.url.path
    return Seen(number=number, page=page, mark=twice[1], text=note.text, once=[count, twice[0]])


@notes.get("/plain/text")
async def plain() -> Response:
    return Response("as it is", media_type="text/plain")


@notes.get("/without/model")
async def without_model():  # type: ignore[no-untyped-def]
    return {"n": 1}


@notes.get("/not/as/said", response_model=Seen)
async def not_as_said() -> Any:
    return {"number": "none"}


@pytest.fixture
def app() -> FastAPI:
    made = FastAPI()
    made.router.routes += notes.routes
    problems.install(made)
    return made


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    calls.clear()
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as made:
        yield made


async def test_arguments_come_from_path_query_headers_body_and_dependencies(client: httpx.AsyncClient) -> None:
    answer = await client.post("/notes/7?page=3", json={"text": "dry"}, headers={"Mark": "5"})
    assert answer.status_code == 201
    assert answer.json() == {"number": 7, "page": 3, "mark": 5, "text": "dry", "once": [1, 1]}
    assert answer.headers["content-type"] == "application/json"
    assert (answer.headers["X-Path"], answer.headers["X-Guard"]) == ("/notes/7", "True")


async def test_what_is_left_out_has_its_default(client: httpx.AsyncClient) -> None:
    assert (await client.post("/notes/7", json={"text": "dry"})).json() | {"once": []} == {
        "number": 7,
        "page": 1,
        "mark": None,
        "text": "dry",
        "once": [],
    }


async def test_all_that_is_wrong_is_said_together(client: httpx.AsyncClient) -> None:
    answer = await client.post("/notes/0?page=0", json={"text": 1}, headers={"Mark": "0"})
    assert answer.status_code == 422
    assert {each["at"] for each in answer.json()["errors"]} == {"path: number", "query: page", "header: mark", "/text"}


@pytest.mark.parametrize(
    ("content", "media_type", "status"),
    [
        ('{"text": "dry"}', "application/json", 201),
        ('{"text": "dry"}', "Application/JSON; charset=utf-8", 201),
        ('{"text": "dry"}', "application/vnd.trial+json", 201),
        ('{"text": "dry"}', "text/plain", 422),
        ('{"text": "dry"}', "text/vnd.trial+json", 422),
        ('{"text": "dry"}', "", 422),
        ("", "application/json", 422),
        ("null", "application/json", 422),
        ("{", "application/json", 422),
    ],
)
async def test_a_body_is_json_and_says_so(
    client: httpx.AsyncClient, content: str, media_type: str, status: int
) -> None:
    answer = await client.post("/notes/7", content=content, headers={"Content-Type": media_type})
    assert answer.status_code == status


async def test_an_answer_of_its_own_is_sent_as_it_is(client: httpx.AsyncClient) -> None:
    answer = await client.get("/notes/plain/text")
    assert (answer.text, answer.headers["content-type"]) == ("as it is", "text/plain; charset=utf-8")


async def test_what_has_no_model_is_json(client: httpx.AsyncClient) -> None:
    assert (await client.get("/notes/without/model")).json() == {"n": 1}


async def test_an_answer_that_is_not_what_was_said_is_a_bug_of_ours(client: httpx.AsyncClient) -> None:
    assert (await client.get("/notes/not/as/said")).status_code == 500


async def test_a_caller_who_leaves_within_the_body_is_no_bug_of_ours(app: FastAPI) -> None:
    sent: list[Any] = []
    messages = iter([{"type": "http.request", "body": b"{", "more_body": True}, {"type": "http.disconnect"}])

    async def receive() -> Any:
        return next(messages)

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/notes/7", "query_string": b"", "headers": []}
    await app({**scope, "http_version": "1.1", "scheme": "http", "root_path": ""}, receive, send)
    assert sent[0]["status"] == 400


def _blocking() -> int:
    return 1


async def _yielding() -> AsyncIterator[int]:
    yield 1


def _yielding_and_blocking() -> Iterator[int]:
    yield 1


async def _takes_a_body(note: Note) -> Note:
    return note


async def _in_the_background(tasks: BackgroundTasks) -> None:
    return None


async def _of_a_cookie(taste: Annotated[str | None, Cookie()] = None) -> None:
    return None


async def _of_a_needed_header(mark: Annotated[str, Header()]) -> None:
    return None


async def _of_two_bodies(note: Note, other: Note) -> None:
    return None


async def _of_a_body_within(note: Annotated[Note, Body(embed=True)]) -> None:
    return None


async def _of_an_optional_body(note: Note | None = None) -> None:
    return None


@pytest.mark.parametrize("endpoint", [_blocking, _in_the_background, _of_a_cookie, _of_a_needed_header])
def test_an_endpoint_that_uses_more_is_refused(endpoint: Callable[..., Any]) -> None:
    with pytest.raises(NotCallable):
        router("/x", "X").post("")(endpoint)


@pytest.mark.parametrize("endpoint", [_of_two_bodies, _of_a_body_within, _of_an_optional_body])
def test_a_body_is_one_and_always_there(endpoint: Callable[..., Any]) -> None:
    with pytest.raises(NotCallable):
        router("/x", "X").post("")(endpoint)


@pytest.mark.parametrize("function", [_blocking, _yielding, _yielding_and_blocking, _takes_a_body])
def test_a_dependency_that_uses_more_is_refused(function: Callable[..., Any]) -> None:
    async def endpoint(given: Annotated[Any, Depends(function)]) -> None:
        return None

    with pytest.raises(NotCallable):
        router("/x", "X").post("")(endpoint)
