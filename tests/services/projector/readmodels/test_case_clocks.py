"""Given a case's events, what the worklist says of its clocks and reports: on both databases, over HTTP."""

from typing import Any

from shared.contracts.safety_cases import ClockStarted
from shared.kernel.actor import Role
from tests.services.projector.chronicle import Chronicle
from tests.services.projector.house import House
from tests.services.safety.builders import EVENT
from tests.services.safety.cases.course import Course, opinion


def told(course: Course) -> Chronicle:
    """The event's stream and the case's, as the bus would carry them."""
    chronicle = Chronicle()
    for entry in course.entries:
        chronicle.tell(f"adverse-event:{EVENT}", entry.event)
    for event in course.happened:
        chronicle.tell(f"case:{EVENT}", event)
    return chronicle


def a_course() -> Course:
    course = Course().reported(causality=opinion("probable"))
    course.reviewed()
    course.wait(hours=20).sent(1, recipient="sponsor")
    course.wait(days=4).sent(2)
    course.answered(2)
    course.wait(hours=1).assessed(causality=opinion("possible"))
    course.wait(days=4).reviewed()
    return course


async def worklist(house: House, *, accept: str = "application/json") -> Any:
    async with house.client(accept=accept) as client:
        answer = await client.get("/v1/sae-worklist", params={"show": "all"})
    assert answer.status_code == 200, answer.text
    return answer.text if accept == "text/csv" else answer.json()["result"]["items"]


async def test_every_clock_says_how_it_stands_and_which_report_did_it(any_house: House) -> None:
    await any_house.hears(told(a_course()).told)
    (item,) = await worklist(any_house)
    clocks = {each["clock"]: each for each in item["clocks"]}
    assert {name: (each["state"], each["report_number"]) for name, each in clocks.items()} == {
        "investigator-to-sponsor": ("met", 1),
        "ethics-other-serious": ("missed", None),
        "thai-fda-other-susar": ("met", 2),
        "follow-up-information": ("missed", None),  # seen from the day this projector's clock shows
    }
    assert clocks["ethics-other-serious"]["escalation_level"] == 3
    assert [(each["number"], each["recipient"], each["answered"]) for each in item["reports"]] == [
        (1, "sponsor", None),
        (2, "thai-fda", "accepted"),
    ]
    assert (item["susar"], item["overdue"], item["assessed_at"] is not None) == ("other", True, True)


async def test_the_table_has_them_too(house: House) -> None:
    await house.hears(told(a_course()).told)
    text = await worklist(house, accept="text/csv")
    assert "investigator-to-sponsor by 2026-03-17T02:00:00+00:00 (met, report 1" in text
    assert "2 initial to thai-fda" in text


async def test_a_case_heard_of_before_its_event_waits_for_it(house: House) -> None:
    chronicle = told(a_course())
    later = [each for each in chronicle.told if each[1].stream.startswith("adverse-event")]
    await house.hears([each for each in chronicle.told if each not in later])
    assert await worklist(house) == []
    await house.hears(later)
    (item,) = await worklist(house)
    assert len(item["clocks"]) == sum(isinstance(event, ClockStarted) for event in a_course().happened)


async def test_a_reaction_no_longer_held_is_shown_so(house: House) -> None:
    course = Course().reported()
    course.reviewed()
    course.lists().reviewed()
    await house.hears(told(course).told)
    (item,) = await worklist(house)
    assert item["susar"] is None
    stopped = [each for each in item["clocks"] if each["state"] == "stopped"]
    assert [(each["clock"], each["stopped_because"]) for each in stopped] == [
        ("thai-fda-other-susar", "no-longer-susar")
    ]


async def test_another_sites_clocks_are_not_shown(house: House) -> None:
    await house.hears(told(a_course()).told)
    async with house.client(Role.SAFETY_OFFICER, sites=["SI"]) as client:
        assert (await client.get("/v1/sae-worklist", params={"show": "all"})).json()["result"]["items"] == []
