"""The independent review: where two readers differ, who is asked, and what counts then."""

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from services.efficacy.domain.burden import TumourBurden
from services.efficacy.domain.overrides import NotAResponseOfTheCriteria
from services.efficacy.domain.review import (
    DECIDER,
    AdjudicateResponse,
    AlreadyAdjudicated,
    NothingToAdjudicate,
    ReadingChanged,
    Review,
    ReviewEvent,
    ReviewFacts,
    reads_of,
)
from services.efficacy.domain.tumour_burden import DECIDER as OF_TUMOUR
from shared.contracts.efficacy_review import IndependentRead
from shared.contracts.efficacy_terms import Evaluator
from tests.services.efficacy.domain.builders import (
    FACTS,
    PARTICIPANT,
    a_baseline,
    a_lesion,
    a_new_lesion,
    an_assessment,
    an_id,
)

ABOUT = ReviewFacts(PARTICIPANT, FACTS.criteria)
ONE, TWO = Evaluator.INDEPENDENT_READER_1, Evaluator.INDEPENDENT_READER_2


def a_read(response: str = "SD", visit: str | None = "D90", on: str = "2026-04-05", **given: Any) -> IndependentRead:
    usual: dict[str, Any] = {
        "assessment_id": an_id(given.pop("name", f"{visit} {on}")),
        "assessed_on": on,
        "visit": visit,
        "criteria": "SEED_V1",
        "response": response,
        "rule": "neither-response-nor-progression",
        "targets": ("liver",),
        "new_lesion": False,
        "unit": "mm",
        "sum": "80",
        "progression_above": "125",
        "response_below": "50",
    }
    return IndependentRead.model_validate(usual | given)


def read_by(reader: Evaluator, *reads: IndependentRead) -> ReadingChanged:
    return ReadingChanged(evaluator=reader, reads=reads)


def carried_out(history: list[ReviewEvent], command: ReadingChanged | AdjudicateResponse) -> list[ReviewEvent]:
    return [*history, *DECIDER.decide(command, DECIDER.fold(history), ABOUT)]


def after(*commands: ReadingChanged | AdjudicateResponse) -> list[ReviewEvent]:
    history: list[ReviewEvent] = []
    for command in commands:
        history = carried_out(history, command)
    return history


def said(history: list[ReviewEvent]) -> list[str]:
    return [type(event).__name__ for event in history]


def decision(time_point: str = "D90", **given: Any) -> AdjudicateResponse:
    return AdjudicateResponse.model_validate({"time_point": time_point, "reason": "Seen again"} | given)


DIFFERING = (read_by(ONE, a_read("SD")), read_by(TWO, a_read("PD", name="two")))


def test_what_both_readers_say_is_settled_at_once() -> None:
    history = after(read_by(ONE, a_read("PR")), read_by(TWO, a_read("PR", on="2026-04-07")))
    assert said(history) == ["IndependentReadReceived", "IndependentReadReceived", "IndependentResponseSettled"]
    settled = DECIDER.fold(history).of_point("D90").settled
    assert settled is not None
    assert (settled.response, settled.by, settled.assessed_on) == ("PR", "agreement", "2026-04-07")


def test_a_progression_that_both_see_is_dated_by_the_first_of_them() -> None:
    history = after(read_by(ONE, a_read("PD")), read_by(TWO, a_read("PD", on="2026-04-07")))
    settled = DECIDER.fold(history).of_point("D90").settled
    assert settled is not None
    assert settled.assessed_on == "2026-04-05"


def test_readers_who_differ_bring_the_adjudicator_and_settle_nothing() -> None:
    state = DECIDER.fold(after(*DIFFERING)).of_point("D90")
    assert state.settled is None
    assert state.discordance is not None
    assert (state.discordance.reader_1.response, state.discordance.reader_2.response) == ("SD", "PD")


@pytest.mark.parametrize(
    ("other", "differences"),
    [
        ({}, ["measurement"]),
        ({"targets": ("liver", "lung left")}, ["targets"]),
        ({"new_lesion": True}, ["new-lesion"]),
        ({"rule": "non-target-progression"}, ["non-target"]),
        ({"on": "2026-04-06"}, ["date"]),
        ({"sum": "112.5"}, ["at-a-limit"]),
        ({"sum": "112.4"}, ["measurement"]),
        ({"sum": "137.5"}, ["at-a-limit"]),
        ({"sum": "137.6"}, ["measurement"]),
        ({"sum": "55"}, ["at-a-limit"]),
        ({"sum": "55.1"}, ["measurement"]),
        ({"sum": None}, ["measurement"]),
        ({"sum": "112.5", "progression_above": None}, ["measurement"]),
        ({"new_lesion": True, "targets": (), "on": "2026-04"}, ["targets", "new-lesion", "date"]),
    ],
)
def test_the_difference_is_explained(other: dict[str, Any], differences: list[str]) -> None:
    history = after(read_by(ONE, a_read("SD")), read_by(TWO, a_read("PD", **other)))
    found = DECIDER.fold(history).of_point("D90").discordance
    assert found is not None
    assert list(found.differences) == differences


def test_two_readings_without_a_visit_belong_together_by_their_date() -> None:
    apart = after(read_by(ONE, a_read("SD", None)), read_by(TWO, a_read("PD", None, "2026-04-06")))
    assert said(apart) == ["IndependentReadReceived", "IndependentReadReceived"]
    together = after(read_by(ONE, a_read("SD", None)), read_by(TWO, a_read("PD", None)))
    assert said(together)[-1] == "DiscordanceFound"


@pytest.mark.parametrize(
    ("given", "response", "on"),
    [
        ({"sides_with": "independent-reader-1"}, "SD", "2026-04-07"),
        ({"sides_with": "independent-reader-2"}, "PD", "2026-04-05"),
        ({"response": "PR"}, "PR", "2026-04-05"),
    ],
)
def test_the_adjudicated_response_counts(given: dict[str, str], response: str, on: str) -> None:
    readings = (read_by(ONE, a_read("SD", on="2026-04-07")), read_by(TWO, a_read("PD", name="two")))
    history = after(*readings, decision(**given))
    settled = DECIDER.fold(history).of_point("D90").settled
    assert settled is not None
    assert (settled.response, settled.by, settled.assessed_on) == (response, "adjudication", on)
    assert settled.assessment_id == after(*readings, decision(**given))[-1].assessment_id  # type: ignore[union-attr]
    assert carried_out(history, decision(**given)) == history
    with pytest.raises(AlreadyAdjudicated):
        carried_out(history, decision(response="NE"))


def test_an_adjudicator_speaks_in_the_words_of_the_set_that_decides() -> None:
    with pytest.raises(NotAResponseOfTheCriteria, match="CR, PR, SD, PD, NE"):
        carried_out(after(*DIFFERING), decision(response="iUPD"))


@pytest.mark.parametrize("commands", [(), (read_by(ONE, a_read()),), (read_by(ONE, a_read()), read_by(TWO, a_read()))])
def test_there_is_nothing_to_adjudicate_where_nobody_differs(commands: tuple[ReadingChanged, ...]) -> None:
    with pytest.raises(NothingToAdjudicate):
        carried_out(after(*commands), decision(response="PD"))


@pytest.mark.parametrize("given", [{}, {"response": "PD", "sides_with": "independent-reader-1"}])
def test_a_decision_sides_with_one_or_says_its_own(given: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="neither reader's"):
        decision(**given)


def test_a_reading_that_changes_takes_away_what_rested_on_it() -> None:
    decided: tuple[ReadingChanged | AdjudicateResponse, ...] = (*DIFFERING, decision(response="PD"))
    corrected = after(*decided, read_by(TWO, a_read("PD", name="two", sum="130")))
    assert said(corrected)[-3:] == [
        "IndependentReadReceived",
        "DiscordanceFound",
        "IndependentResponseUnsettled",
    ]
    agreed = after(*decided, read_by(TWO, a_read("SD", name="two")))
    assert said(agreed)[-3:] == ["IndependentReadReceived", "DiscordanceResolved", "IndependentResponseSettled"]
    withdrawn = after(*decided, read_by(ONE))
    assert said(withdrawn)[-3:] == [
        "IndependentReadWithdrawn",
        "DiscordanceResolved",
        "IndependentResponseUnsettled",
    ]
    assert DECIDER.fold(withdrawn).of_point("D90").settled is None


def test_a_reading_moved_to_another_visit_leaves_the_first() -> None:
    moved = after(*DIFFERING, read_by(TWO, a_read("PD", "D180", name="two")))
    assert DECIDER.fold(moved).of_point("D90").discordance is None


def test_of_two_readings_of_one_visit_the_later_counts() -> None:
    twice = read_by(ONE, a_read("SD", on="2026-04-01"), a_read("PD", on="2026-04-09"))
    settled = DECIDER.fold(after(twice, read_by(TWO, a_read("PD", name="two")))).of_point("D90").settled
    assert settled is not None
    assert settled.response == "PD"


def test_a_change_of_a_reading_that_does_not_count_asks_nobody_anew() -> None:
    late = a_read("PD", on="2026-04-09")
    asked = after(read_by(ONE, a_read("SD", on="2026-04-01"), late), read_by(TWO, a_read("SD", name="two")))
    again = carried_out(asked, read_by(ONE, a_read("PR", on="2026-04-01"), late))
    assert said(again[len(asked) :]) == ["IndependentReadReceived"]


def test_what_a_reader_recorded_is_told_without_the_baseline() -> None:
    burden: TumourBurden = OF_TUMOUR.initial
    for command in (
        a_lesion(organ="lung", laterality="left"),
        a_baseline(),
        an_assessment(targets="T01=76x50", visit="D30", new_lesions=[a_new_lesion()]),
    ):
        for event in OF_TUMOUR.decide(command, burden, FACTS):
            burden = OF_TUMOUR.evolve(burden, event)
    (read,) = reads_of(burden)
    assert (read.assessment_id, read.response, read.targets, read.new_lesion) == (
        an_id("month 1"),
        "PD",
        ("lung left",),
        True,
    )


responses = st.sampled_from(["PR", "SD", "PD", "NE"])
points = st.dictionaries(st.sampled_from(["D30", "D90", "D180"]), responses)


def reading(reader: Evaluator, found: dict[str, str]) -> ReadingChanged:
    names: list[IndependentRead] = [a_read(response, visit) for visit, response in sorted(found.items())]
    return read_by(reader, *names)


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from([ONE, TWO]), points), max_size=8))
def test_the_review_depends_on_the_last_readings_alone(changes: list[tuple[Evaluator, dict[str, str]]]) -> None:
    state: Review = DECIDER.fold(after(*(reading(*change) for change in changes)))
    last: dict[Evaluator, dict[str, str]] = {ONE: {}, TWO: {}} | dict(changes)
    straight = DECIDER.fold(after(*(reading(reader, found) for reader, found in last.items())))
    for name in ("D30", "D90", "D180"):
        point, first, second = state.of_point(name), last[ONE].get(name), last[TWO].get(name)
        differ = first is not None and second is not None and first != second
        assert (point.discordance is not None) is differ
        assert (point.settled is not None) is (first is not None and first == second)
        assert point == straight.of_point(name)


def test_an_id_is_that_of_the_time_point() -> None:
    one, two = (after(read_by(ONE, a_read("PR", visit)), read_by(TWO, a_read("PR", visit)))[-1] for visit in ("A", "B"))
    assert isinstance(one.assessment_id, UUID)  # type: ignore[union-attr]
    assert one.assessment_id != two.assessment_id  # type: ignore[union-attr]
