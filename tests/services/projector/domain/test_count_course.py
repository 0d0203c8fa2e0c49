"""CAR-T cells over time as a figure shows them."""

from decimal import Decimal

from services.projector.domain.count_course import CountAt, count_courses
from shared.contracts.efficacy_terms import Response
from tests.services.projector.domain.test_persistence import CHILD, sample, table


def test_a_course_has_what_gives_a_number_or_a_limit_after_the_infusion() -> None:
    told = table(sample(-1, "<1"), sample(7, "5"), sample(14, None), sample(21, "<2"))
    (found,) = count_courses(told, {CHILD.participant_id: Response.PR})
    assert (found.subject_number, found.best) == ("CU-001", "PR")
    assert found.counts == (CountAt(7, Decimal(5), below=False), CountAt(21, Decimal(2), below=True))
