"""Cytokines over HTTP: the course with CRS beside it, tocilizumab from the record of safety, tables by group."""

from typing import Any

import pytest

from shared.contracts.safety_episodes import ToxicityEpisodeRetracted, ToxicityTreatmentRetracted, Treatment
from shared.kernel.actor import Role
from tests.services.projector.api.test_outcomes import csv_of, picked
from tests.services.projector.chronicle import Chronicle
from tests.services.projector.house import House
from tests.services.projector.readmodels.test_toxicity_episodes import Course
from tests.services.projector.small_trial import at, small_trial


def treated_child() -> tuple[Chronicle, Any, Course]:
    """Infused 5 January; CRS from the 7th, of grade 2 on the 8th; tocilizumab at 12 on the 8th."""
    chronicle = Chronicle()
    child = chronicle.child("CU-001").screened().enrolled().infused(at(1, 5))
    child.cytokines(at(1, 4), IL6="5", TNF="2")
    child.cytokines(at(1, 8, 11), IL6="50", TNF="4")
    child.cytokines(at(1, 9), IL6="500", TNF="3")
    crs = Course(child).seen(at(1, 8), 2, 2).given(at(1, 8, 12), Treatment.TOCILIZUMAB, "8")
    crs.given(at(1, 8, 13), Treatment.OXYGEN)
    return chronicle, child, crs


async def course(house: House, who: Any) -> Any:
    async with house.client() as client:
        answer = await client.get(f"/v1/participants/{who}/cytokine-course")
    assert answer.status_code == 200, answer.text
    return answer.json()["result"]


async def flags(house: House, who: Any, analyte: str = "IL6") -> list[list[str]]:
    told = await course(house, who)
    found = next(each for each in told["analytes"] if each["analyte"] == analyte)
    return [each["after_tocilizumab_because"] for each in found["samples"]]


async def test_il6_after_tocilizumab_on_record_is_flagged_and_stands_beside_crs(house: House) -> None:
    chronicle, child, _ = treated_child()
    await house.hears(chronicle.told)
    assert await flags(house, child.id) == [[], [], ["treatment-on-record"]]
    assert await flags(house, child.id, "TNF") == [[], [], []]
    told = await course(house, child.id)
    il6 = next(each for each in told["analytes"] if each["analyte"] == "IL6")
    assert [(each["crs"] and each["crs"]["astct_grade"], each["fold_change"]) for each in il6["samples"]] == [
        (None, None),
        (2, "10"),
        (2, "100"),
    ]
    assert [each["given_before"] for each in il6["samples"]] == [[], [], ["tocilizumab"]]
    assert (il6["peak"]["time_to_peak_days"], il6["peak"]["after_tocilizumab"]) == ("4.00", True)
    lines = await csv_of(house, f"/v1/participants/{child.id}/cytokine-course")
    assert picked(lines, "value", "crs_astct_grade", "after_tocilizumab", analyte="IL6", day="4") == [
        ("500", "2", "true")
    ]


@pytest.mark.parametrize("what", [ToxicityTreatmentRetracted, ToxicityEpisodeRetracted])
async def test_what_was_not_given_flags_nothing(house: House, what: Any) -> None:
    chronicle, child, crs = treated_child()
    crs.tell(what, reason="Another child's chart", **({"number": 1} if what is ToxicityTreatmentRetracted else {}))
    await house.hears(chronicle.told)
    assert await flags(house, child.id) == [[], [], []]


async def test_who_was_not_infused_has_a_course_without_days(house: House) -> None:
    chronicle = Chronicle()
    child = chronicle.child("CU-001").screened().enrolled()
    child.cytokines(at(1, 4), IL6="5", flagged=True)
    await house.hears(chronicle.told)
    assert await flags(house, child.id) == [["reported-by-the-laboratory"]]


async def test_the_course_of_another_site_does_not_exist(house: House) -> None:
    chronicle, child, _ = treated_child()
    await house.hears(chronicle.told)
    async with house.client(Role.INVESTIGATOR, sites=["SI"]) as client:
        answer = await client.get(f"/v1/participants/{child.id}/cytokine-course")
    assert (answer.status_code, answer.json()["type"]) == (404, "no-such-participant")


async def test_the_table_by_dose_level_and_by_best_response(house: House) -> None:
    await house.hears(small_trial().told)
    columns = ("group", "n", "n_censored", "median", "estimated_median", "geometric_mean", "estimates_method")
    rows = await csv_of(house, "/v1/outcomes/cytokines?by=dose-level")
    day_7 = {"analyte": "IL6", "visit": "D7"}
    assert picked(rows, *columns, **day_7) == [("DL1", "3", "1", "40", "40", "<15.874", "kaplan-meier")]
    rows = await csv_of(house, "/v1/outcomes/cytokines?by=best-response")
    assert picked(rows, *columns, **day_7) == [
        ("CR", "1", "0", "50", "50", "50", "plain"),
        ("PD", "1", "0", "40", "40", "40", "plain"),
        ("NE", "1", "1", "<2", "<2", "<2", "kaplan-meier"),
    ]
    peaks = await csv_of(house, "/v1/outcomes/cytokines?sheet=participants")
    assert picked(peaks, "time_to_peak_days", "visit", "no_fold_change", analyte="IL6", subject_number="SI-001") == [
        ("7.00", "D7", "other-platform")
    ]
