"""The list of visits: who, when, and how each stands."""

from dataclasses import replace
from datetime import date, timedelta

from services.projector.domain.cohort import Infused
from services.projector.domain.visit_list import visits
from shared.consent.record import ConsentRecord, Screening, Withdrawal
from shared.contracts.enrollment_terms import ConsentScope
from shared.protocol import Assessment
from shared.protocol.schedule import Status
from tests.services.projector.chronicle import PROTOCOL, named
from tests.services.projector.small_trial import at

CHILD = Infused(named("a"), "CU-002", "CU", at(1, 5), at(1, 5))
OTHER = Infused(named("b"), "CU-001", "CU", at(1, 5), at(1, 5), date(2026, 1, 10))
TODAY = date(2026, 1, 20)


def test_visits_are_listed_by_participant_then_time_then_kind() -> None:
    found = visits(PROTOCOL, [CHILD, OTHER], {}, today=TODAY)
    assert [each.subject_number for each in found[:1] + found[-1:]] == ["CU-001", "CU-002"]
    assert [(each.visit, each.assessment) for each in found[:5]] == [
        ("PRE", Assessment.RESPONSE),
        ("PRE", Assessment.CAR_T_FLOW),
        ("PRE", Assessment.CYTOKINES),
        ("D7", Assessment.CAR_T_FLOW),
        ("D7", Assessment.CYTOKINES),
    ]
    mine = [each for each in found if each.subject_number == "CU-001"]
    assert [each.sequence for each in mine] == list(range(1, len(mine) + 1))


def test_each_visit_says_how_it_stands_and_when_it_was_done() -> None:
    performed = {
        (CHILD.participant_id, Assessment.CAR_T_FLOW): [at(1, 12), at(1, 4)],  # in whatever order they were told
        (CHILD.participant_id, Assessment.CYTOKINES): [at(1, 16)],
    }
    found = {(each.visit, each.assessment): each for each in visits(PROTOCOL, [CHILD], performed, today=TODAY)}
    flow = {code: found[code, Assessment.CAR_T_FLOW] for code in ("PRE", "D7", "D14", "D21", "M12")}
    assert [(each.status, each.performed_on_day) for each in flow.values()] == [
        (Status.DONE, -1),
        (Status.DONE, 7),
        (Status.DUE, None),
        (Status.UPCOMING, None),
        (Status.UPCOMING, None),
    ]
    late = found["D7", Assessment.CYTOKINES]
    assert (late.status, late.performed_on_day, late.nominal_on) == (Status.LATE, 11, date(2026, 1, 5) + timedelta(7))
    assert found["PRE", Assessment.RESPONSE].status is Status.MISSED


def test_after_the_end_of_follow_up_nothing_is_missed() -> None:
    found = {each.visit: each.status for each in visits(PROTOCOL, [OTHER], {}, today=TODAY)}
    assert (found["PRE"], found["D7"], found["D14"]) == (Status.MISSED, Status.NOT_APPLICABLE, Status.NOT_APPLICABLE)


def test_what_consent_no_longer_covers_is_not_missed() -> None:
    withdrawn = Withdrawal(ConsentScope.SAMPLES, date(2026, 1, 8))
    consent = ConsentRecord("CU", "Asia/Bangkok", "2018-05", (Screening(date(2025, 12, 1), withdrawals=(withdrawn,)),))
    child = replace(CHILD, consent=consent)
    found = {each.visit: each.status for each in visits(PROTOCOL, [child], {}, today=date(2026, 3, 1))}
    assert (found["PRE"], found["D7"], found["D14"]) == (Status.MISSED, Status.NOT_APPLICABLE, Status.NOT_APPLICABLE)
