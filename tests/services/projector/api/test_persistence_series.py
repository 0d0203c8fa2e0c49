"""Persistence by series and compartment: counts of cells and copies are never in one table, nor are compartments."""

import csv
import io
from datetime import timedelta
from typing import Any

import pytest

from services.projector.domain.car_t_series import Series
from shared.contracts import biomarkers_specimens as told
from shared.kernel.actor import Role
from tests.services.projector.chronicle import Chronicle, named
from tests.services.projector.house import House
from tests.services.projector.readmodels.test_specimens import Tube
from tests.services.projector.small_trial import at

PATH = "/v1/outcomes/persistence"
INFUSED = at(1, 5)


def a_trial() -> Chronicle:
    """One child: cells until day 14, copies until day 30 and in the spinal fluid; two of them of a specimen."""
    chronicle = Chronicle()
    child = chronicle.child("CU-001").screened().enrolled().infused(INFUSED)
    for day, cells in {7: "50.5", 14: "12", 21: "<", 30: "<"}.items():
        subsets = {"cd4_percent": "60", "cd8_percent": "40"} if day in {7, 21} else {}
        child.flow(INFUSED + timedelta(days=day), cells, **subsets)
    results = {
        day: child.copies(INFUSED + timedelta(days=day), copies)
        for day, copies in {7: "16000", 14: "80000", 21: "4000", 30: "20"}.items()
    }
    child.copies_corrected(results[14], at(1, 19), "8000")
    child.copies_cancelled(child.copies(at(2, 20), "90"))
    child.copies(at(1, 19), "320", compartment="cerebrospinal-fluid")
    result = {"kind": "transgene-result", "id": results[7]}
    Tube(child, "haemolysed").collected(12).received(12, "haemolysed").tell(told.SpecimenAnalysed, result=result)
    result = {"kind": "transgene-result", "id": results[14]}
    Tube(child, "sound").collected(19).received(19).tell(told.SpecimenAnalysed, result=result)
    panel = child.cytokines(at(1, 12), IL6="40")
    assert panel is not None
    result = {"kind": "cytokine-panel", "id": panel}
    Tube(child, "rejected").collected(12).received(12).tell(told.SpecimenAnalysed, result=result).rejected(12)
    child.cytokines(at(1, 4), IL6="5")
    return chronicle


@pytest.fixture
async def counted(house: House) -> House:
    await house.hears(a_trial().told)
    return house


async def asked(house: House, path: str, query: str = "") -> Any:
    async with house.client(Role.MONITOR, sites=["CU"]) as client:
        answer = await client.get(f"{path}{query}")
    assert answer.status_code == 200, answer.text
    return answer.json()["result"]


def values(found: Any) -> list[tuple[int, str]]:
    (who,) = found["participants"]
    return [(each["day"], each["value"]["text"]) for each in who["samples"]]


async def test_cells_and_copies_are_two_series(any_house: House) -> None:
    await any_house.hears(a_trial().told)
    flow, copies = await asked(any_house, PATH), await asked(any_house, PATH, "?series=transgene")
    assert flow["quantity"] == {"series": "flow", "specimen": "blood", "unit": "/uL", "percent_of": None}
    assert (copies["quantity"]["series"], copies["quantity"]["unit"]) == ("transgene", "{copies}/ug")
    assert values(flow) == [(7, "50.5"), (14, "12"), (21, "<1"), (30, "<1")]
    assert values(copies) == [(7, "16000"), (14, "8000"), (21, "4000"), (30, "20")]
    assert (flow["methods"], copies["methods"], copies["observed"]) == ([], ["qpcr"], "at-scheduled-visits")
    sample = copies["participants"][0]["samples"][0]
    assert (sample["flow_result_id"], sample["method"]) == (None, "qpcr")
    assert sample["transgene_result_id"] is not None
    assert [each["end"]["status"] for found in (flow, copies) for each in found["participants"]] == [
        "lost",
        "persisting",
    ]
    assert flow["participants"][0]["kinetics"][0]["cmax"] == "50.5"
    kinetics = copies["participants"][0]["kinetics"][0]
    assert (kinetics["cmax"], kinetics["tmax_d"], kinetics["tlast_d"]) == ("16000", "7.0000", "30.0000")
    cmax = copies["kinetics"]["parameters"][0]
    assert (cmax["parameter"], cmax["n"], cmax["median"], cmax["geometric_mean"]) == ("cmax", 1, "16000", "16000")


async def test_a_compartment_is_a_table_of_its_own(counted: House) -> None:
    spinal = await asked(counted, PATH, "?series=transgene&specimen=cerebrospinal-fluid")
    assert (spinal["quantity"]["specimen"], values(spinal)) == ("cerebrospinal-fluid", [(14, "320")])
    assert values(await asked(counted, PATH, "?specimen=cerebrospinal-fluid")) == []


async def test_the_distribution_over_subsets_is_told_of_cells_that_were_counted(counted: House) -> None:
    flow = await asked(counted, PATH, "?by=dose-level")
    points = {each["visit"]: each["subsets"] for each in flow["time_points"]}
    assert [(points[day]["n"], points[day]["n_too_few"]) for day in ("D7", "D14", "D21")] == [(1, 0), (0, 0), (0, 1)]
    cd4 = points["D7"]["shares"][0]
    assert (cd4["subset"], cd4["n"], cd4["median"], points["D7"]["cd4_to_cd8"]["median"]) == (
        *("cd4_percent", 1, "60"),
        "1.50",
    )
    assert flow["groups"][0]["time_points"][0]["subsets"]["n"] == 1
    assert flow["participants"][0]["samples"][0]["subsets"]["cd8_percent"] == "40"
    copies = await asked(counted, PATH, "?series=transgene")
    assert {each["subsets"] for each in copies["time_points"]} == {None}
    async with counted.client(Role.MONITOR, sites=["CU"], accept="text/csv") as client:
        sheets = [(await client.get(f"{PATH}?sheet=subsets{more}")).text for more in ("", "&by=dose-level")]
        none = (await client.get(f"{PATH}?sheet=subsets&series=transgene")).text
    alone, grouped = (list(csv.DictReader(io.StringIO(text))) for text in sheets)
    first = alone[0]
    assert (first["visit"], first["subset"], first["unit"], first["median"]) == ("D7", "cd4_percent", "%", "60")
    assert grouped[0]["group"] == "DL1"
    assert list(csv.DictReader(io.StringIO(none))) == []


async def test_copies_are_no_percentage(counted: House) -> None:
    async with counted.client(Role.MONITOR, sites=["CU"]) as client:
        answer = await client.get(f"{PATH}?series=transgene&percent_of=cd3")
    assert (answer.status_code, answer.json()["type"]) == (422, "no-percent-of-copies")


async def test_a_line_says_what_is_to_be_known_of_its_specimen(counted: House) -> None:
    copies = await asked(counted, PATH, "?series=transgene")
    flags = [each["specimen_flags"] for each in copies["participants"][0]["samples"]]
    assert flags == [["poor-condition"], [], ["no-specimen"], ["no-specimen"]]
    points = {each["visit"]: each for each in copies["time_points"]}
    assert [(points[day]["n_without_specimen"], points[day]["n_specimen_flagged"]) for day in ("D7", "D14", "D21")] == [
        (0, 1),
        (0, 0),
        (1, 0),
    ]
    cytokines = await asked(counted, "/v1/outcomes/cytokines")
    il6 = next(each for each in cytokines["analytes"] if each["analyte"] == "IL6")
    assert [each["specimen_flags"] for each in il6["peaks"]] == [["specimen-rejected"]]
    point = next(each for each in il6["time_points"] if each["visit"] == "D7")
    assert (point["n_without_specimen"], point["n_specimen_flagged"]) == (0, 1)
    child = named("CU-001")
    course = await asked(counted, f"/v1/participants/{child}/cytokine-course")
    told_of = next(each for each in course["analytes"] if each["analyte"] == "IL6")["samples"]
    assert [each["specimen_flags"] for each in told_of] == [["no-specimen"], ["specimen-rejected"]]


async def test_sheets_name_the_series_the_compartment_and_the_flags(counted: House) -> None:
    async with counted.client(Role.MONITOR, sites=["CU"], accept="text/csv") as client:
        sheets = {
            name: list(csv.DictReader(io.StringIO((await client.get(f"{PATH}?series=transgene&sheet={name}")).text)))
            for name in ("time-points", "participants", "kinetics", "kinetics-summary")
        }
        grouped = await client.get(f"{PATH}?sheet=kinetics-summary&by=dose-level")
    for name in ("time-points", "kinetics", "kinetics-summary"):
        assert {(row["series"], row["specimen"], row["unit"]) for row in sheets[name]} == {
            ("transgene", "blood", "{copies}/ug")
        }
    assert [row["specimen_flags"] for row in sheets["participants"]][:2] == ["poor-condition", ""]
    first = sheets["kinetics-summary"][0]
    assert (first["parameter"], first["n"], first["median"], first["observed_at"]) == (
        *("cmax", "1", "16000"),
        "scheduled-visits",
    )
    rows = list(csv.DictReader(io.StringIO(grouped.text)))
    assert {(row["grouped_by"], row["group"]) for row in rows} == {("dose-level", "DL1")}


@pytest.mark.parametrize(("series", "words"), [(Series.FLOW, "50.5"), (Series.TRANSGENE, "16000")])
async def test_the_figure_shows_one_series_on_its_own_axis(counted: House, series: Series, words: str) -> None:
    async with counted.client(Role.MONITOR, sites=["CU"]) as client:
        made = (await client.get(f"/v1/figures/kinetics?series={series}")).json()
    assert made["datasets"]["points"][0]["words"] == words
    axis = made["spec"]["layer"][1]["encoding"]["y"]["axis"]["title"]
    assert axis == {"flow": "CAR+ cells/µL", "transgene": "Copies/µg genomic DNA"}[series]
    assert made["title"]["text"].endswith(
        {"flow": "CAR-T cells in blood over time", "transgene": "Transgene copies in blood over time"}[series]
    )


async def test_the_figure_of_another_compartment_names_it(counted: House) -> None:
    async with counted.client(Role.MONITOR, sites=["CU"]) as client:
        made = (await client.get("/v1/figures/kinetics?series=transgene&specimen=cerebrospinal-fluid")).json()
    assert [each["words"] for each in made["datasets"]["points"]] == ["320"]
    assert "Transgene copies in cerebrospinal fluid" in made["title"]["text"]
