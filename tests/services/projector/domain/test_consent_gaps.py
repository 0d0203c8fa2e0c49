"""Who lacks which consent, and who will. What a consent covers: see `tests/shared/consent`."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from uuid import UUID

import pytest

from services.projector.domain.consent_gaps import Consenting, GapState, consent_gaps
from shared.consent.coverage import Coverage
from shared.consent.documents import Document, Forms
from shared.consent.record import Consent, ConsentRecord, Screening, Withdrawal
from shared.contracts.enrollment_terms import ConsentKind, ConsentScope, ParticipantStatus, Relationship
from shared.protocol import load_protocol

PROTOCOL = load_protocol()
NOW = datetime.fromisoformat("2026-06-10T12:00:00+07:00")
INFUSED = ParticipantStatus.INFUSED


def consent(kind: str, on: str = "2026-03-02", version: str = "1.0") -> Consent:
    relationship = Relationship.MOTHER if kind == "guardian" else None
    return Consent(ConsentKind(kind), relationship, version, "th", date.fromisoformat(on))


GUARDIAN, ASSENT, OWN = map(consent, ConsentKind)


def form(version: str, effective_from: str, kind: str = "guardian") -> Document:
    taken = date.fromisoformat(effective_from)
    return Document(ConsentKind(kind), version, ("th",), taken, taken, reconsent_required=True, grace_days=30)


def child(
    *consents: Consent,
    born: str = "2017-03",
    number: int = 1,
    status: ParticipantStatus = INFUSED,
    documents: Sequence[Document] = (),
    withdrawals: Sequence[Withdrawal] = (),
) -> Consenting:
    screening = Screening(date(2026, 3, 2), consents, tuple(withdrawals))
    record = ConsentRecord("CU", "Asia/Bangkok", born, (screening,))
    return Consenting(UUID(int=number), f"CU-00{number}", status, Coverage(record, PROTOCOL, Forms(tuple(documents))))


def told(*people: Consenting, until: str | None = None, now: datetime = NOW) -> list[tuple[str, ...]]:
    last = None if until is None else date.fromisoformat(until)
    found = consent_gaps(people, now=now, until=last)
    return [(line.subject_number, line.state, line.gap, line.why, line.since.isoformat()) for line in found]


@pytest.mark.parametrize(
    ("who", "lines"),
    [
        (child(GUARDIAN, ASSENT), []),
        (child(GUARDIAN, born="2021-03"), []),
        (child(GUARDIAN), [("lacking", "assent-missing", "never-given", "2026-03-02")]),
        (child(ASSENT), [("lacking", "guardian-consent-missing", "never-given", "2026-03-02")]),
        (child(GUARDIAN, born="2019-05"), [("lacking", "assent-missing", "age-of-assent", "2026-05-01")]),
        (child(GUARDIAN, born="2019-08"), [("due", "assent-missing", "age-of-assent", "2026-08-01")]),
        (child(GUARDIAN, ASSENT, born="2006-05"), [("lacking", "own-consent-missing", "came-of-age", "2026-05-01")]),
        (child(GUARDIAN, ASSENT, born="2006-09"), [("due", "own-consent-missing", "came-of-age", "2026-09-01")]),
        (child(born="2004-09"), [("lacking", "own-consent-missing", "never-given", "2026-03-02")]),
        (
            child(GUARDIAN, ASSENT, documents=[form("1.0", "2026-01-01"), form("2.0", "2026-06-01")]),
            [("due", "guardian-consent-outdated", "newer-document", "2026-07-01")],
        ),
        (
            child(GUARDIAN, ASSENT, documents=[form("1.0", "2026-01-01"), form("2.0", "2026-05-01")]),
            [("lacking", "guardian-consent-outdated", "newer-document", "2026-05-31")],
        ),
        (
            child(GUARDIAN, ASSENT, withdrawals=[Withdrawal(ConsentScope.SAMPLES, date(2026, 5, 20))]),
            [("withdrawn", "samples-withdrawn", "withdrawn", "2026-05-21")],
        ),
    ],
)
def test_what_is_lacking_since_when_and_why(who: Consenting, lines: list[tuple[str, ...]]) -> None:
    assert told(who) == [("CU-001", *line) for line in lines]


@pytest.mark.parametrize("status", ParticipantStatus)
def test_who_has_left_is_asked_nothing(status: ParticipantStatus) -> None:
    stays = {"screening", "enrolled", "infused", "off-treatment", "completed"}
    assert bool(told(child(GUARDIAN, status=status))) == (status in stays)


@pytest.mark.parametrize(("until", "seen"), [(None, 1), ("2026-08-31", 0), ("2026-09-01", 1), ("2026-06-10", 0)])
def test_nobody_is_told_of_what_comes_after_the_day_that_is_asked_for(until: str | None, seen: int) -> None:
    assert len(told(child(GUARDIAN, ASSENT, born="2006-09"), until=until)) == seen


def test_what_is_lacking_comes_first_the_longest_first_then_what_is_due_the_soonest_first() -> None:
    lines = told(
        child(GUARDIAN, ASSENT, born="2006-09", number=1),
        child(GUARDIAN, born="2019-08", number=2),
        child(GUARDIAN, ASSENT, number=3, withdrawals=[Withdrawal(ConsentScope.FOLLOW_UP, date(2026, 4, 1))]),
        child(GUARDIAN, born="2019-05", number=4),
        child(ASSENT, number=5),
    )
    assert [line[0] for line in lines] == ["CU-005", "CU-004", "CU-002", "CU-001", "CU-003"]


def test_states_may_be_picked() -> None:
    people = [child(GUARDIAN, born="2019-08", number=1), child(ASSENT, number=2)]
    for state in (GapState.LACKING, GapState.DUE, GapState.WITHDRAWN):
        found = consent_gaps(people, now=NOW, states=frozenset({state}))
        assert {line.state for line in found} <= {state}
        assert len(found) == (state is not GapState.WITHDRAWN)


def test_the_version_to_sign_is_told_and_the_day_is_the_sites() -> None:
    forms = [form("1.0", "2026-01-01"), form("2.0", "2026-06-01")]
    [line] = consent_gaps([child(GUARDIAN, ASSENT, documents=forms)], now=NOW)
    assert (line.document_version, line.site_id) == ("2.0", "CU")
    evening = datetime.fromisoformat("2026-06-30T20:00:00+00:00")  # the first of July in Bangkok
    assert told(child(GUARDIAN, ASSENT, documents=forms), now=evening)[0][1] == "lacking"
    west = child(GUARDIAN, ASSENT, documents=forms)
    record = replace(west.covered.record, time_zone="America/Los_Angeles")
    there = replace(west, covered=replace(west.covered, record=record))
    assert told(there, now=evening)[0][1] == "due"
    [gone] = consent_gaps(
        [child(GUARDIAN, ASSENT, withdrawals=[Withdrawal(ConsentScope.SAMPLES, date(2026, 5, 1))])], now=NOW
    )
    assert gone.document_version is None
