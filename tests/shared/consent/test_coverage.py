"""What a participant's consent covers, day by day and part by part. Whose is needed: see enrollment's test_consent."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.consent.coverage import ConsentDoesNotCover, Coverage
from shared.consent.documents import Document, Documents, Forms
from shared.consent.record import Consent, ConsentRecord, Screening, Withdrawal
from shared.contracts.enrollment_terms import ConsentGap, ConsentKind, ConsentScope, Relationship
from shared.protocol import load_protocol
from tests.services.enrollment.builders import with_consent_settings
from tests.services.enrollment.domain.test_consent import document as of_protocol

PROTOCOL = load_protocol()
FOLLOW_UP, SAMPLES = ConsentScope.FOLLOW_UP, ConsentScope.SAMPLES
DAYS = st.dates(date(2026, 1, 1), date(2027, 12, 31))


def day(text: str) -> date:
    return date.fromisoformat(text)


def consent(kind: str = "guardian", on: str = "2026-03-02", version: str = "1.0") -> Consent:
    relationship = Relationship.MOTHER if kind == "guardian" else None
    return Consent(ConsentKind(kind), relationship, version, "th", day(on))


def screening(*consents: Consent, on: str = "2026-03-02", withdrawals: Sequence[Withdrawal] = ()) -> Screening:
    return Screening(day(on), consents, tuple(withdrawals))


BOTH = (consent(), consent("assent"))


def covered(*screenings: Screening, born: str = "2017-03", documents: Documents = ()) -> Coverage:
    record = ConsentRecord("CU", "Asia/Bangkok", born, screenings or (screening(*BOTH),))
    return Coverage(record, PROTOCOL, Forms(documents))


def gaps(coverage: Coverage, on: str, *scopes: ConsentScope) -> list[str]:
    return [gap.value for gap in coverage.gaps_of(on, *scopes)]


def limited(*scopes: ConsentScope, on: str = "2026-05-20", again: str | None = None) -> Coverage:
    restored = None if again is None else day(again)
    return covered(screening(*BOTH, withdrawals=[Withdrawal(scope, day(on), restored) for scope in scopes]))


@pytest.mark.parametrize(
    ("on", "lacking"),
    [
        ("2026-05-19", []),
        ("2026-05-20", []),
        ("2026-05-21", ["samples-withdrawn"]),
        ("2026-06-01", ["samples-withdrawn"]),
        ("2026-06-02", []),
        ("2026-06-03", []),
    ],
)
def test_a_part_that_was_withdrawn_is_not_covered_until_it_is_restored(on: str, lacking: list[str]) -> None:
    coverage = limited(SAMPLES, again="2026-06-02")
    assert gaps(coverage, on, SAMPLES) == lacking
    assert gaps(coverage, on, FOLLOW_UP) == []


def test_withdrawn_from_the_whole_trial_every_part_is() -> None:
    left = covered(replace(screening(*BOTH), withdrawn_on=day("2026-05-20")))
    assert gaps(left, "2026-05-20", *ConsentScope) == []
    assert gaps(left, "2026-05-21", *ConsentScope) == [
        "treatment-withdrawn",
        "follow-up-withdrawn",
        "samples-withdrawn",
    ]


@pytest.mark.parametrize(
    ("on", "lacking"),
    [
        ("2026-03-01", ["guardian-consent-missing", "assent-missing"]),
        ("2026-03-02", []),
        ("2026-03", []),  # some day of March is covered
        ("2026", []),
        ("2026-02", ["guardian-consent-missing", "assent-missing"]),
        ("2025", ["guardian-consent-missing", "assent-missing"]),
    ],
)
def test_a_date_as_far_as_it_is_known_is_covered_if_one_of_its_days_is(on: str, lacking: list[str]) -> None:
    assert gaps(covered(), on) == lacking


def test_a_day_goes_by_the_screening_in_whose_time_it_lies() -> None:
    first = replace(screening(*BOTH), withdrawn_on=day("2026-04-01"))
    again = [consent(on="2026-06-01"), consent("assent", on="2026-06-03")]
    both = covered(first, screening(*again, on="2026-06-03"))
    assert gaps(both, "2026-03-20", SAMPLES) == []
    assert gaps(both, "2026-05-31", SAMPLES) == ["samples-withdrawn"]
    assert gaps(both, "2026-06-01", SAMPLES) == ["assent-missing"]  # the family consented before the screening
    assert gaps(both, "2026-06-03", SAMPLES) == []
    assert gaps(both, "2025-06-03", SAMPLES) == ["guardian-consent-missing", "assent-missing"]


def at_site(version: str, effective_from: str, kind: str = "guardian") -> Document:
    taken = day(effective_from)
    return Document(ConsentKind(kind), version, ("th",), taken, taken, reconsent_required=True, grace_days=30)


def test_a_newer_version_at_the_site_outdates_the_older_one_after_its_grace() -> None:
    coverage = covered(documents=(at_site("1.0", "2026-01-01"), at_site("2.0", "2026-06-01")))
    assert gaps(coverage, "2026-06-30", FOLLOW_UP) == []
    assert gaps(coverage, "2026-07-01", FOLLOW_UP) == ["guardian-consent-outdated"]


def test_the_sites_documents_stand_for_the_protocols() -> None:
    listed = with_consent_settings(documents=(of_protocol("9.9"), of_protocol("9.9", None, "assent")))
    own = replace(covered(documents=(at_site("1.0", "2026-01-01"),)), protocol=listed)
    assert gaps(own, "2026-03-02") == ["assent-outdated"]
    assert gaps(replace(own, forms=Forms()), "2026-03-02") == ["guardian-consent-outdated", "assent-outdated"]


def test_a_refusal_names_what_is_lacking_and_no_day() -> None:
    limited(SAMPLES).refuse_uncovered("2026-05-20", SAMPLES)
    with pytest.raises(ConsentDoesNotCover) as refused:
        limited(SAMPLES).refuse_uncovered("2026-05-21", SAMPLES)
    assert "samples-withdrawn" in str(refused.value)
    assert "20" not in str(refused.value)
    assert refused.value.code == "consent-does-not-cover"


def told(coverage: Coverage, after: str, until: str = "2050-01-01") -> list[tuple[str, str]]:
    found = coverage.coming_gaps(day(after), day(until), *ConsentScope)
    return [(each.isoformat(), gap.value) for each, gap in found]


@pytest.mark.parametrize(
    ("born", "after", "due"),
    [
        ("2017-03", "2026-03-02", [("2037-03-01", "own-consent-missing")]),
        ("2006-09", "2026-03-02", [("2026-09-01", "own-consent-missing")]),
        ("2006-09", "2026-08-31", [("2026-09-01", "own-consent-missing")]),
        ("2006-09", "2026-09-01", []),  # it is lacking already
        ("2020-05", "2026-03-02", [("2040-05-01", "own-consent-missing")]),  # assent is there already
    ],
)
def test_what_will_be_lacking_is_told_ahead(born: str, after: str, due: list[tuple[str, str]]) -> None:
    assert told(covered(born=born), after) == due


def test_a_child_who_is_too_young_to_assent_will_be_asked_and_later_consents_alone() -> None:
    young = covered(screening(consent()), born="2020-05")
    ahead = [("2027-05-01", "assent-missing"), ("2040-05-01", "own-consent-missing")]
    assert told(young, "2026-03-02") == ahead
    assert told(young, "2026-03-02", "2027-05-01") == ahead[:1]
    assert told(young, "2026-03-02", "2027-04-30") == []


def test_a_newer_version_is_told_ahead_too() -> None:
    listed = with_consent_settings(documents=(of_protocol("1.0"), of_protocol("2.0", "2026-12-01")))
    ahead = replace(covered(), protocol=listed)
    assert told(ahead, "2026-03-02", "2027-01-01") == [("2026-12-01", "guardian-consent-outdated")]
    sites = covered(documents=(at_site("1.0", "2026-01-01"), at_site("2.0", "2026-06-01")))
    assert told(sites, "2026-03-02", "2027-01-01") == [("2026-07-01", "guardian-consent-outdated")]


@pytest.mark.parametrize(
    ("coverage", "gap", "on", "since"),
    [
        (covered(screening()), "guardian-consent-missing", "2026-08-01", "2026-03-02"),
        (covered(screening(consent()), born="2019-05"), "assent-missing", "2026-08-01", "2026-05-01"),
        (limited(SAMPLES), "samples-withdrawn", "2026-08-01", "2026-05-21"),
        (covered(replace(screening(*BOTH), withdrawn_on=day("2026-05-20"))), "samples-withdrawn", "2026-08-01",
         "2026-05-21"),
        (covered(documents=(at_site("1.0", "2026-01-01"), at_site("2.0", "2026-06-01"))), "guardian-consent-outdated",
         "2026-08-01", "2026-07-01"),
        (covered(screening(consent(on="2026-04-01"), consent("assent")), documents=(at_site("2.0", "2026-01-01"),)),
         "guardian-consent-outdated", "2026-08-01", "2026-04-01"),
    ],
)  # fmt: skip
def test_a_gap_is_told_with_its_first_day(coverage: Coverage, gap: str, on: str, since: str) -> None:
    assert gap in gaps(coverage, on, *ConsentScope)
    assert coverage.lacking_since(ConsentGap(gap), day(on)) == day(since)


def test_the_version_that_is_asked_for_is_the_newest_in_use() -> None:
    own = (at_site("1.0", "2026-01-01"), at_site("2.0", "2026-06-01"))
    listed = with_consent_settings(documents=(of_protocol("8.0"), of_protocol("9.0", "2026-12-01")))
    for documents, on, version in (
        (own, "2025-12-31", None),
        (own, "2026-05-31", "1.0"),
        (own, "2026-06-01", "2.0"),
        ((), "2026-11-30", "8.0"),
        ((), "2026-12-01", "9.0"),
    ):
        coverage = replace(covered(documents=documents), protocol=listed)
        assert coverage.version_asked(ConsentKind.GUARDIAN, day(on)) == version
        assert coverage.version_asked(ConsentKind.OWN, day(on)) is None


def test_an_instant_is_of_the_sites_day() -> None:
    assert covered().record.day_of(datetime.fromisoformat("2026-03-01T20:00:00+00:00")) == day("2026-03-02")


@given(DAYS, st.sets(st.sampled_from(list(ConsentScope))), DAYS)
def test_more_parts_never_lack_less(on: date, scopes: set[ConsentScope], withdrawn: date) -> None:
    coverage = limited(SAMPLES, FOLLOW_UP, on=withdrawn.isoformat())
    assert set(coverage.gaps(on)) <= set(coverage.gaps(on, *scopes)) <= set(coverage.gaps(on, *ConsentScope))


@given(DAYS)
def test_a_whole_date_is_as_its_day(on: date) -> None:
    coverage = limited(SAMPLES)
    assert coverage.gaps_of(on.isoformat(), SAMPLES) == coverage.gaps(on, SAMPLES)


@given(st.dates(date(2005, 1, 1), date(2020, 1, 1)), DAYS)
def test_between_now_and_what_is_told_ahead_nothing_comes_to_be_lacking(born: date, after: date) -> None:
    coverage = covered(screening(*BOTH, on="2026-01-01"), born=f"{born:%Y-%m}")
    if coverage.gaps(after):
        return
    found = coverage.coming_gaps(after, after + timedelta(days=4000))
    last = found[0][0] - timedelta(days=1) if found else after + timedelta(days=4000)
    assert coverage.gaps(min(last, after + timedelta(days=400))) == ()


@given(DAYS, DAYS, st.dates(date(2018, 6, 1), date(2020, 1, 1)))
def test_the_day_before_the_first_day_of_a_gap_lacks_it_not(withdrawn: date, on: date, born: date) -> None:
    own = replace(limited(SAMPLES, on=withdrawn.isoformat()).record, birth_month=f"{born:%Y-%m}")
    coverage = Coverage(replace(own, screenings=(replace(own.present, consents=BOTH[:1]),)), PROTOCOL)
    for gap in coverage.gaps(on, *ConsentScope):
        first = coverage.lacking_since(gap, on)
        assert gap in coverage.gaps(first, *ConsentScope) or on < coverage.record.present.begins
        before = first - timedelta(days=1)
        assert first == coverage.record.present.begins or gap not in coverage.gaps(before, *ConsentScope)


def test_each_day_goes_by_the_forms_of_the_site_of_that_day() -> None:
    former, present = (at_site("1.0", "2026-01-01"),), (at_site("A", "2026-01-01"), at_site("B", "2026-06-01"))
    moved = replace(covered().record, site_id="KKU", former_sites=(("CU", day("2026-05-10")),))
    coverage = Coverage(moved, PROTOCOL, moved.forms({"CU": former, "KKU": present}))
    assert gaps(coverage, "2026-05-09") == []
    assert gaps(coverage, "2026-05-10") == ["guardian-consent-outdated"]
    assert coverage.version_asked(ConsentKind.GUARDIAN, day("2026-05-09")) == "1.0"
    assert coverage.version_asked(ConsentKind.GUARDIAN, day("2026-05-10")) == "A"
    [(since, gap)] = coverage.coming_gaps(day("2026-05-01"), day("2026-05-31"))
    assert (since, gap.value) == (day("2026-05-10"), "guardian-consent-outdated")


def test_who_went_to_and_fro_goes_by_the_forms_of_each_time() -> None:
    forms = {name: (at_site(name, "2026-01-01"),) for name in ("CU", "KKU", "SI")}
    record = replace(
        covered().record, site_id="CU", former_sites=(("CU", day("2026-05-10")), ("KKU", day("2026-06-10")))
    )
    of_days = [record.forms(forms).on(day(on))[0].document_version for on in ("2026-05-09", "2026-06-09", "2026-06-10")]
    assert (of_days, record.sites) == (["CU", "KKU", "CU"], ("CU", "CU", "KKU"))
