"""Sending courses: first steps in order, order within a course, what is not sent, and what goes again."""

import json
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.loading import sending
from services.loading.client import TrialAway, TrialClient, identity
from services.loading.progress import progress
from services.loading.sending import Sender, Sent
from services.loading.steps import AWAITED, PARTICIPANT, Awaited, Course, Step
from services.loading.tally import Fate, Tally
from shared.kernel.actor import Role

Handler = Callable[[httpx.Request], httpx.Response]
POSITION = {"Trial-Position": "participant:1@1", "ETag": '"1"'}


def a_step(name: str, *, changes: bool = False, thing: str = PARTICIPANT, needs: tuple[str, ...] = ()) -> Step:
    return Step("rows", name, f"/{name}", {"row": name}, Role.SYSTEM, thing, identity(name), changes, needs)


def a_course(name: str, *rest: Step) -> Course:
    return Course("CU", a_step(name), rest)


async def sent(handler: Handler, *people: Course, patience: float = 60) -> tuple[Tally, list[Sent]]:
    tally = Tally()
    transport = httpx.MockTransport(handler)
    client = TrialClient("http://trial", lambda _role, _site: "token", patience=patience, transport=transport)
    async with client:
        with progress("sending", 1) as shown:
            return tally, await Sender(client, tally, shown).send([], people)


def accepting(seen: list[str]) -> Handler:
    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.path)
        return httpx.Response(201, json={}, headers=POSITION)

    return handle


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(min_value=0, max_value=6), min_size=1, max_size=12))
async def test_people_are_screened_in_order_and_each_course_keeps_its_own(lengths: list[int]) -> None:
    seen: list[str] = []
    people = [
        a_course(f"{who}-first", *(a_step(f"{who}-{number}") for number in range(length)))
        for who, length in enumerate(lengths)
    ]
    await sent(accepting(seen), *people)
    assert seen[: len(people)] == [f"/{who}-first" for who in range(len(people))]
    by_person = defaultdict(list)
    for path in seen[len(people) :]:
        who, number = path[1:].split("-")
        by_person[who].append(int(number))
    assert all(numbers == sorted(numbers) for numbers in by_person.values())
    assert sum(map(len, by_person.values())) == sum(lengths)


async def test_what_rests_on_something_refused_is_not_sent_and_says_so() -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/first"
        return httpx.Response(422, json={"type": "before-birth", "detail": "no"})

    change, other = a_step("change", changes=True), a_step("event", thing="event", needs=(PARTICIPANT,))
    tally, _ = await sent(handle, a_course("first", change, other))
    assert tally.refusals == [
        "first: 422 before-birth: no",
        "change: not sent: the participant was refused",
        "event: not sent: the participant was refused",
    ]
    assert tally.rows("rows", Fate.REFUSED) == 3


async def test_a_change_names_the_version_that_the_step_before_it_led_to() -> None:
    versions: list[str | None] = []

    def handle(request: httpx.Request) -> httpx.Response:
        versions.append(request.headers.get("If-Match"))
        return httpx.Response(200, json={}, headers={"ETag": f'"{len(versions)}"'})

    await sent(handle, a_course("first", a_step("one", changes=True), a_step("two", changes=True)))
    assert versions == [None, '"1"', '"2"']


def awaiting(name: str) -> Step:
    """A decision about something that the trial itself proposes."""

    def find(answer: dict[str, Any]) -> str | None:
        return next(iter(answer["proposed"]), None)

    awaits = Awaited("a proposal", "/proposals", find)
    step = a_step(name, changes=True, thing="proposals", needs=(PARTICIPANT,))
    return replace(step, path=f"/proposals/{AWAITED}/decide", awaits=awaits)


async def test_what_the_trial_itself_puts_on_record_is_waited_for_and_decided_at_the_version_it_was_found_at() -> None:
    looks = iter([httpx.Response(404, json={}), *(httpx.Response(200, json={"proposed": []}) for _ in range(3))])
    found = httpx.Response(200, json={"proposed": ["dlt-7"]}, headers={"ETag": '"4"'})
    seen: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        if request.method == "GET":
            return next(looks, found)
        return httpx.Response(200, json={}, headers={"ETag": '"5"'})

    tally, _ = await sent(handle, a_course("first", awaiting("decision")))
    assert not tally.refusals
    assert [request.url.path for request in seen] == ["/first", *["/proposals"] * 5, "/proposals/dlt-7/decide"]
    assert seen[-1].headers["If-Match"] == '"4"'


async def test_what_never_comes_is_said_and_the_rest_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "WORKERS_SECONDS", 0.05)
    posted: list[str] = []

    def handle(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return httpx.Response(200, json={"proposed": []})
        posted.append(request.url.path)
        return httpx.Response(201, json={}, headers=POSITION)

    tally, _ = await sent(handle, a_course("first", awaiting("decision"), a_step("later")))
    assert tally.refusals == ["decision: not sent: a proposal did not come"]
    assert posted == ["/first", "/later"]


async def test_a_change_that_comes_late_goes_again_on_the_present_version() -> None:
    answers = iter(
        [
            httpx.Response(201, json={}, headers=POSITION),
            httpx.Response(412, json={"type": "stale-version", "current_version": 7}),
            httpx.Response(200, json={}, headers={"ETag": '"8"'}),
        ]
    )
    seen: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return next(answers)

    tally, _ = await sent(handle, a_course("first", a_step("one", changes=True)))
    assert seen[-1].headers["If-Match"] == '"7"'
    assert not tally.refusals


async def test_a_participant_who_is_still_on_the_way_to_a_service_is_waited_for() -> None:
    answers = iter(
        [
            httpx.Response(201, json={}, headers=POSITION),
            *[httpx.Response(404, json={"type": "no-such-participant"})] * 3,
            httpx.Response(201, json={}, headers=POSITION),
        ]
    )
    step = a_step("event", thing="event", needs=(PARTICIPANT,))
    tally, _ = await sent(lambda _request: next(answers), a_course("first", step))
    assert tally.rows("rows", Fate.RECORDED) == 2


async def test_the_last_position_of_each_kind_of_stream_is_kept() -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        row = json.loads(request.content)["row"]
        return httpx.Response(201, json={}, headers={"Trial-Position": row.replace("_", ":") + "@1"})

    course = a_course("participant_1", a_step("event_1", thing="1"), a_step("event_2", thing="2"))
    _, begun = await sent(handle, course)
    assert begun[0].positions == {"participant": "participant:1@1", "event": "event:2@1"}


async def test_a_trial_that_goes_away_ends_the_load_with_one_plain_error() -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        if "first" in request.url.path:
            return httpx.Response(201, json={}, headers=POSITION)
        raise httpx.ConnectError("refused")

    with pytest.raises(TrialAway):
        await sent(handle, a_course("first", a_step("one")), a_course("first2", a_step("two")), patience=0)


async def test_a_row_of_several_commands_fares_as_the_worst_of_them() -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/refused":
            return httpx.Response(409, json={"type": "conflict"})
        return httpx.Response(200, json={}, headers={"Idempotent-Replayed": "true"})

    twice = [Step("dm", "line 2", path, {}, Role.SYSTEM, "x", identity(path)) for path in ("/there", "/refused")]
    tally, _ = await sent(handle, Course("CU", twice[0], (twice[1],)))
    assert tally.rows("dm", Fate.REFUSED) == 1
    assert tally.rows("dm", Fate.UNCHANGED) == 0
    assert tally.changed_nothing


async def test_a_row_that_speaks_in_a_command_of_another_fares_with_it() -> None:
    step = Step("tr", "visit", "/x", {}, Role.SYSTEM, "x", identity("x"), rows=7, beside=(("tu", "line 9"),))
    tally, _ = await sent(accepting([]), Course("CU", step))
    assert (tally.rows("tr", Fate.RECORDED), tally.rows("tu", Fate.RECORDED)) == (7, 1)
