"""Whose consent is needed at which age, what is lacking, and how consents come on record."""

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.enrollment.domain.consent import (
    NoSuchConsent,
    NotTheirsToGive,
    consent_gaps,
)
from services.enrollment.domain.facts import BeforeBirth, InTheFuture, NotAtThisPoint
from shared.consent.age import Age
from shared.consent.coverage import consents_needed, sufficient_versions
from shared.contracts.enrollment import ConsentCorrected, ConsentObtained
from shared.contracts.enrollment_terms import ConsentGap, ConsentKind, ConsentOccasion, Relationship
from shared.protocol import ConsentDocument, Protocol
from tests.services.enrollment.builders import (
    CONSENTED,
    FACTS,
    INFUSED,
    PROTOCOL,
    WHO,
    consent,
    consent_correction,
    data_correction,
    facts,
    living,
    screening,
    spec,
    told,
    with_consent_settings,
    withdrawal,
)

# CMD03: of age at 20, assent from 7.
BORN_IN_MARCH_2006 = {"birth_month": "2006-03"}  # 20 in March 2026


def gaps(*commands: Any, on: str, protocol: Any = PROTOCOL) -> list[str]:
    return [gap.value for gap in consent_gaps(living(*commands), date.fromisoformat(on), protocol)]


@pytest.mark.parametrize(
    ("age", "needed"),
    [
        (Age(2, 2), {"guardian"}),
        (Age(6, 6), {"guardian"}),
        (Age(6, 7), {"guardian", "assent"}),  # perhaps seven already: ask the child
        (Age(7, 7), {"guardian", "assent"}),
        (Age(19, 19), {"guardian", "assent"}),
        (Age(19, 20), {"guardian", "own"}),  # perhaps of age, perhaps not: both
        (Age(20, 20), {"own"}),
        (Age(25, 25), {"own"}),
    ],
)
def test_age_says_whose_consent_is_needed(age: Age, needed: set[str]) -> None:
    assert consents_needed(age, PROTOCOL) == {ConsentKind(kind) for kind in needed}


@given(st.integers(0, 30), st.booleans())
def test_somebody_always_has_to_consent(at_least: int, in_birth_month: bool) -> None:
    needed = consents_needed(Age(at_least, at_least + in_birth_month), PROTOCOL)
    assert needed & {ConsentKind.GUARDIAN, ConsentKind.OWN}


def test_a_consent_counts_from_the_day_it_was_given() -> None:
    later = consent("assent", obtained_on="2026-03-04")
    assert gaps(screening(), consent(), later, on="2026-03-01") == ["guardian-consent-missing", "assent-missing"]
    assert gaps(screening(), consent(), later, on="2026-03-03") == ["assent-missing"]
    assert gaps(screening(), consent(), later, on="2026-03-04") == []


def test_a_small_child_is_not_asked_for_assent() -> None:
    assert gaps(screening(birth_month="2021-01"), consent(), on="2026-03-02") == []


@pytest.mark.parametrize(
    ("on", "lacking"),
    [
        ("2026-02-28", []),
        ("2026-03-01", ["own-consent-missing"]),
        ("2026-03-30", ["own-consent-missing"]),
        ("2026-03-31", ["own-consent-missing"]),
    ],
)
def test_a_participant_who_comes_of_age_consents_anew(on: str, lacking: list[str]) -> None:
    given_as_a_minor = {"obtained_on": "2026-01-05"}
    minor = screening(**BORN_IN_MARCH_2006, screened_on="2026-01-05")
    course = (minor, consent(**given_as_a_minor), consent("assent", **given_as_a_minor))
    assert gaps(*course, on=on) == lacking


def test_in_the_month_of_coming_of_age_guardian_and_participant_both_consent() -> None:
    born = screening(**BORN_IN_MARCH_2006)
    own = consent("own", obtained_on="2026-03-10")
    guardian = consent(obtained_on="2026-03-10")
    assert gaps(born, own, on="2026-03-10") == ["guardian-consent-missing"]
    assert gaps(born, guardian, on="2026-03-10") == ["own-consent-missing"]
    assert gaps(born, guardian, own, on="2026-03-10") == []
    assert gaps(born, guardian, own, on="2026-04-01") == []


def test_where_the_protocol_asks_for_no_new_consent_at_majority_the_guardians_goes_on() -> None:
    goes_on = with_consent_settings(reconsent_at_majority=False)
    minor = screening(**BORN_IN_MARCH_2006, screened_on="2026-01-05")
    course = (minor, consent(obtained_on="2026-01-05"), consent("assent", obtained_on="2026-01-05"))
    assert gaps(*course, on="2026-03-10", protocol=goes_on) == []
    assert gaps(*course, on="2026-04-01", protocol=goes_on) == []
    assert gaps(minor, on="2026-04-01", protocol=goes_on) == ["own-consent-missing"]


def document(version: str, required_from: str | None = None, kind: str = "guardian") -> ConsentDocument:
    content = {"kind": kind, "version": version, "required_from": required_from, "mark": "D", "source": "a test"}
    return ConsentDocument.model_validate_json(json.dumps(content))


def suffices(on: str, protocol: Protocol) -> list[str]:
    return sorted(sufficient_versions(ConsentKind.GUARDIAN, date.fromisoformat(on), protocol) or ())


THREE_VERSIONS = with_consent_settings(
    documents=(document("1.0"), document("2.0", "2026-03-10"), document("3.0", "2026-06-01"))
)


@pytest.mark.parametrize(
    ("on", "versions"),
    [
        ("2026-03-09", ["1.0", "2.0", "3.0"]),
        ("2026-03-10", ["2.0", "3.0"]),
        ("2026-05-31", ["2.0", "3.0"]),
        ("2026-06-01", ["3.0"]),
    ],
)
def test_from_its_day_on_a_newer_version_is_required(on: str, versions: list[str]) -> None:
    assert suffices(on, THREE_VERSIONS) == versions


def test_before_any_version_is_required_each_listed_one_suffices() -> None:
    later = with_consent_settings(documents=(document("1.0", "2026-03-10"), document("2.0", "2026-06-01")))
    assert suffices("2026-01-01", later) == ["1.0", "2.0"]


def test_where_no_document_is_listed_any_version_suffices() -> None:
    assert sufficient_versions(ConsentKind.ASSENT, date(2026, 6, 1), THREE_VERSIONS) is None


def test_a_consent_on_an_older_version_is_outdated() -> None:
    course = (screening(), consent(document_version="1.0"), consent("assent"))
    assert gaps(*course, on="2026-03-09", protocol=THREE_VERSIONS) == []
    assert gaps(*course, on="2026-03-10", protocol=THREE_VERSIONS) == ["guardian-consent-outdated"]
    newer = consent(document_version="2.0", obtained_on="2026-03-12")
    assert gaps(*course, newer, on="2026-03-12", protocol=THREE_VERSIONS) == []


def test_every_kind_of_consent_can_be_missing_or_outdated() -> None:
    listed = with_consent_settings(documents=tuple(document("9.9", None, kind) for kind in ConsentKind))
    child, adult = CONSENTED, (screening(birth_month="2004-01"), consent("own"))
    assert gaps(*child, on="2026-03-02", protocol=listed) == ["guardian-consent-outdated", "assent-outdated"]
    assert gaps(*adult, on="2026-03-02", protocol=listed) == ["own-consent-outdated"]
    assert {gap.value for gap in ConsentGap} == {
        *(f"{what}-{how}" for what in ("guardian-consent", "assent", "own-consent") for how in ("missing", "outdated")),
        *(f"{part}-withdrawn" for part in ("treatment", "follow-up", "samples")),
    }


def test_a_guardians_consent_is_recorded_without_a_name() -> None:
    spec.given(*told(screening())).when(consent(), FACTS).then(
        ConsentObtained(
            participant_id=WHO,
            consent_number=1,
            kind=ConsentKind.GUARDIAN,
            relationship=Relationship.MOTHER,
            document_version="2.0",
            language="th",
            obtained_on=date(2026, 3, 2),
            occasion=ConsentOccasion.INITIAL,
        )
    )


def occasion(*before: Any, command: Any) -> str:
    event = told(*before, command)[-1]
    assert isinstance(event, ConsentObtained)
    return event.occasion.value


def test_a_consent_says_why_it_was_obtained_now() -> None:
    assert occasion(screening(), consent(), command=consent("assent")) == "initial"
    newer = consent(document_version="3.0", obtained_on="2026-03-20")
    assert occasion(screening(), consent(), command=newer) == "newer-document"
    assert occasion(screening(), consent(), command=consent(obtained_on="2026-03-20")) == "renewed"
    minor = screening(**BORN_IN_MARCH_2006)
    own = consent("own", obtained_on="2026-04-01")
    assert occasion(minor, consent(), command=own) == "came-of-age"
    assert occasion(minor, command=own) == "initial"


@pytest.mark.parametrize(
    ("kind", "relationship"), [("guardian", None), ("assent", "mother"), ("own", "father"), ("guardian", "neighbour")]
)
def test_a_relationship_is_the_guardians_alone(kind: str, relationship: str | None) -> None:
    with pytest.raises(ValidationError):
        consent(kind, relationship=relationship)


@pytest.mark.parametrize("language", ["thai", "TH", "t", "th_TH", ""])
def test_a_language_is_a_code(language: str) -> None:
    with pytest.raises(ValidationError):
        consent(language=language)


@pytest.mark.parametrize(
    ("kind", "on", "theirs"),
    [
        ("guardian", "2026-02-28", True),
        ("guardian", "2026-03-30", True),
        ("guardian", "2026-03-31", False),
        ("assent", "2026-03-30", True),
        ("assent", "2026-04-01", False),
        ("own", "2026-02-28", False),
        ("own", "2026-03-01", True),
        ("own", "2026-04-01", True),
    ],
)
def test_a_consent_is_recorded_where_age_makes_it_theirs_to_give(kind: str, on: str, theirs: bool) -> None:
    recording = spec.given(*told(screening(**BORN_IN_MARCH_2006))).when(consent(kind, obtained_on=on), FACTS)
    if theirs:
        assert len(recording.decide()) == 1
    else:
        recording.then_rejected(NotTheirsToGive)


def test_a_consent_of_tomorrow_is_refused() -> None:
    # 17:30 UTC is half past midnight in Bangkok: there, it is already the 15th.
    now = facts(datetime(2026, 3, 14, 17, 30, tzinfo=UTC))
    screened = spec.given(*told(screening()))
    screened.when(consent(obtained_on="2026-03-16"), now).then_rejected(InTheFuture)
    assert screened.when(consent(obtained_on="2026-03-15"), now).decide()


def test_just_before_midnight_another_clock_may_be_past_it() -> None:
    screened = spec.given(*told(screening()))
    at_five_to = facts(datetime(2026, 3, 14, 16, 55, tzinfo=UTC))
    at_six_to = facts(datetime(2026, 3, 14, 16, 54, tzinfo=UTC))
    assert screened.when(consent(obtained_on="2026-03-15"), at_five_to).decide()
    screened.when(consent(obtained_on="2026-03-15"), at_six_to).then_rejected(InTheFuture)


def test_nobody_consents_before_the_month_of_birth() -> None:
    screened = spec.given(*told(screening()))
    screened.when(consent(obtained_on="2017-02-28"), FACTS).then_rejected(BeforeBirth)
    assert screened.when(consent(obtained_on="2017-03-01"), FACTS).decide()


def test_the_same_consent_twice_decides_to_nothing() -> None:
    spec.given(*told(*INFUSED)).when(consent(), FACTS).then_nothing()


def test_after_a_withdrawal_no_consent_is_recorded() -> None:
    withdrawn = told(*CONSENTED, withdrawal("2026-03-09"))
    spec.given(*withdrawn).when(consent(obtained_on="2026-03-10"), FACTS).then_rejected(NotAtThisPoint)


def test_a_correction_replaces_one_consent_by_its_number() -> None:
    event = told(*CONSENTED, consent_correction(2, kind="assent"))[-1]
    assert isinstance(event, ConsentCorrected)
    assert (event.consent_number, event.obtained_on, event.reason) == (2, date(2026, 3, 3), "The form says the third")
    corrected = living(*CONSENTED, consent_correction(2, kind="assent"))
    assert [consent.obtained_on.day for consent in corrected.consents] == [2, 3]


def test_the_same_correction_twice_decides_to_nothing() -> None:
    spec.given(*told(*CONSENTED, consent_correction())).when(consent_correction(), FACTS).then_nothing()


def test_a_consent_that_is_not_on_record_cannot_be_corrected() -> None:
    spec.given(*told(*CONSENTED)).when(consent_correction(3), FACTS).then_rejected(NoSuchConsent)


def test_a_correction_is_checked_like_a_consent() -> None:
    consented = spec.given(*told(*CONSENTED))
    consented.when(consent_correction(kind="own"), FACTS).then_rejected(NotTheirsToGive)
    consented.when(consent_correction(obtained_on="2030-01-01"), FACTS).then_rejected(InTheFuture)


def test_a_corrected_month_of_birth_changes_what_consent_is_lacking() -> None:
    assert gaps(*CONSENTED, data_correction(birth_month="2005-01"), on="2026-03-02") == ["own-consent-missing"]
