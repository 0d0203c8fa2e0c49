"""What the reference safety information makes of an event: by term, severity and specificity, and by the day."""

from typing import Any

import pytest

from services.safety.domain.cases import expectedness, reference_safety_information
from services.safety.domain.cases.facts import on_record
from services.safety.domain.cases.reference_safety_information import (
    ListedTwice,
    NoSuchReferenceSafetyInformation,
    RecordReferenceSafetyInformation,
    ReferenceSafetyInformationOnRecord,
    TwoVersionsOfOneDay,
    WithdrawReferenceSafetyInformation,
)
from services.safety.domain.ctcae import SpecificationMissing, UnknownTerm
from services.safety.domain.record import OnRecord
from shared.contracts.safety_cases import (
    Expectedness,
    ExpectednessProposal,
    ListedTerm,
    ReferenceSafetyInformationRecorded,
    ReferenceSafetyInformationWithdrawn,
)
from tests.services.safety.builders import CRS
from tests.services.safety.cases.course import Course
from tests.specs import Spec

spec = Spec(reference_safety_information.DECIDER)
OTHER_NERVOUS = "10029205"
LISTED = {"meddra_code": CRS.meddra_code, "max_grade": 3}


def recording(version: str = "IB-1", **changed: Any) -> RecordReferenceSafetyInformation:
    stated = {"rsi_version": version, "effective_from": "2026-01-01", "terms": [LISTED]}
    return RecordReferenceSafetyInformation.model_validate({**stated, **changed})


def recorded(version: str = "IB-1", **changed: Any) -> ReferenceSafetyInformationRecorded:
    return ReferenceSafetyInformationRecorded.model_validate(recording(version, **changed).model_dump())


WITHDRAWING = WithdrawReferenceSafetyInformation(reason="Terms of another product")
WITHDRAWN = ReferenceSafetyInformationWithdrawn(rsi_version="IB-1", reason="Terms of another product")


def test_a_version_is_recorded_with_its_terms_in_order() -> None:
    terms = [LISTED, {"meddra_code": "10001551", "max_grade": 2}]
    spec.given().when(recording(terms=terms)).then(recorded(terms=terms[::-1]))


def test_the_same_version_twice_decides_to_nothing() -> None:
    spec.given(recorded()).when(recording()).then_nothing()


def test_another_content_of_a_version_is_refused() -> None:
    spec.given(recorded()).when(recording(terms=[])).then_rejected(ReferenceSafetyInformationOnRecord)


def test_two_versions_do_not_begin_on_one_day_unless_one_was_withdrawn() -> None:
    spec.given(recorded()).when(recording("IB-2")).then_rejected(TwoVersionsOfOneDay)
    spec.given(recorded(), WITHDRAWN).when(recording("IB-2")).then(recorded("IB-2"))


@pytest.mark.parametrize(
    ("terms", "error"),
    [
        ([LISTED, LISTED], ListedTwice),
        ([{"meddra_code": "99999999", "max_grade": 1}], UnknownTerm),
        ([{"meddra_code": OTHER_NERVOUS, "max_grade": 1}], SpecificationMissing),
    ],
)
def test_a_version_lists_terms_of_the_dictionary_once(terms: list[dict[str, Any]], error: type) -> None:
    spec.given().when(recording(terms=terms)).then_rejected(error)


def test_a_version_is_withdrawn_once_and_stays_readable() -> None:
    spec.given(recorded()).when(WITHDRAWING, "IB-1").then(WITHDRAWN)
    spec.given(recorded(), WITHDRAWN).when(WITHDRAWING, "IB-1").then_nothing()
    spec.given().when(WITHDRAWING, "IB-1").then_rejected(NoSuchReferenceSafetyInformation)
    listings = spec.given(recorded("IB-0", effective_from="2025-01-01"), recorded(), WITHDRAWN).state
    assert [each.rsi_version for each in listings.standing] == ["IB-0"]
    assert listings.named("IB-1") == recorded()
    assert listings.reason_withdrawn("IB-0") is None


def an_event(**changed: Any) -> OnRecord:
    return on_record(Course().reported(**changed).facts.event)


def proposal(event: OnRecord, *versions: ReferenceSafetyInformationRecorded) -> ExpectednessProposal:
    return expectedness.proposed(event, versions)


def listing(**term: Any) -> ReferenceSafetyInformationRecorded:
    return recorded(terms=[{**LISTED, **term}])


DEATH = {"grade": 5, "seriousness": ["results-in-death"], "outcome": "fatal"}


@pytest.mark.parametrize(
    ("listed", "event", "expected"),
    [
        ({}, {"grade": 3}, True),  # at the worst grade listed
        ({}, {"grade": 4}, False),  # just past it
        ({"max_grade": 4}, {"grade": 4}, True),
        ({"meddra_code": "10001551"}, {"grade": 1}, False),  # another term
        ({"max_grade": 4}, DEATH, False),  # fatal, not listed as fatal
        ({"max_grade": 1, "fatal": True}, DEATH, True),
        ({"fatal": True}, {"grade": 4}, False),  # a fatal outcome listed says nothing of grade 4
    ],
)
def test_an_event_is_expected_by_term_and_severity(listed: Any, event: Any, expected: bool) -> None:
    found = proposal(an_event(**event), listing(**listed))
    assert found.expectedness is (Expectedness.EXPECTED if expected else Expectedness.UNEXPECTED)
    assert (found.rsi_version, "IB-1" in found.explanation) == ("IB-1", True)


def test_an_other_specify_term_is_listed_in_the_same_words_alone() -> None:
    listed = ListedTerm(meddra_code=OTHER_NERVOUS, specification="Tumor inflammation", max_grade=3)
    event = {"term": OTHER_NERVOUS, "specification": "tumor Inflammation"}
    version = recorded(terms=[listed])
    assert proposal(an_event(**event), version).expectedness is Expectedness.EXPECTED
    event["specification"] = "Palsy"
    assert proposal(an_event(**event), version).expectedness is Expectedness.UNEXPECTED


def test_a_partial_onset_is_expected_only_if_each_version_it_can_mean_expects_it() -> None:
    course = Course()
    course.wait(days=30)
    event = on_record(course.reported(onset="2026-03").facts.event)
    first, second = recorded("IB-1", terms=[]), recorded("IB-2", effective_from="2026-03-15")
    assert proposal(event, first, second).rsi_version == "IB-1"
    assert proposal(event, first, second).expectedness is Expectedness.UNEXPECTED


NONE_LISTED = recorded("IB-2", effective_from="2026-03-15", terms=[])


@pytest.mark.parametrize(
    ("onset", "version", "expected"),
    [
        ("2025-12-31", None, "unexpected"),  # before any version
        ("2026-01-01", "IB-1", "expected"),
        ("2026-03-14", "IB-1", "expected"),  # the day before the next
        ("2026-03-15", "IB-2", "unexpected"),
        ("2026-03", "IB-2", "unexpected"),  # either may have been in force: expected only if both expect it
        ("2026-02", "IB-1", "expected"),
        ("2026", "IB-2", "unexpected"),
    ],
)
def test_the_version_in_force_at_onset_decides(onset: str, version: str | None, expected: str) -> None:
    course = Course()
    course.wait(days=30)
    event = on_record(course.reported(onset=onset).facts.event)
    found = proposal(event, NONE_LISTED, recorded())
    assert (found.rsi_version, found.expectedness) == (version, expected)
