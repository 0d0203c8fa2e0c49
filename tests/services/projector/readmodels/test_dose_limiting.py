"""Given proposals, decisions and halts, then rows; and what is open of a case, over HTTP, on both databases."""

from typing import Any

from shared.contracts.safety_episodes import AdverseEventNotFollowed, EpisodeKind, ToxicityEpisodeOpened
from tests.services.projector.chronicle import PROTOCOL, Chronicle, named
from tests.services.projector.dose_limiting_story import DEATH, GRADE_3, GRADE_4, Dlt, Halt, basis
from tests.services.projector.house import House
from tests.services.projector.readmodels.test_case_clocks import a_course, told
from tests.services.projector.small_trial import at


async def ask(house: House, path: str) -> Any:
    async with house.client() as client:
        answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()["result"]


async def toxicities(house: House) -> Any:
    (who,) = (await ask(house, "/v1/dose-limiting-toxicity"))["participants"]
    return who["toxicities"]


async def test_a_toxicity_reads_as_it_was_last_decided(any_house: House) -> None:
    chronicle = Chronicle()
    child = chronicle.child("CU-001").screened().enrolled().infused(at(1, 5))
    event = child.adverse_event("Sepsis", 4, "2026-01-13")
    Dlt(child, event.id, basis(GRADE_4)).decided("refuted").found(basis(GRADE_3, GRADE_4)).decided("confirmed")
    await any_house.hears(chronicle.told)
    (found,) = await toxicities(any_house)
    assert (found["term"], found["decision"], found["reason"], found["wants_a_look"]) == (
        "Sepsis",
        "confirmed",
        "Looked at, and confirmed",
        False,
    )
    assert found["rules"] == [GRADE_3, GRADE_4]


async def test_proposed_again_after_it_was_withdrawn_a_toxicity_is_undecided(any_house: House) -> None:
    chronicle = Chronicle()
    child = chronicle.child("CU-001").screened().enrolled().infused(at(1, 5))
    known = Dlt(child, named("event"), basis(GRADE_4)).withdrawn()
    await any_house.hears(chronicle.told)
    assert [(each["withdrawn"], each["wants_a_look"]) for each in await toxicities(any_house)] == [(True, False)]
    known.proposed(basis(GRADE_3, grade=3))
    await any_house.hears(chronicle.told[-1:])
    (found,) = await toxicities(any_house)
    assert (found["withdrawn"], found["decision"], found["grade"], found["wants_a_look"]) == (False, None, 3, True)
    assert found["term"] is None  # its adverse event has not arrived


async def test_an_episode_is_told_by_the_term_of_the_event_that_follows_it(any_house: House) -> None:
    chronicle = Chronicle()
    child = chronicle.child("CU-001").screened().enrolled().infused(at(1, 5))
    followed = child.adverse_event("Cytokine release syndrome", 4, "2026-01-13")
    who = {"episode_id": named("crs"), "participant_id": child.id, "adverse_event_id": followed.id}
    chronicle.tell(
        "toxicity-episode:crs",
        ToxicityEpisodeOpened(
            **who,
            kind=EpisodeKind.CRS,
            onset=at(1, 13),
            became_aware_at=at(1, 13),
            developmental_delay=None,
            delay_reason=None,
            seriousness=(),
            causality=(),
            protocol=PROTOCOL.ref,
        ),
    )
    chronicle.tell("toxicity-episode:crs", AdverseEventNotFollowed(**who, problem="adverse-event-edited-by-hand"))
    Dlt(child, named("crs"), basis("crs-grade-4"), kind="crs")
    await any_house.hears(chronicle.told)
    (found,) = await toxicities(any_house)
    assert (found["term"], found["source"]["kind"]) == ("Cytokine release syndrome", "crs")
    (who,) = (await ask(any_house, "/v1/safety-reconciliation"))["participants"]
    assert [(each["kind"], each["adverse_event_id"]) for each in who["items"]] == [
        ("dlt-undecided", str(followed.id)),
        ("adverse-event-not-followed", str(followed.id)),
    ]


async def test_a_rule_that_fires_twice_has_two_firings(any_house: House) -> None:
    chronicle = Chronicle()
    child = chronicle.child("CU-001").screened().enrolled().infused(at(1, 5))
    Halt(chronicle, DEATH, [child], 1).reviewed("resume")
    Halt(chronicle, DEATH, [child], 2, number=2).reviewed("stop")
    await any_house.hears(chronicle.told)
    death = (await ask(any_house, "/v1/dose-limiting-toxicity"))["stopping_rules"][1]
    assert death["state"] == "stopped"
    assert [(each["number"], each["decision"], each["posterior"]) for each in death["firings"]] == [
        (1, "resume", None),
        (2, "stop", None),
    ]


async def test_the_clocks_of_a_case_are_open_until_they_are_met(any_house: House) -> None:
    await any_house.hears(told(a_course()).told)
    (who,) = (await ask(any_house, "/v1/safety-reconciliation"))["participants"]
    found = [(each["kind"], each["detail"]) for each in who["items"]]
    assert ("clock-missed", "ethics-other-serious to ethics-committee") in found
    assert not any("investigator-to-sponsor" in detail for _, detail in found)
    assert "report-missing" not in {kind for kind, _ in found}
