"""Where a request is wrong, and what to send there: in the sender's own terms, and never in what was sent."""

from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field

from shared.contracts.terms import BirthMonth, Code, Day, Flag, Instant, Measurement, PartialDate, SiteId
from shared.http import problems
from shared.http.service_app import router


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Cat(_Part):
    kind: Literal["cat"]
    lives: int


class Dog(_Part):
    kind: Literal["dog"]
    weight: Measurement


class Basis(_Part):
    how: str = "ctcae"


class Sent(_Part):
    basis: Basis = Basis()
    onset: PartialDate | None = None
    born: BirthMonth | None = None
    day: Day | None = None
    at: Instant | None = None
    site: SiteId | None = None
    code: Code | None = None
    id: UUID | None = None
    ready: Flag | None = None
    count: int | None = None
    amount: Measurement | None = None
    text: Annotated[str, Field(max_length=3)] | Measurement | None = None
    animals: Annotated[tuple[Annotated[Cat | Dog, Field(discriminator="kind")], ...], Field(max_length=2)] = ()
    tags: Annotated[frozenset[str] | None, Field(min_length=1)] = None
    named: dict[Code, int] = {}


shelter = router("/v1/shelter", "Shelter")


@shelter.post("")
async def take(sent: Sent) -> str:
    return "taken"


@pytest.fixture
async def shelter_client() -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI(title="shelter")
    app.router.routes += shelter.routes
    problems.install(app)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        yield client


async def places(client: httpx.AsyncClient, sent: Any) -> dict[str, str]:
    answer = await client.post("/v1/shelter", json=sent)
    assert answer.status_code == 422, answer.text
    return {error["at"]: error["why"] for error in answer.json()["errors"]}


PARTIAL = "a date of the calendar as far as it is known: 2026-03-14, 2026-03 or 2026"
INSTANT = "an instant with its offset from UTC, of the years 1900 to 9998, such as 2026-03-14T10:30:00+07:00"


@pytest.mark.parametrize("onset", ["2026-13", "2026-02-30", "14/03/2026", "", "2026-3-4", "0000", 20260314, [], "NK"])
async def test_a_broken_partial_date_is_answered_with_one_that_fits(
    shelter_client: httpx.AsyncClient, onset: object
) -> None:
    assert await places(shelter_client, {"onset": onset}) == {"/onset": PARTIAL}


@pytest.mark.parametrize(
    "at",
    ["2026-03-14", "2026-03-14T10:30:00", "20260314T103000Z", 1773460200, "0001-01-01T00:00:00Z", "2026-03-14T25:00Z"],
)
async def test_a_broken_instant_is_answered_with_one_that_fits(shelter_client: httpx.AsyncClient, at: object) -> None:
    assert await places(shelter_client, {"at": at}) == {"/at": INSTANT}


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        ("born", "2017-03-14", "a year and a month of birth, such as 2017-03; the day is never taken"),
        ("day", "2026-03-14T10:00", "a day of the calendar, such as 2026-03-14"),
        ("site", "cu", "a site's code: 2 to 12 capitals and digits, such as CU"),
        (
            "code",
            "<x>",
            "a code of at most 64 letters, digits, blanks and . _ / + : - that begins with a letter or a digit",
        ),
        ("id", "Somchai", "a UUID, such as 018f2b6e-0000-7000-8000-000000000001"),
        ("ready", "yes", "true or false"),
        ("count", "1.5", "a whole number"),
        ("amount", "heavy", "a decimal, as a number or as a string such as 12.5"),
        ("amount", "Infinity", "a decimal, as a number or as a string such as 12.5"),
        ("amount", "1e13", "at most 12 decimal places and no power of ten beyond 12"),
        ("animals", {}, "a list: values in brackets"),
        ("tags", "a", "a list: values in brackets"),
        ("tags", [], "at least 1 of them"),
        ("named", [], "an object: names and values in braces"),
        ("colour", "red", "there is no such field: leave it out"),
    ],
)
async def test_each_kind_of_value_is_named_in_words(
    shelter_client: httpx.AsyncClient, field: str, value: object, why: str
) -> None:
    assert await places(shelter_client, {field: value}) == {f"/{field}": why}


@pytest.mark.parametrize(
    ("animal", "at", "why"),
    [
        ({"kind": "cat", "lives": "Somchai"}, "/animals/0/lives", "a whole number"),
        ({"kind": "cat"}, "/animals/0/lives", "this is required"),
        ({"kind": "dog", "weight": 1, "name": "x"}, "/animals/0/name", "there is no such field: leave it out"),
        ({"kind": "Somchai"}, "/animals/0", "'kind' is one of 'cat', 'dog'"),
        ({"lives": 9}, "/animals/0", "'kind' is required: it says which fields follow"),
        ("Somchai", "/animals/0", "an object: names and values in braces"),
    ],
)
async def test_a_place_is_one_of_the_body_whichever_alternative_was_meant(
    shelter_client: httpx.AsyncClient, animal: object, at: str, why: str
) -> None:
    assert await places(shelter_client, {"animals": [animal]}) == {at: why}


async def test_a_place_with_alternatives_is_named_once(shelter_client: httpx.AsyncClient) -> None:
    assert list(await places(shelter_client, {"text": "Somchai", "named": {"~/~": 1}})) == ["/text", "/named/~0~1~0"]


async def test_a_list_that_is_too_long_is_told_how_long_it_may_be(shelter_client: httpx.AsyncClient) -> None:
    told = await places(shelter_client, {"animals": [{"kind": "cat", "lives": 9}] * 3})
    assert told == {"/animals": "at most 2 of them"}


@pytest.mark.parametrize("body", ['{"count": NaN}', '{"count": 1', '{"count": 1, "count": 2}', "\\ud800"])
async def test_what_is_not_json_is_wrong_as_a_whole(shelter_client: httpx.AsyncClient, body: str) -> None:
    answer = await shelter_client.post("/v1/shelter", content=body, headers={"Content-Type": "application/json"})
    [error] = answer.json()["errors"]
    assert error["at"] == "/"
    assert error["why"].startswith("not valid JSON: ")


@pytest.mark.parametrize(("body", "at"), [("1.5", "/"), ("1e400", "/"), ('{"basis": 1.5}', "/basis")])
async def test_a_number_is_no_object_even_where_every_field_may_be_left_out(
    shelter_client: httpx.AsyncClient, body: str, at: str
) -> None:
    answer = await shelter_client.post("/v1/shelter", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"at": at, "why": "an object: names and values in braces"}]


async def test_a_lone_surrogate_is_refused_in_its_place(shelter_client: httpx.AsyncClient) -> None:
    answer = await shelter_client.post(
        "/v1/shelter", content='{"code": 1, "text": "\\ud800"}', headers={"Content-Type": "application/json"}
    )
    assert {each["at"]: each["why"] for each in answer.json()["errors"]}["/text"] == (
        "a text of whole characters, without lone surrogates"
    )


async def test_no_more_places_are_named_than_anybody_reads(shelter_client: httpx.AsyncClient) -> None:
    assert len(await places(shelter_client, {f"f{number}": 1 for number in range(200)})) == problems.MOST_PLACES


async def test_nothing_that_was_sent_comes_back(shelter_client: httpx.AsyncClient) -> None:
    name = "Somchai"
    sent: dict[str, Any] = dict.fromkeys(Sent.model_fields, name) | {"animals": [{"kind": name}]}
    answer = await shelter_client.post("/v1/shelter", json=sent)
    assert name not in answer.text
