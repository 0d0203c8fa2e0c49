"""Which specimens are planned, and which of those drawn serves which visit."""

from datetime import datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from shared.protocol import Assessment, load_protocol
from shared.protocol.specimen_plan import Drawn, specimens_by_visit

PROTOCOL = load_protocol()
DAY_ZERO = datetime.fromisoformat("2026-03-02T10:00:00+07:00")


def drawn(number: int, day: float, *, usable: bool = True) -> Drawn:
    return Drawn(UUID(int=number), DAY_ZERO + timedelta(days=day), usable)


def plan(*specimens: Drawn, day_zero: datetime | None = DAY_ZERO) -> dict[str, int | None]:
    found = specimens_by_visit(PROTOCOL, Assessment.CYTOKINES, day_zero, specimens)
    return {visit.code: None if served is None else served.int for visit, served in found}


def test_every_visit_that_asks_for_one_is_planned() -> None:
    assert plan() == dict.fromkeys(["PRE", "D7", "D14", "D21", "D30"])
    assert plan(drawn(1, 7), day_zero=None) == dict.fromkeys(["PRE", "D7", "D14", "D21", "D30"])


def test_a_specimen_serves_the_visit_whose_window_holds_it() -> None:
    served = plan(drawn(1, -2), drawn(2, 7), drawn(3, 10), drawn(4, 31))
    assert served == {"PRE": 1, "D7": 2, "D14": None, "D21": None, "D30": 4}


def test_one_that_can_be_used_serves_before_one_that_cannot() -> None:
    assert plan(drawn(1, 7, usable=False), drawn(2, 8))["D7"] == 2
    assert plan(drawn(1, 7, usable=False))["D7"] == 1


@given(st.permutations([drawn(1, 6), drawn(2, 7), drawn(5, 7.1), drawn(3, 14), drawn(4, 13, usable=False)]))
def test_the_order_in_which_they_were_recorded_never_matters(specimens: list[Drawn]) -> None:
    assert plan(*specimens) == {"PRE": None, "D7": 2, "D14": 3, "D21": None, "D30": None}
