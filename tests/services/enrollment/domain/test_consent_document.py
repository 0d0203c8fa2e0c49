"""The consent forms of a site: how versions come on record, are put right and taken back, and who may sign which."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from services.enrollment.domain.consent import DocumentNotApproved
from services.enrollment.domain.consent_document import (
    DECIDER,
    ConsentDocumentOnRecord,
    CorrectConsentDocument,
    DocumentFacts,
    NoSuchConsentDocument,
    RecordConsentDocument,
    SiteDocuments,
    WithdrawConsentDocument,
)
from services.enrollment.domain.facts import Facts, InTheFuture
from shared.consent.documents import Documents, Forms
from shared.contracts.enrollment_consent import (
    ConsentDocumentApproved,
    ConsentDocumentCorrected,
    ConsentDocumentWithdrawn,
)
from shared.contracts.enrollment_terms import ConsentKind
from tests.services.enrollment.builders import FACTS as OF_PARTICIPANTS
from tests.services.enrollment.builders import NOW, PROTOCOL, consent, consent_correction, screening, told, transferral
from tests.services.enrollment.builders import spec as of_participant
from tests.specs import Spec

spec = Spec(DECIDER)
FACTS = DocumentFacts("CU", "Asia/Bangkok", NOW, PROTOCOL)
WHY = "Read off the committee's letter"
DOCUMENT: dict[str, Any] = {
    "kind": "guardian",
    "document_version": "2.0",
    "languages": ("th", "en"),
    "approved_on": "2026-02-10",
    "effective_from": "2026-03-01",
    "reconsent_required": True,
    "grace_days": 30,
}
RECORDED = ConsentDocumentApproved(
    site_id="CU",
    kind=ConsentKind.GUARDIAN,
    document_version="2.0",
    languages=("th", "en"),
    approved_on=date(2026, 2, 10),
    effective_from=date(2026, 3, 1),
    reconsent_required=True,
    grace_days=30,
)


def record(**fields: Any) -> RecordConsentDocument:
    return RecordConsentDocument.model_validate(DOCUMENT | fields)


def correct(**fields: Any) -> CorrectConsentDocument:
    return CorrectConsentDocument.model_validate(DOCUMENT | fields | {"reason": WHY})


def take_back(version: str = "2.0") -> WithdrawConsentDocument:
    return WithdrawConsentDocument(kind=ConsentKind.GUARDIAN, document_version=version, reason=WHY)


def test_a_version_comes_on_record() -> None:
    spec.given().when(record(), FACTS).then(RECORDED)


def test_where_the_site_says_nothing_the_protocol_says_how_long_grace_is() -> None:
    spec.given().when(record(grace_days=None), FACTS).then(RECORDED.model_copy(update={"grace_days": 60}))


def test_the_same_version_twice_decides_to_nothing() -> None:
    spec.given(RECORDED).when(record(), FACTS).then_nothing()


def test_the_same_version_with_other_data_is_refused() -> None:
    spec.given(RECORDED).when(record(languages=("th",)), FACTS).then_rejected(ConsentDocumentOnRecord)


def test_an_approval_is_not_in_the_future() -> None:
    # 17:30 UTC is half past midnight in Bangkok: there, it is already the 11th.
    night = DocumentFacts("CU", "Asia/Bangkok", datetime(2026, 2, 10, 17, 30, tzinfo=UTC), PROTOCOL)
    assert spec.given().when(record(approved_on="2026-02-11"), night).decide()
    spec.given().when(record(approved_on="2026-02-12"), night).then_rejected(InTheFuture)
    spec.given(RECORDED).when(correct(approved_on="2027-06-02", effective_from="2027-07-01"), FACTS).then_rejected(
        InTheFuture
    )
    assert spec.given().when(record(effective_from="2030-01-01"), FACTS).decide()


@pytest.mark.parametrize(
    "wrong",
    [
        {"effective_from": "2026-02-09"},
        {"languages": ()},
        {"languages": ("th", "th")},
        {"languages": ("thai",)},
        {"grace_days": -1},
        {"grace_days": 367},
        {"reconsent_required": "yes"},
    ],
)
def test_what_cannot_be_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        record(**wrong)


def test_a_form_may_be_used_from_the_day_of_its_approval() -> None:
    assert spec.given().when(record(effective_from="2026-02-10"), FACTS).decide()


def test_a_version_is_put_right_whole() -> None:
    spec.given(RECORDED).when(correct(grace_days=90), FACTS).then(
        ConsentDocumentCorrected(**RECORDED.model_dump() | {"grace_days": 90}, reason=WHY)
    )
    spec.given(RECORDED).when(correct(), FACTS).then_nothing()


def test_a_version_is_taken_back_and_may_come_anew() -> None:
    gone = ConsentDocumentWithdrawn(site_id="CU", kind=ConsentKind.GUARDIAN, document_version="2.0", reason=WHY)
    spec.given(RECORDED).when(take_back(), FACTS).then(gone)
    spec.given(RECORDED, gone).when(take_back(), FACTS).then_nothing()
    spec.given(RECORDED, gone).when(record(), FACTS).then(RECORDED)
    assert DECIDER.fold([RECORDED, gone, RECORDED]).withdrawn == frozenset()


@pytest.mark.parametrize("command", [correct(document_version="9"), take_back("9")])
def test_what_is_not_on_record_cannot_be_changed(command: Any) -> None:
    spec.given(RECORDED).when(command, FACTS).then_rejected(NoSuchConsentDocument)


def listed(*commands: RecordConsentDocument) -> Documents:
    return DECIDER.fold(event for each in commands for event in DECIDER.decide(each, SiteDocuments(), FACTS)).listed


AT_SITE = listed(record(), record(document_version="3.0", approved_on="2026-05-02", effective_from="2026-06-01"))


@pytest.mark.parametrize(
    ("version", "language", "on", "signed"),
    [
        ("2.0", "th", "2026-02-28", False),  # approved, and not in use yet
        ("2.0", "th", "2026-03-01", True),
        ("2.0", "en", "2026-03-01", True),
        ("2.0", "my", "2026-03-01", False),
        ("2.0", "th", "2026-06-02", True),  # superseded: what was signed is on record, and outdated
        ("3.0", "th", "2026-05-31", False),
        ("3.0", "th", "2026-06-01", True),
        ("1.0", "th", "2026-03-01", False),
    ],
)
def test_a_consent_is_given_on_a_version_that_the_site_used(version: str, language: str, on: str, signed: bool) -> None:
    under = Facts(NOW, PROTOCOL, OF_PARTICIPANTS.placement, forms=Forms(AT_SITE))
    command = consent(document_version=version, language=language, obtained_on=on)
    history = told(screening(screened_on="2026-01-05"))
    when = of_participant.given(*history).when(command, under)
    if signed:
        assert when.decide()
    else:
        when.then_rejected(DocumentNotApproved)


def test_a_correction_is_held_against_the_documents_too() -> None:
    under = Facts(NOW, PROTOCOL, OF_PARTICIPANTS.placement, forms=Forms(AT_SITE))
    history = told(screening(), consent())
    of_participant.given(*history).when(consent_correction(document_version="9"), under).then_rejected(
        DocumentNotApproved
    )


def test_a_kind_without_documents_at_the_site_is_signed_on_any() -> None:
    under = Facts(NOW, PROTOCOL, OF_PARTICIPANTS.placement, forms=Forms(AT_SITE))
    assert of_participant.given(*told(screening())).when(consent("assent", document_version="x"), under).decide()


def test_what_was_signed_at_the_former_site_is_put_right_by_its_forms() -> None:
    under = Facts(NOW, PROTOCOL, OF_PARTICIPANTS.placement, forms=Forms((), ((date(2027, 5, 10), AT_SITE),)))
    moved = of_participant.given(*told(screening(), consent(), transferral()))
    assert moved.when(consent_correction(document_version="2.0"), under).decide()
    moved.when(consent_correction(document_version="9"), under).then_rejected(DocumentNotApproved)
    assert moved.when(consent(document_version="9", obtained_on="2027-05-10"), under).decide()
