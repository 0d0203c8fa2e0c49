"""Runs of instruments recorded: xPONENT, MSD through allotropy; who bears which tube, dilutions, replicates, limits."""

import json
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from services.biomarkers.intake import reading
from shared.kernel.actor import Role
from tests.services.biomarkers.api.remembered import remember, told_of_each
from tests.services.biomarkers.api.test_assay_lots import registered as lot_registered
from tests.services.biomarkers.api.test_hl7v2 import panels, registered, the_panel, waiting
from tests.services.biomarkers.api.test_specimens import collected, step
from tests.services.biomarkers.api.trial import Trial
from tests.services.biomarkers.reports import DRAWN, PARTICIPANT
from tests.services.biomarkers.specimen_steps import SPECIMEN, a_receipt, a_rejection

FILES = Path(__file__).parents[1] / "files"
TUBE = "F-1001"
OF_A_SUBJECT = {"name": "Unknown1", "subject_number": "CU-001", "collected_at": DRAWN}
SOURCE = "source=LUMILIS@CU"
Row = dict[str, Any]


def xponent(*rows: str, dilution: str = "1", counts: str = "80", units: str = "pg/mL", head: str = "") -> bytes:
    """An export with results. A row is `sample,IL-6,IL-10`, in the wells A1, B1, ..."""
    names = [row.split(",")[0] for row in rows]
    wells = [f'"{n}(1,{"ABCDEFGH"[n - 1]}1)"' for n in range(1, len(rows) + 1)]
    columns = 'Location,Sample,"IL-6 (57)",IL-10,Total Events'
    lines = [
        "Program,xPONENT,,FlexMAP 3D",
        "Batch,PLATE-7",
        "BatchStartTime,3/19/2026 6:42:29 PM",
        *filter(None, [head]),
        "",
        "Samples,96,Min Events,50,Per Bead",
        "",
        "DataType:,Median",
        columns,
        *(f"{well},{name},100,200,500" for well, name in zip(wells, names, strict=True)),
        "",
        "DataType:,Result",
        columns,
        *(f"{well},{row},500" for well, row in zip(wells, rows, strict=True)),
        "",
        "DataType:,Count",
        columns,
        *(f"{well},{name},{counts},90,500" for well, name in zip(wells, names, strict=True)),
        "",
        "DataType:,Units",
        'Analyte:,"IL-6 (57)",IL-10',
        f"Units:,{units},{units}",
        "",
        "DataType:,Dilution Factor",
        "Location,Sample,Dilution Factor",
        *(f"{well},{name},{dilution}" for well, name in zip(wells, names, strict=True)),
        "",
        "-- CRC --",
    ]
    return "\r\n".join(lines).encode("cp1252")


async def send(
    trial: Trial, content: bytes, query: str = SOURCE, about: Any = None, kind: str = "luminex"
) -> httpx.Response:
    parts: Any = {"file": ("run.csv", content)} | ({} if about is None else {"about": (None, json.dumps(about))})
    return await trial.client.post(
        f"/v1/result-files/{kind}?{query}", files=parts, headers=trial.headers(Role.LABORATORY)
    )


async def recorded(trial: Trial, content: bytes, *args: Any, **named: Any) -> list[Row]:
    answer = await send(trial, content, *args, **named)
    assert answer.status_code == 200, answer.text
    rows: list[Row] = answer.json()["rows"]
    return rows


def outcomes(rows: list[Row]) -> list[tuple[str, str | None]]:
    return [(row["outcome"], row["problem"]) for row in rows]


def lines(panel: Row) -> dict[str, Row]:
    """What is told of each analyte, without what is not told."""
    found = panel["current"]["report"]["results"]
    return {each.pop("analyte"): {name: value for name, value in each.items() if value is not None} for each in found}


@pytest.fixture
async def tube(trial: Trial) -> str:
    """A tube of blood at the laboratory under its number, and the source whose zone and platform hold."""
    await registered(trial)
    specimen = await collected(trial, label=TUBE)
    await step(trial, "receive", a_receipt(), tube=specimen)
    return specimen


async def test_a_sample_that_bears_the_number_of_a_tube_is_recorded_of_that_tube(trial: Trial, tube: str) -> None:
    whole = xponent(f"{TUBE},38.4,5")
    dry = await recorded(trial, whole, f"{SOURCE}&dry_run=true")
    assert await panels(trial) == []
    rows = await recorded(trial, whole)
    assert outcomes(rows) == outcomes(dry) == [("recorded", None)] * 2
    assert (rows[0]["wells"], rows[0]["bead_counts"], rows[0]["few_beads"]) == (["A1"], [80], False)
    panel = await the_panel(trial)
    assert panel["current"]["report"]["specimen"] == {
        "type": "serum",
        "collected_at": DRAWN,
        "specimen_id": str(SPECIMEN),
    }
    assert panel["current"]["report"]["assayed_at"] == "2026-03-19T18:42:29+07:00"
    assert lines(panel)["IL6"] == {"value": "38.4", "unit": "pg/mL"}
    assert rows[0]["result"] == f"/v1/cytokine-panels/{panel['cytokine_panel_id']}"
    assert outcomes(await recorded(trial, whole)) == [("repeated", None)] * 2
    assert outcomes(await recorded(trial, xponent(f"{TUBE},40.1,5"))) == [("corrected", None), ("repeated", None)]
    assert outcomes(await recorded(trial, whole)) == [("superseded", None), ("repeated", None)]
    corrected = await the_panel(trial)
    assert lines(corrected)["IL6"]["value"] == "40.1"
    assert len(corrected["superseded"]) == 1


async def test_wells_of_a_sample_are_replicates_with_their_limits(trial: Trial) -> None:
    await registered(trial)
    whole = xponent("Unknown1,10,< 3.2", "Unknown1,12,<3.2", "Standard1,500,500", "Background0,1,1")
    rows = await recorded(trial, whole, about={"samples": [OF_A_SUBJECT]})
    assert outcomes(rows) == [("recorded", None)] * 2 + [("not-taken", None)] * 4
    assert rows[0]["wells"] == ["A1", "B1"]
    panel = await the_panel(trial)
    found = {each["analyte"]: each for each in panel["current"]["results"]}
    assert (found["IL6"]["value_pg_ml"], found["IL6"]["replicates"]["cv_percent"]) == ("11", "12.9")
    assert (found["IL10"]["qualifier"], found["IL10"]["lloq_pg_ml"]) == ("<", "3.2")


CASES = [
    ("38.4", {}, ("recorded", None), {"value": "38.4", "unit": "pg/mL"}),
    ("<3.2", {}, ("recorded", None), {"value": "3.2", "qualifier": "<", "unit": "pg/mL"}),
    ("> 10000", {}, ("recorded", None), {"value": "10000", "qualifier": ">", "unit": "pg/mL"}),
    ("NaN", {}, ("recorded", None), {"not_measured": "assay-failed"}),
    ("***", {}, ("recorded", None), {"not_measured": "assay-failed"}),
    ("OOR <", {}, ("unreadable", "refused"), None),  # no limit is known, and 0 is none
    ("OOR <", {"kit": "HCYTA-60K", "lot": "A1"}, ("recorded", None), {"qualifier": "<", "unit": "pg/mL"}),
    ("*38.4", {}, ("unreadable", "bad-value"), None),
    ("high", {}, ("unreadable", "bad-value"), None),
    ("38,4", {}, ("unreadable", "bad-value"), None),
    ("0", {}, ("unreadable", "refused"), None),
]


@pytest.mark.parametrize(("cell", "about", "outcome", "line"), CASES)
async def test_what_a_cell_says(trial: Trial, cell: str, about: Row, outcome: Any, line: Row | None) -> None:
    await registered(trial)
    await lot_registered(trial)
    rows = await recorded(trial, xponent(f'Unknown1,"{cell}",5'), about={"samples": [OF_A_SUBJECT], **about})
    assert outcomes(rows)[0] == outcome
    if line is not None:
        assert lines(await the_panel(trial))["IL6"] == line
    else:
        assert rows[0]["says"]


async def test_the_lot_of_the_header_is_matched_to_the_registry(trial: Trial) -> None:
    await registered(trial)
    lot = await lot_registered(trial)
    whole = xponent("Unknown1,2.4,5", head="Kit,HCYTA-60K\r\nKitLot,A1")
    rows = await recorded(trial, whole, about={"samples": [OF_A_SUBJECT]})
    assert outcomes(rows) == [("recorded", None)] * 2
    current = (await the_panel(trial))["current"]
    assert current["report"]["assay_lot_id"] == lot
    il6 = next(each for each in current["results"] if each["analyte"] == "IL6")
    assert (il6["qualifier"], il6["lloq_pg_ml"], il6["lloq_from"]) == ("<", "2.5", "assay-lot")


@pytest.mark.parametrize(
    ("told", "outcome", "value"), [({}, "unreadable", None), ({"dilution_corrected": False}, "recorded", "76.8")]
)
async def test_a_dilution_needs_to_be_told_whether_it_was_corrected(
    trial: Trial, told: Row, outcome: str, value: str | None
) -> None:
    await registered(trial)
    rows = await recorded(trial, xponent("Unknown1,38.4,5", dilution="2"), about={"samples": [OF_A_SUBJECT], **told})
    assert {row["outcome"] for row in rows} == {outcome}
    if value:
        found = (await the_panel(trial))["current"]["results"]
        assert next(each["value_pg_ml"] for each in found if each["analyte"] == "IL6") == value


async def test_what_cannot_be_mapped_waits_and_is_read_once_it_can_be(trial: Trial) -> None:
    await registered(trial)
    answer = await send(trial, xponent(f"{TUBE},38.4,5", "Somchai Jaidee,1,2", counts="20"))
    rows = answer.json()["rows"]
    assert outcomes(rows) == [("unreadable", "unknown-subject")] * 4
    assert rows[0]["few_beads"]
    [message] = await waiting(trial)
    assert message["message_id"] == answer.json()["quarantined"]
    assert "Somchai" not in json.dumps(message)
    specimen = await collected(trial, label=TUBE)
    await step(trial, "receive", a_receipt(), tube=specimen)
    released = await trial.post(f"/v1/quarantined-messages/{message['message_id']}/release", {})
    assert [each["outcome"] for each in released.json()["observations"]] == ["recorded"] * 2 + ["unreadable"] * 2


async def test_a_result_of_a_rejected_tube_is_refused(trial: Trial, tube: str) -> None:
    await step(trial, "reject", a_rejection(), tube=tube)
    dry = await recorded(trial, xponent(f"{TUBE},38.4,5"), f"{SOURCE}&dry_run=true")
    rows = await recorded(trial, xponent(f"{TUBE},38.4,5"))
    assert outcomes(rows) == outcomes(dry) == [("unreadable", "refused")] * 2
    assert rows[0]["says"].startswith("specimen-is-rejected")


async def test_a_number_on_two_tubes_names_none(trial: Trial, tube: str) -> None:
    other = {"specimen_id": "018f3a52-0000-7000-8000-0000000000e9", "type": "serum", "purposes": ["cytokines"]}
    again = {"participant_id": str(PARTICIPANT), **other, "collected_at": DRAWN, "label": TUBE}
    assert (await trial.post("/v1/specimens", again)).status_code == 201
    assert outcomes(await recorded(trial, xponent(f"{TUBE},38.4,5"))) == [("unreadable", "unknown-specimen")] * 2
    about = {"samples": [{"name": TUBE, "specimen": str(SPECIMEN)}]}
    assert outcomes(await recorded(trial, xponent(f"{TUBE},38.4,5"), about=about)) == [("recorded", None)] * 2


async def test_a_tube_of_another_site_is_nobodys(trial: Trial, tube: str) -> None:
    headers = trial.headers(Role.LABORATORY, "SIRIRAJ")
    answer = await trial.client.post("/v1/result-files/luminex", content=xponent(f"{TUBE},1,5"), headers=headers)
    assert {each[1] for each in outcomes(answer.json()["rows"])} == {"unknown-platform"}
    about: Any = {"file": ("a.csv", xponent(f"{TUBE},1,5")), "about": (None, '{"platform": "LUMINEX-200"}')}
    answer = await trial.client.post("/v1/result-files/luminex", files=about, headers=headers)
    assert {each[1] for each in outcomes(answer.json()["rows"])} == {"unknown-subject"}


async def test_an_export_of_signals_alone_says_so_in_each_row(trial: Trial) -> None:
    content = (FILES / "flow" / "luminex_xPONENT_example02.csv").read_bytes()
    rows = await recorded(trial, content, "dry_run=false")
    assert outcomes(rows) == [("unreadable", "bad-value")] * 8
    assert "no concentrations" in rows[0]["says"]
    assert rows[0]["bead_counts"] == [30]
    assert rows[0]["few_beads"]


async def test_msd_is_read_through_allotropy(trial: Trial, tube: str) -> None:
    remember(trial)
    content = (FILES / "instruments" / "msd_workbench.csv").read_bytes()
    about = {"platform": "MSD-S600", "unit": "pg/mL", "dilution_corrected": True, "kit": "V-PLEX", "lot": "K1"}
    await lot_registered(trial, platform="MSD-S600", kit="V-PLEX", lot="K1", ranges=[
        {"analyte": "IL10", "lloq": "0.3", "uloq": "1000", "unit": "pg/mL"}
    ])  # fmt: skip
    query = f"{SOURCE}&vendor=MSD_WORKBENCH"
    rows = await recorded(trial, content, query, about=about, kind="instrument")
    expected = [("not-taken", None), ("recorded", None), ("recorded", None), ("unreadable", "unknown-code")]
    assert outcomes(rows) == expected
    found = {each["analyte"]: each for each in (await the_panel(trial))["current"]["results"]}
    assert (found["IL6"]["value_pg_ml"], found["IL6"]["replicates"]["n"]) == ("54.1", 2)
    assert (found["IL10"]["qualifier"], found["IL10"]["lloq_pg_ml"]) == ("<", "0.6")  # the lot's, of a dilution of 2
    again = await recorded(trial, content, query, about=about, kind="instrument")
    assert outcomes(again) == [("not-taken", None), *[("repeated", None)] * 2, ("unreadable", "unknown-code")]


async def test_an_export_of_xponent_is_read_by_our_own_reader_whoever_names_it(trial: Trial, tube: str) -> None:
    query = f"{SOURCE}&vendor=LUMINEX_XPONENT"
    rows = await recorded(trial, xponent(f"{TUBE},38.4,5"), query, kind="instrument")
    assert outcomes(rows) == [("recorded", None)] * 2


@pytest.mark.parametrize(
    ("query", "about", "content", "status", "code"),
    [
        ("vendor=MSD_WORKBENCH", None, b"\x00\n1\n2\n3", 422, "file-unreadable"),
        ("vendor=NOBODY", None, b"a", 422, "invalid-request"),
        ("vendor=MSD_WORKBENCH", {"samples": 3}, b"a", 422, "invalid-request"),
        ("vendor=MSD_WORKBENCH&source=X@CU", None, b"", 422, "file-unreadable"),
    ],
)
async def test_what_cannot_be_read_is_refused_and_stored_nowhere(
    trial: Trial, query: str, about: Any, content: bytes, status: int, code: str
) -> None:
    answer = await send(trial, content, query, about, "instrument")
    assert (answer.status_code, answer.json()["type"]) == (status, code), answer.text
    assert await count(trial) == 0


FOREIGN = {"a.csv": b"Sample,Assay\n1,2\n3,4\n5", "b.xlsx": b"PK\x03\x04 no workbook", "c.csv": xponent("Unknown1,1,2")}


def test_a_library_refuses_every_file_that_is_foreign(tmp_path: Path) -> None:
    for name, content in FOREIGN.items():
        (tmp_path / name).write_bytes(content)
    told = told_of_each("allotrope", *((tmp_path / name, "MSD_WORKBENCH") for name in FOREIGN))
    assert [code for code, _ in told] == [reading.REFUSED] * len(FOREIGN), told


async def test_a_form_of_other_parts_is_refused(trial: Trial) -> None:
    forms: list[Any] = [{"file": ("a.csv", b"a"), "else": (None, "1")}, {"about": (None, "{}")}]
    for parts in forms:
        answer = await trial.client.post(
            "/v1/result-files/luminex", files=parts, headers=trial.headers(Role.LABORATORY)
        )
        assert (answer.status_code, answer.json()["type"]) == (422, "form-unreadable")


async def test_a_damaged_export_is_read_or_refused_and_nothing_of_a_refused_one_is_stored(trial: Trial) -> None:
    whole, random = xponent("Unknown1,10,< 3.2", "Unknown1,12,<3.2"), Random(5)  # noqa: S311 - the same in every run
    about, seen = {"samples": [OF_A_SUBJECT], "platform": "LUMINEX-200"}, set()
    for _ in range(200):
        damaged = bytearray(whole)
        for _ in range(random.randint(1, 6)):
            damaged[random.randrange(len(damaged))] = random.randrange(256)
        if random.random() < 0.2:
            damaged = damaged[: random.randrange(len(damaged))]
        before = await count(trial)
        answer = await send(trial, bytes(damaged), "dry_run=false", about)
        assert answer.status_code in {200, 422}, answer.text
        seen.add(answer.status_code)
        if answer.status_code == 422:
            assert await count(trial) == before
    assert seen == {200, 422}


async def count(trial: Trial) -> int:
    async with trial.db.connect() as connection:
        return int((await connection.execute(text("select count(*) from events"))).scalar_one())
