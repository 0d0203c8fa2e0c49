"""Which kinds of special interest an adverse event is of, as the protocol lists them."""

from datetime import date
from typing import Any

import pytest

from services.safety.domain import ctcae
from services.safety.domain.record import OnRecord, Retracted, Unreported, evolve
from services.safety.domain.special_interest import special_interest
from shared.contracts.safety import AdverseEventRegraded, AdverseEventTerm, GradeBasis
from tests.services.safety.builders import CHILD, EVENT, PROTOCOL, reported

INFUSED_ON = date(2026, 3, 14)


def event(**changed: Any) -> OnRecord:
    record = evolve(Unreported(), reported(**changed))
    assert isinstance(record, OnRecord)
    return record


def term(code: str, specification: str | None = None) -> AdverseEventTerm:
    return ctcae.as_reported(code, specification)


@pytest.mark.parametrize(
    ("changed", "kinds"),
    [
        ({}, ("crs",)),
        ({"onset": "2026-03-10", "ended_on": "2026-03-12"}, ()),
        ({"term": term("10029205", "ICANS with aphasia")}, ("icans",)),
        ({"term": term("10040047"), "grade": 3}, ()),
        ({"term": term("10040047"), "grade": 3, "seriousness": ("hospitalisation",)}, ("serious-infection",)),
        ({"term": term("10002272"), "grade": 3, "ended_on": "2026-04-11"}, ()),  # day 28
        ({"term": term("10002272"), "grade": 3, "ended_on": "2026-04-12"}, ("prolonged-cytopenia",)),
    ],
)
def test_an_event_is_of_the_kinds_that_its_term_grade_and_time_say(
    changed: dict[str, Any], kinds: tuple[str, ...]
) -> None:
    assert special_interest(event(**changed), PROTOCOL, INFUSED_ON) == kinds


def test_a_grade_reached_later_counts_from_then_on() -> None:
    mild = event(term=term("10002272"), grade=2, onset="2026-03-20")
    assert special_interest(mild, PROTOCOL, INFUSED_ON) == ()
    worse = AdverseEventRegraded(
        adverse_event_id=EVENT,
        participant_id=CHILD,
        previous_grade=2,
        grade=3,
        grade_basis=GradeBasis(),
        since="2026-04-20",
    )
    record = evolve(mild, worse)
    assert isinstance(record, OnRecord)
    assert special_interest(record, PROTOCOL, INFUSED_ON) == ("prolonged-cytopenia",)


def test_without_an_infusion_and_after_a_retraction_there_is_none() -> None:
    assert special_interest(event(), PROTOCOL, None) == ()
    assert special_interest(Retracted(event(), "Entered twice"), PROTOCOL, INFUSED_ON) == ()
