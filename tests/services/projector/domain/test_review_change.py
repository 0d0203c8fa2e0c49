"""Whose sum stands behind a response of the independent review."""

from decimal import Decimal

import pytest

from services.projector.domain.response_course import Assessed
from services.projector.domain.review_change import Reader, review_changes
from services.projector.domain.tumour_change import SumChange
from shared.contracts.efficacy_terms import Response
from tests.services.projector.chronicle import named


def reading(who: str, on: str, response: str) -> Assessed:
    said = Response(response)
    return Assessed(named(f"{who} {on}"), named("CU-001"), on, said, said)


def reader(who: str, on: str, response: str, change: str | None) -> Reader:
    read = reading(who, on, response)
    changes = {} if change is None else {read.assessment_id: SumChange(Decimal(change), "2026-01-02")}
    return Reader([read], changes)


FIRST, SECOND = "2026-02-04", "2026-02-06"


@pytest.mark.parametrize(
    ("one", "other", "settled", "change"),
    [
        ((FIRST, "PR", "-60"), (FIRST, "PR", "-55"), (FIRST, "PR"), "-60"),  # both: the first one's
        ((FIRST, "PR", None), (FIRST, "PR", "-55"), (FIRST, "PR"), "-55"),
        ((FIRST, "PR", "-60"), (SECOND, "PR", "-55"), (SECOND, "PR"), "-55"),  # dated by the later
        ((FIRST, "SD", "-44"), (FIRST, "PD", "30"), (FIRST, "PD"), "30"),  # the adjudicator sided with the second
        ((FIRST, "SD", "-44"), (FIRST, "PD", "30"), (FIRST, "SD"), "-44"),
        ((FIRST, "SD", "-44"), (FIRST, "PD", "30"), (FIRST, "PR"), None),  # neither's: nobody measured it
        ((FIRST, "PD", None), (FIRST, "PD", None), (FIRST, "PD"), None),
    ],
)
def test_a_settled_response_rests_on_the_reading_it_was_taken_from(
    one: tuple[str, str, str | None], other: tuple[str, str, str | None], settled: tuple[str, str], change: str | None
) -> None:
    response = reading("review", *settled)
    found = review_changes([response], [reader("one", *one), reader("other", *other)])
    assert found == ({} if change is None else {response.assessment_id: SumChange(Decimal(change), "2026-01-02")})
