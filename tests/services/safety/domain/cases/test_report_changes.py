"""The difference between two complete versions of a report, field by field, and who made it."""

from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.safety.domain.cases.facts import Entry, Listed
from services.safety.domain.cases.report_changes import FieldChange, changes, differences
from services.safety.domain.correction import CorrectAdverseEvent
from services.safety.domain.follow_up import ResolveAdverseEvent
from shared.contracts.safety import Outcome
from shared.contracts.safety_cases import ReportSubmitted
from shared.kernel.events import Envelope, Event
from tests.services.safety.builders import AWARE, CHILD
from tests.services.safety.cases.course import Course, opinion


@pytest.mark.parametrize(
    ("was", "now", "found"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"a": 2}, [("/a", 1, 2)]),
        ({"a": None}, {"a": 2}, [("/a", None, 2)]),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3}}, [("/a/c", 2, 3)]),
        ({"a": ["x"]}, {"a": ["x", "y"]}, [("/a", ["x"], ["x", "y"])]),  # plain values: one field
        ({"a": []}, {"a": []}, []),
        ({"a": [{"b": 1}]}, {"a": [{"b": 2}, {"b": 3}]}, [("/a/0/b", 1, 2), ("/a/1", None, {"b": 3})]),
        ({"a": [{"b": 1}]}, {"a": []}, [("/a/0", {"b": 1}, None)]),
        ({"a": {"b": 1}}, {"a": None}, [("/a", {"b": 1}, None)]),
    ],
)
def test_each_field_that_differs_is_named_once(was: Any, now: Any, found: list[Any]) -> None:
    assert list(differences(was, now)) == found


JSON = st.recursive(
    st.none() | st.integers(0, 3) | st.text("ab", max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=12,
)


@given(JSON, JSON)
def test_there_are_differences_if_and_only_if_something_differs(was: Any, now: Any) -> None:
    found = list(differences(was, now))
    assert all(before != after for _, before, after in found)
    assert list(differences(was, was)) == []
    assert [(at, after, before) for at, before, after in found] == list(differences(now, was))


def envelope(event: Event, version: int, actor: str, reason: str | None = None) -> Envelope:
    return Envelope(
        event_id=uuid4(),
        stream="a-stream",
        version=version,
        type=event.event_type,
        schema_version=event.schema_version,
        subject=str(CHILD),
        recorded_at=AWARE,
        actor=actor,
        role="investigator",
        reason=reason,
        correlation_id=uuid4(),
        causation_id=uuid4(),
        traceparent=None,
        data=event.to_json(),
    )


def between(course: Course, since: int, number: int) -> dict[str, FieldChange]:
    """The changes by pointer. Actors are the kind of event and its version, such as `sponsor-assessed 5`."""
    reports = [each.sent for each in course.case.reports]
    event = [envelope(each.event, each.version, f"site {each.version}") for each in course.entries]
    life = [
        envelope(each, version, f"{each.event_type.removeprefix('safety.')} {version}")
        for version, each in enumerate(course.happened, start=1)
    ]
    found = changes(reports[since - 1], reports[number - 1], event, life)
    return {each.at: each for each in found}


def three_reports() -> Course:
    course = Course().reported()
    course.sent(1, narrative_reference="DOC-1")
    course.wait(hours=1).site(CorrectAdverseEvent(reason="The chart says the 14th", onset="2026-03-14"))
    course.assessed(causality=opinion("possible"))
    course.wait(hours=1).sent(2, kind="follow-up", narrative_reference="DOC-2")
    course.wait(hours=1).site(CorrectAdverseEvent(reason="The chart says the 13th", onset="2026-03-13"))
    course.site(ResolveAdverseEvent(ended_on="2026-03-16", outcome=Outcome.RECOVERED))
    course.assessed(causality=opinion("probable"), expectedness="expected", reason="Known of the class")
    course.wait(hours=1).sent(3, kind="follow-up", narrative_reference="DOC-2")
    return course


def test_a_field_of_the_event_was_changed_by_whoever_changed_it_last() -> None:
    course = three_reports()
    first, both = between(course, 1, 2), between(course, 1, 3)
    assert (first["/adverse_event/onset"].now, first["/adverse_event/onset"].changed_by) == ("2026-03-14", "site 3")
    assert (both["/adverse_event/onset"].was, both["/adverse_event/onset"].now) == ("2026-03-15", "2026-03-13")
    assert both["/adverse_event/onset"].changed_by == "site 4"
    assert both["/adverse_event/outcome"].changed_by == "site 5"
    assert "/adverse_event/version" not in both


def test_the_sponsors_judgement_was_changed_by_its_assessment_and_the_rest_by_the_report() -> None:
    course = three_reports()
    later = between(course, 2, 3)
    assert later["/sponsor/causality/0/attribution"].was == "possible"
    for field in ("causality/0/attribution", "expectedness", "expectedness_by", "reason"):
        assert later[f"/sponsor/{field}"].changed_by.startswith("sponsor-assessed")
    assert later["/sponsor/susar"].changed_by.startswith("report-submitted")  # it follows from several


def test_what_changed_before_the_last_report_is_told_of_the_report_that_told_it_first() -> None:
    course = three_reports()
    told = [place for place, each in enumerate(course.happened, start=1) if isinstance(each, ReportSubmitted)]
    second = told[1]
    assert between(course, 1, 3)["/narrative_reference"].changed_by == f"report-submitted {second}"
    assert "/narrative_reference" not in between(course, 2, 3)


def test_a_report_differs_in_nothing_from_itself() -> None:
    assert between(three_reports(), 2, 2) == {}


def test_facts_are_read_from_the_histories_of_their_streams() -> None:
    course = Course().lists().reported()
    told = Listed.of(envelope(course.listed[0].event, 1, "officer"))
    assert told == course.listed[0]
    assert Entry.of(envelope(course.entries[0].event, 1, "site")) == course.entries[0]
