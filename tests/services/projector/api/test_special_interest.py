"""Adverse events of special interest, by kind."""

import csv
import io
from typing import Any

from tests.services.projector.chronicle import Chronicle
from tests.services.projector.house import House
from tests.services.projector.small_trial import at


def told() -> Chronicle:
    chronicle = Chronicle()
    first = chronicle.child("CU-001").screened().enrolled().infused(at(1, 5))
    first.adverse_event("Cytokine release syndrome", 2, "2026-01-06")
    first.adverse_event("Cytokine release syndrome", 1, "2026-01-02").resolved("2026-01-03")  # before the cells
    first.adverse_event("Anemia", 3, "2026-01-10")  # goes on beyond day 28
    first.adverse_event("Sepsis", 3, "2026-01-10", serious=["hospitalisation"])
    second = chronicle.child("SI-001").screened().enrolled().infused(at(1, 5))
    second.adverse_event("Anemia", 3, "2026-01-10").resolved("2026-01-20")
    second.adverse_event("Cytokine release syndrome", 3, "2026-01-06").retracted()
    waiting = chronicle.child("SI-002").screened()
    waiting.adverse_event("Cytokine release syndrome", 3, "2026-01-06")  # never infused
    return chronicle


async def asked(house: House, accept: str = "application/json", query: str = "") -> Any:
    async with house.client(accept=accept) as client:
        answer = await client.get(f"/v1/special-interest{query}")
    assert answer.status_code == 200, answer.text
    return answer


async def test_events_are_flagged_by_term_grade_time_and_seriousness(any_house: House) -> None:
    await any_house.hears(told().told)
    found = (await asked(any_house)).json()["result"]
    kinds = {kind["id"]: kind for kind in found["kinds"]}
    assert found["infused"] == 2
    assert {name: kind["participants"] for name, kind in kinds.items() if kind["participants"]} == {
        "crs": 1,
        "prolonged-cytopenia": 1,
        "serious-infection": 1,
    }
    (crs,) = kinds["crs"]["events"]
    assert (crs["subject_number"], crs["onset"], kinds["crs"]["mark"]) == ("CU-001", "2026-01-06", "D")
    assert kinds["icans"]["events"] == []


async def test_a_site_alone_has_its_own(house: House) -> None:
    await house.hears(told().told)
    found = (await asked(house, query="?site=SI")).json()["result"]
    assert (found["infused"], sum(kind["participants"] for kind in found["kinds"])) == (1, 0)


async def test_as_csv_there_is_a_line_per_kind_and_event(house: House) -> None:
    await house.hears(told().told)
    lines = list(csv.DictReader(io.StringIO((await asked(house, "text/csv")).text)))
    assert [(line["kind"], line["term"]) for line in lines] == [
        ("crs", "Cytokine release syndrome"),
        ("prolonged-cytopenia", "Anemia"),
        ("serious-infection", "Sepsis"),
    ]
