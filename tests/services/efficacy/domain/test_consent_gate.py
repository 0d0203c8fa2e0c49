"""What the consent of the day does not cover is not assessed; what is on record is put right."""

from dataclasses import replace
from datetime import date

from services.efficacy.domain.burden import Facts
from services.efficacy.domain.tumour_burden import DECIDER
from shared.consent.coverage import ConsentDoesNotCover, Coverage
from shared.consent.record import Consent, ConsentRecord, Screening, Withdrawal
from shared.contracts.enrollment_terms import ConsentKind, ConsentScope
from tests.services.efficacy.domain.builders import FACTS, a_baseline, a_correction, a_lesion, an_assessment
from tests.specs import Spec

spec = Spec(DECIDER)
BEFORE = DECIDER.decide(a_lesion(), DECIDER.initial, FACTS)


def under(withdrawn_on: str = "2026-03-14") -> Facts:
    own = Consent(ConsentKind.OWN, None, "1.0", "th", date(2026, 1, 5))
    withdrawn = Withdrawal(ConsentScope.FOLLOW_UP, date.fromisoformat(withdrawn_on))
    record = ConsentRecord("CU", "Asia/Bangkok", "2004-03", (Screening(date(2026, 1, 5), (own,), (withdrawn,)),))
    return replace(FACTS, consent=Coverage(record, FACTS.protocol))


def test_an_assessment_of_an_uncovered_day_is_not_taken() -> None:
    identified = spec.given(*BEFORE)
    assert identified.when(an_assessment(assessed_on="2026-03-14"), under()).decide()
    assert identified.when(an_assessment(assessed_on="2026-03"), under()).decide()  # some day of March is covered
    identified.when(an_assessment(assessed_on="2026-03-15"), under()).then_rejected(ConsentDoesNotCover)
    identified.when(a_baseline(assessed_on="2026-01-04"), under()).then_rejected(ConsentDoesNotCover)
    assert identified.when(an_assessment(assessed_on="2026-03-15"), FACTS).decide()


def test_a_correction_is_refused_only_where_it_moves_to_an_uncovered_day() -> None:
    assessed = spec.given(*BEFORE).when(an_assessment(assessed_on="2026-03-20"), FACTS).decide()
    on_record = spec.given(*BEFORE, *assessed)
    on_record.when(an_assessment(assessed_on="2026-03-20"), under()).then_nothing()
    assert on_record.when(a_correction(targets="T01=61x40", assessed_on="2026-03-20"), under()).decide()
    on_record.when(a_correction(assessed_on="2026-03-21"), under()).then_rejected(ConsentDoesNotCover)
    assert on_record.when(a_correction(assessed_on="2026-03-13"), under()).decide()
