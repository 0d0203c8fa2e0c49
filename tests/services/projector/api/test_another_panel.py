"""A protocol that adds an analyte: tables, courses and figures follow."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from services.biomarkers.domain.cytokines import results_in
from services.projector.app import SERVICE
from services.projector.plots.course import scales_of_cytokines
from shared import migrations
from shared.contracts import biomarkers as bio
from shared.db import open_database
from shared.kernel.actor import Role
from shared.protocol import Protocol
from tests.services.biomarkers.reports import a_cytokine_report, a_line
from tests.services.projector.chronicle import Chronicle, named
from tests.services.projector.house import House
from tests.services.projector.small_trial import at
from tests.shared.protocol.documents import cmd03, protocol_with

INFUSED = at(1, 5)
CRP = {
    "key": "CRP",
    "name": "C-reactive protein",
    "loinc": "1988-5",
    "loinc_status": "general-knowledge",
    "cdisc_testcd": "CRP",
    "cdisc_code": "C64548",
    "mark": "D",
    "source": "an analyte that another protocol adds",
}


@pytest.fixture(scope="module")
def seven() -> Protocol:
    return protocol_with(cytokines__analytes=[*cmd03()["cytokines"]["analytes"], CRP])


@pytest.fixture
async def house(tmp_path: Path, seven: Protocol) -> AsyncIterator[House]:
    db = open_database(f"sqlite+aiosqlite:///{tmp_path}/projector.sqlite3", "projector")
    await migrations.upgrade(db, SERVICE.migrations)
    made = House(db, tmp_path, seven)
    await made.hears(a_trial(seven).told)
    yield made
    await made.close()


def a_trial(protocol: Protocol) -> Chronicle:
    """CRP of 2 and 50 mg/L on days -1 and 7, and a panel from before the protocol had it."""
    chronicle = Chronicle()
    child = chronicle.child("CU-001").screened().enrolled().infused(INFUSED)
    child.cytokines(INFUSED + timedelta(days=14), IL6="40")
    for day, level in ((-1, "2"), (7, "50")):
        drawn_at = INFUSED + timedelta(days=day)
        sample = {"type": "serum", "collected_at": drawn_at.isoformat()}
        line = a_line("1988-5", value=level, unit="mg/L", lloq="1", uloq=None)
        report = bio.CytokineReport.model_validate(a_cytokine_report(line, specimen=sample))
        panel = named(f"CRP {day}")
        event = bio.CytokinePanelRecorded(
            cytokine_panel_id=panel,
            participant_id=child.id,
            report=report,
            results=results_in(report, drawn_at, protocol.cytokines),
            protocol=protocol.ref,
        )
        chronicle.tell(f"cytokine-panel:{panel}", event)
    return chronicle


async def asked(house: House, path: str) -> Any:
    async with house.client(Role.MONITOR, sites=["CU"]) as client:
        answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_the_table_has_the_analyte_with_its_peak_and_fold_change(house: House) -> None:
    found = (await asked(house, "/v1/outcomes/cytokines?by=dose-level"))["result"]
    assert [each["analyte"] for each in found["analytes"]] == ["IL2", "IL4", "IL6", "IL10", "TNF", "IFNG", "CRP"]
    for crp in (found["analytes"][-1], found["groups"][0]["analytes"][-1]):
        (peak,) = crp["peaks"]
        assert (peak["level"]["text"], peak["day"], peak["fold_change"]) == ("50000000", 7, "25")
        assert (crp["peak_fold_change"]["n"], crp["peak_fold_change"]["median"]) == (1, "25")
        assert [point["n"] for point in crp["time_points"][:3]] == [1, 1, 0]  # the older panel says nothing of it


async def test_the_course_and_the_figures_show_it(house: House) -> None:
    course = (await asked(house, f"/v1/participants/{named('CU-001')}/cytokine-course"))["result"]
    assert [each["value"]["text"] for each in course["analytes"][-1]["samples"]] == ["2000000", "50000000"]
    panels = (await asked(house, "/v1/figures/cytokines"))["datasets"]["points"]
    assert "C-reactive protein" in {row["panel"] for row in panels}
    made = await asked(house, f"/v1/figures/course?participant_id={named('CU-001')}")
    scales = list(scales_of_cytokines(made["vconcat"]))
    assert len(scales) == 5
    for scale in scales:
        assert scale["domain"][-1] == "CRP"
        assert len(scale["range"]) == 7
    assert [len(set(scale["range"])) for scale in scales if scale["range"][0].startswith("#")] == [7, 7, 7]
    async with house.client(Role.MONITOR, sites=["CU"], accept="image/svg+xml") as client:
        drawn = await client.get(f"/v1/figures/course?participant_id={named('CU-001')}")
    assert (drawn.status_code, ">CRP<" in drawn.text) == (200, True)
