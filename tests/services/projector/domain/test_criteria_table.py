"""What every set of criteria says of the same assessments, and who is listed because the sets disagree."""

from typing import Any

import pytest

from services.projector.domain.criteria_table import ReportedByCriteria, ResponsesByCriteria, responses_by_criteria
from services.projector.domain.response_course import Assessed
from shared.contracts.efficacy_terms import Response
from tests.services.projector.chronicle import PROTOCOL
from tests.services.projector.domain.test_best_response_table import FOUR, ONE, TWO, child
from tests.services.projector.domain.test_response_rate import read


def table(*told: tuple[Assessed, dict[str, str | None]]) -> ResponsesByCriteria:
    beside: Any = {
        assessed.assessment_id: {name: given and Response(given) for name, given in said.items()}
        for assessed, said in told
    }
    people, assessed = [ONE, TWO, FOUR], [assessed for assessed, _ in told]
    return responses_by_criteria(PROTOCOL, people, assessed, beside, {}, evaluator="investigator")


@pytest.mark.parametrize(
    ("counts", "other", "differs"),
    [
        ("PR", "PR", False),
        ("PR", "SD", True),
        ("PR", "iPR", False),
        ("PR", "iSD", True),
        ("PD", "iUPD", False),
        ("PD", "iCPD", False),
        ("SD", "NON-CR/NON-PD", True),
        ("PR", None, False),
    ],
)
def test_a_category_that_depends_on_the_set_is_listed(counts: str, other: str | None, differs: bool) -> None:
    found = table((read(ONE, 90, counts), {"WHO_1979": other}))
    assert found.differing == (("CU-001",) if differs else ())
    (assessment,) = found.participants[0].assessments
    assert (assessment.response, assessment.supportive, assessment.differs) == (counts, {"WHO_1979": other}, differs)


def test_the_best_response_by_each_set_is_shown_even_of_who_has_none() -> None:
    found = table(
        (read(ONE, 30, "SD"), {"WHO_1979": "PR", "INRC_2017": None}),
        (read(ONE, 90, "PR"), {"WHO_1979": "PD", "INRC_2017": None}),
        (read(TWO, 30, "SD"), {"WHO_1979": "SD"}),
    )
    one, two, four = found.participants
    assert (one.best, one.best_differs, one.differs) == ({"SEED_V1": "PR", "WHO_1979": "PR"}, False, True)
    assert (two.best, two.differs) == ({"SEED_V1": "SD", "WHO_1979": "SD"}, False)
    assert (four.best, four.assessments, four.differs) == ({}, (), False)
    assert (found.deciding, found.infused, found.evaluator) == ("SEED_V1", 3, "investigator")


def test_sets_may_agree_at_no_assessment_and_still_differ_in_the_best() -> None:
    found = table((read(ONE, 30, "SD"), {"WHO_1979": "SD"}), (read(ONE, 90, "PR"), {}))
    assert (found.participants[0].best_differs, found.differing) == (True, ("CU-001",))


def test_what_is_said_of_an_assessment_that_does_not_count_is_left_out() -> None:
    stranger = child(9)
    assert table((read(stranger, 30, "PR"), {"WHO_1979": "SD"})).differing == ()


@pytest.mark.parametrize(
    ("said", "computed", "agrees", "listed"),
    [("PR", "PR", True, False), ("SD", "PR", False, True), ("PR", None, None, False)],
)
def test_who_was_stated_otherwise_is_listed(said: str, computed: str | None, agrees: bool | None, listed: bool) -> None:
    assessed = read(ONE, 90, "PR")
    told = ReportedByCriteria.of("WHO_1979", Response(said), None if computed is None else Response(computed))
    reported = {assessed.assessment_id: [told]}
    found = responses_by_criteria(PROTOCOL, [ONE], [assessed], {}, reported, evaluator="investigator")
    (assessment,) = found.participants[0].assessments
    assert (assessment.response, assessment.reported[0].agrees) == ("PR", agrees)
    assert found.reported_otherwise == (("CU-001",) if listed else ())
