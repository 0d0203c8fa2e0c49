"""The dictionary over HTTP."""

from collections.abc import AsyncIterator

import httpx
import pytest

from shared.kernel.actor import Role
from tests.services.safety.api.test_adverse_events import problem
from tests.services.safety.house import House


@pytest.fixture
async def client(house: House) -> AsyncIterator[httpx.AsyncClient]:
    async with house.client(Role.COORDINATOR) as made:
        yield made


async def test_a_search_answers_terms_with_their_grades(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/ctcae/terms", params={"q": "cytokine"})
    assert answer.json() == {
        "items": [
            {
                "meddra_code": "10052015",
                "name": "Cytokine release syndrome",
                "soc": "Immune system disorders",
                "grades": [1, 2, 3, 4, 5],
                "needs_specification": False,
            }
        ],
        "next_cursor": None,
    }


async def test_the_whole_dictionary_is_read_page_by_page(client: httpx.AsyncClient) -> None:
    codes: list[str] = []
    path: str | None = "/v1/ctcae/terms?limit=200"
    pages = 0
    while path is not None:
        answer = await client.get(path)
        codes += [term["meddra_code"] for term in answer.json()["items"]]
        link = answer.headers.get("link")
        path = None if link is None else link.partition(">")[0].removeprefix("</safety").lstrip("<")
        pages += 1
    assert (len(codes), len(set(codes)), pages) == (837, 837, 5)


async def test_a_page_keeps_to_its_search(client: httpx.AsyncClient) -> None:
    first = (await client.get("/v1/ctcae/terms", params={"q": "pain", "limit": 2})).json()
    assert [term["name"] for term in first["items"]] == ["Pain", "Pain in extremity"]
    wanted = {"q": "pain", "limit": 1, "cursor": first["next_cursor"]}
    second = (await client.get("/v1/ctcae/terms", params=wanted)).json()
    assert [term["name"] for term in second["items"]] == ["Pain of skin"]
    other = await client.get("/v1/ctcae/terms", params={**wanted, "q": "fever"})
    assert problem(other) == (422, "unreadable-cursor")


async def test_a_last_page_that_is_full_has_no_next(client: httpx.AsyncClient) -> None:
    params: dict[str, str | int] = {"soc": "Immune system disorders", "limit": 6}
    page = (await client.get("/v1/ctcae/terms", params=params)).json()
    assert (len(page["items"]), page["next_cursor"]) == (6, None)


async def test_classes_are_listed_with_their_sizes(client: httpx.AsyncClient) -> None:
    classes = (await client.get("/v1/ctcae/socs")).json()
    assert len(classes) == 26
    assert {"name": "Investigations", "terms": 42} in classes


async def test_a_term_is_read_by_its_code(client: httpx.AsyncClient) -> None:
    assert (await client.get("/v1/ctcae/terms/10003586")).json()["grades"] == [1, 4, 5]
    assert problem(await client.get("/v1/ctcae/terms/99999999")) == (404, "no-such-term")
    assert problem(await client.get("/v1/ctcae/terms/crs")) == (422, "invalid-request")
    unknown = await client.get("/v1/ctcae/terms", params={"soc": "Immunity"})
    assert problem(unknown) == (422, "unknown-class")
