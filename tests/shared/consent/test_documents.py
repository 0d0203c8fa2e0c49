"""On which version of a consent form a consent still suffices, day by day."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.consent.documents import Document, Documents, evolve, of_kind, still_suffices
from shared.contracts.enrollment_consent import ConsentDocumentApproved, ConsentDocumentWithdrawn
from shared.contracts.enrollment_terms import ConsentKind

DAYS = st.dates(date(2026, 1, 1), date(2026, 12, 31))


def document(version: str, effective_from: str, *, anew: bool = True, grace: int = 30) -> Document:
    day = date.fromisoformat(effective_from)
    return Document(ConsentKind.GUARDIAN, version, ("th",), day, day, anew, grace)


FIRST, SECOND = document("1.0", "2026-01-01"), document("2.0", "2026-06-01")
THIRD = document("3.0", "2026-09-01", anew=False)


@pytest.mark.parametrize(
    ("version", "obtained", "on", "suffices"),
    [
        ("1.0", "2026-01-10", "2026-05-31", True),
        ("1.0", "2026-01-10", "2026-06-30", True),  # the last day of grace
        ("1.0", "2026-01-10", "2026-07-01", False),
        ("1.0", "2026-05-31", "2026-06-30", True),
        ("1.0", "2026-06-01", "2026-06-01", False),  # signed on the old form once the new one was in use: no grace
        ("2.0", "2026-06-01", "2026-12-31", True),  # the third asks for no new consent
        ("3.0", "2026-09-01", "2026-12-31", True),
        ("0.9", "2026-01-10", "2026-01-20", False),  # not listed: older than all, and signed while 1.0 was in use
        ("0.9", "2025-12-20", "2026-01-30", True),
        ("0.9", "2025-12-20", "2026-01-31", False),
    ],
)
def test_from_a_newer_version_on_an_older_one_lasts_the_days_of_grace(
    version: str, obtained: str, on: str, suffices: bool
) -> None:
    obtained_on, day = date.fromisoformat(obtained), date.fromisoformat(on)
    assert still_suffices(version, obtained_on, day, (FIRST, SECOND, THIRD)) is suffices


def test_without_grace_the_newer_version_is_required_from_its_first_day() -> None:
    second = document("2.0", "2026-06-01", grace=0)
    old = ("1.0", date(2026, 1, 10))
    assert still_suffices(*old, date(2026, 5, 31), (FIRST, second))
    assert not still_suffices(*old, date(2026, 6, 1), (FIRST, second))


@given(DAYS, DAYS, st.integers(0, 366), DAYS)
def test_what_is_outdated_stays_outdated(obtained: date, effective: date, grace: int, on: date) -> None:
    newer = Document(
        ConsentKind.GUARDIAN, "2.0", ("th",), effective, effective, reconsent_required=True, grace_days=grace
    )
    listed = (FIRST, newer)
    if not still_suffices("1.0", obtained, on, listed):
        assert not still_suffices("1.0", obtained, on + timedelta(days=1), listed)


@given(DAYS, DAYS)
def test_the_newest_version_always_suffices(obtained: date, on: date) -> None:
    assert still_suffices("2.0", obtained, on, (FIRST, SECOND))


def approved(each: Document) -> ConsentDocumentApproved:
    told = {name: getattr(each, name) for name in Document.__dataclass_fields__}
    return ConsentDocumentApproved(site_id="CU", **told)


def folded(*documents: Document) -> Documents:
    found: Documents = ()
    for each in documents:
        found = evolve(found, approved(each))
    return found


def test_documents_are_in_the_order_in_which_they_take_effect() -> None:
    assert folded(THIRD, FIRST, SECOND) == (FIRST, SECOND, THIRD)


def test_a_version_is_there_once_and_can_be_taken_back() -> None:
    gone = ConsentDocumentWithdrawn(
        site_id="CU", kind=ConsentKind.GUARDIAN, document_version="1.0", reason="Entered for another site"
    )
    assert folded(FIRST, FIRST) == (FIRST,)
    assert evolve(folded(FIRST, SECOND), gone) == (SECOND,)


def test_kinds_are_told_apart() -> None:
    assert of_kind((FIRST,), ConsentKind.GUARDIAN) == (FIRST,)
    assert of_kind((FIRST,), ConsentKind.ASSENT) == ()
