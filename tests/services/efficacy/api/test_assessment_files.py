"""Assessments from files: the sheet of a visit row by row, DICOM structured reports, and what is refused."""

from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydicom.sr.codedict import codes
from pydicom.uid import CTImageStorage, MRImageStorage, generate_uid

from shared.kernel.actor import Role
from tests.services.efficacy.api.trial import BURDEN, Trial, prepare_another
from tests.services.efficacy.domain.builders import a_baseline, a_lesion, an_id
from tests.services.efficacy.reports import a_report, an_image

FILES = f"{BURDEN}/assessment-files"
VISIT = {"assessed_on": "2026-02-04", "modality": "ct", "non_target": "none", "visit": "D30"}
COLUMNS = "lesion,state,longest_mm,perpendicular_mm,organ,certainty"


async def send(trial: Trial, path: str, content: bytes | str, **query: Any) -> httpx.Response:
    headers = trial.headers(Role.RADIOLOGIST) | {"Content-Type": "text/csv" if path == "sheet" else "application/dicom"}
    return await trial.client.post(f"{FILES}/{path}", content=content, params=query, headers=headers)


async def measured(trial: Trial) -> None:
    await trial.record(a_lesion("T01"), a_lesion("T02", organ="lung"), a_baseline("T01=60x40|T02=30x20"))


async def test_a_template_lists_the_targets_on_record(trial: Trial) -> None:
    await measured(trial)
    answer = await trial.get("/assessment-files/template")
    assert answer.headers["Content-Type"].startswith("text/csv")
    lines = answer.text.splitlines()
    assert (lines[0].split(",")[:2], sorted(line.split(",")[0] for line in lines[1:])) == (
        ["lesion", "state"],
        ["T01", "T02"],
    )


async def test_a_sheet_becomes_an_assessment_and_the_same_sheet_changes_nothing(trial_on_both: Trial) -> None:
    trial = trial_on_both
    await measured(trial)
    sheet = f"\ufeff{COLUMNS}\r\nT01,measured,24.5,18,,\r\nT02,absent,,,,\r\nNEW1,new,,,bone,equivocal\r\n,,,,,\r\n"
    tried = await send(trial, "sheet", sheet, dry_run=True, **VISIT)
    assert (tried.status_code, tried.json()["id"]) == (200, None), tried.text
    first = await send(trial, "sheet", sheet, **VISIT)
    assert [(row["number"], row["lesion"], row["outcome"]) for row in first.json()["rows"]] == [
        (2, "T01", "target"),
        (3, "T02", "target"),
        (4, "NEW1", "new-lesion"),
    ]
    again = await send(trial, "sheet", sheet, **VISIT)
    assert (again.json()["id"], again.headers["Idempotent-Replayed"]) == (first.json()["id"], "true")
    found = (await trial.get(f"/assessments/{first.json()['id']}")).json()
    assert (found["response"]["response"], found["response"]["basis"]["sum"], found["visit"]) == ("PR", "42.5", "D30")


@pytest.mark.parametrize(
    ("rows", "places"),
    [
        (["T09,measured,24,18,,"], ["/2/lesion"]),
        (["T01,measured,24,18,,", "T01,absent,,,,"], ["/3/lesion"]),
        (["T01,measured,24,,,", "T02,gone,,,,"], ["/2/state", "/3/state"]),
        (["T01,measured,18,24,,"], ["/2/state"]),
        (["T01,measured,24mm,18,,"], ["/2/longest_mm"]),
        (['T01,measured,"24,5",18,,'], ["/2/longest_mm"]),
        (["=1+1,new,,,bone,unequivocal"], ["/2/lesion"]),
        (["NEW1,new,,,,unequivocal"], ["/2/organ"]),
        ([",new,,,bone,unequivocal"], ["/2/lesion"]),
    ],
)
async def test_every_row_that_cannot_be_read_is_named_and_nothing_is_recorded(
    trial: Trial, rows: list[str], places: list[str]
) -> None:
    await measured(trial)
    answer = await send(trial, "sheet", "\n".join([COLUMNS, *rows]), **VISIT)
    assert (answer.status_code, answer.json()["type"]) == (422, "rows-refused")
    assert [each["at"] for each in answer.json()["errors"]] == places
    assert len((await trial.get("/tumour-burden")).json()["assessments"]) == 1


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe\x00",
        b"lesion,size\nT01,3",
        b"lesion;state\nT01;absent",
        "lesion,state\nT01,absent".encode("utf-16"),
        b"lesion,state,state\nT01,absent,absent",
        b"lesion,state\nT01,absent,3",
        b"lesion,state\nT01",
        b'lesion,state\n"T01,absent',
        b"lesion,state\n" + b"T01,absent\n" * 101,
    ],
)
async def test_what_is_no_sheet_is_refused(trial: Trial, content: bytes) -> None:
    await measured(trial)
    answer = await send(trial, "sheet", content, **VISIT)
    assert (answer.status_code, answer.json()["type"]) == (422, "sheet-unreadable")


async def test_a_sheet_that_leaves_a_target_out_is_refused_by_the_rules(trial: Trial) -> None:
    await measured(trial)
    answer = await send(trial, "sheet", f"{COLUMNS}\nT01,measured,24,18,,", **VISIT)
    assert (answer.status_code, answer.json()["type"]) == (422, "target-lesion-left-out")


async def test_a_structured_report_becomes_an_assessment_without_anybodys_name(trial: Trial) -> None:
    await measured(trial)
    content = a_report(("T01", 2.45, 1.8), ("T02", 1.0, 0.9), unit=codes.UCUM.Centimeter, image=an_image())
    answer = await send(trial, "dicom-sr", content, non_target="none", visit="D30")
    assert answer.status_code == 200, answer.text
    assert (answer.json()["assessed_on"], answer.json()["modality"]) == ("2026-02-04", "ct")
    found = (await trial.get(f"/assessments/{answer.json()['id']}")).json()
    sizes = {each["lesion_id"]: (each["longest_mm"], each["perpendicular_mm"]) for each in found["targets"]}
    assert sizes == {str(an_id("T01")): ("24.5", "18"), str(an_id("T02")): ("10", "9")}
    assert found["response"]["response"] == "PR"
    told = (await trial.get("/tumour-burden/history")).text + answer.text
    for word in ("Somchai", "HN123456", "20170314", "2017-03-14", "Reader"):
        assert word not in told


@pytest.mark.parametrize(
    ("ids", "status"),
    [
        ({"PatientID": "CU-001"}, 200),
        ({"PatientID": "CU-001-S2", "ClinicalTrialSubjectID": "CU-001"}, 200),
        ({"PatientID": "HN-001"}, 200),  # a hospital's own number, of no participant
        ({"PatientID": ""}, 200),
        ({"PatientID": "SI-001"}, 422),
        ({"PatientID": " si-001-s1 "}, 422),
        ({"PatientID": "CU-001", "ClinicalTrialSubjectID": "SI-001"}, 422),
        ({"PatientID": "", "ClinicalTrialSubjectID": "SI-001"}, 422),
    ],
)
async def test_a_report_that_names_another_participant_is_refused(
    trial: Trial, tmp_path: Path, ids: dict[str, str], status: int
) -> None:
    """CU-001 is whom it is sent for; SI-001 is another participant, whose site the sender may not even see."""
    await prepare_another(f"sqlite+aiosqlite:///{tmp_path / 'service.sqlite3'}")
    await measured(trial)
    content = a_report(("T01", 24.5, 18.0), ("T02", 10.0, 9.0), image=an_image(), ids=ids)
    answer = await send(trial, "dicom-sr", content, non_target="none", dry_run=True)
    assert answer.status_code == status, answer.text
    if status != 200:
        assert answer.json()["type"] == "report-of-another"
        assert "si-001" not in answer.text.lower()


async def test_a_target_that_the_report_leaves_out_was_not_assessed(trial: Trial) -> None:
    await measured(trial)
    content = a_report(("T01", 24.5, 18.0), image=an_image(MRImageStorage))
    answer = await send(trial, "dicom-sr", content, non_target="none")
    found = (await trial.get(f"/assessments/{answer.json()['id']}")).json()
    assert (found["modality"], found["response"]["rule"]) == ("mri", "target-not-assessed")


@pytest.mark.parametrize(
    ("sizes", "problem"),
    [
        ([("T09", 24.5, 18.0)], "lesions-not-matched"),
        ([("T01", 24.5, 18.0), ("T01", 20.0, 18.0)], "lesions-not-matched"),
        ([("T01", 24.5, None)], "no-measurement-report"),
        ([("T01", 24500.0, 18.0)], "no-measurement-report"),
    ],
)
async def test_a_report_that_does_not_fit_is_refused(
    trial: Trial, sizes: list[tuple[str, float, float | None]], problem: str
) -> None:
    await measured(trial)
    answer = await send(trial, "dicom-sr", a_report(*sizes, image=an_image()), non_target="none")
    assert (answer.status_code, answer.json()["type"]) == (422, problem), answer.text


async def test_a_report_that_gives_one_axis_two_sizes_is_refused_and_the_same_size_twice_is_one(trial: Trial) -> None:
    await measured(trial)
    said = [
        await send(trial, "dicom-sr", a_report(("T01", 24.5, 18.0), image=an_image(), again=again), non_target="none")
        for again in (20.0, 24.5)
    ]
    assert [answer.status_code for answer in said] == [422, 200]
    assert (said[0].json()["type"], "two sizes" in said[0].json()["detail"]) == ("no-measurement-report", True)


@pytest.mark.parametrize("kind", ["SquareMillimeter", "HounsfieldUnit"])
async def test_a_report_in_other_units_is_refused(trial: Trial, kind: str) -> None:
    await measured(trial)
    content = a_report(("T01", 24.5, 18.0), unit=getattr(codes.UCUM, kind), image=an_image())
    answer = await send(trial, "dicom-sr", content, non_target="none")
    assert (answer.status_code, answer.json()["type"]) == (422, "no-measurement-report")
    assert "in mm or cm" in answer.json()["detail"]


async def test_what_is_no_such_report_or_is_cut_off_is_refused(trial: Trial) -> None:
    await measured(trial)
    whole = a_report(("T01", 24.5, 18.0), image=an_image())
    image = an_image()
    image.file_meta.MediaStorageSOPClassUID, image.file_meta.MediaStorageSOPInstanceUID = CTImageStorage, generate_uid()
    picture = BytesIO()
    image.save_as(picture, enforce_file_format=True)
    cut = [whole[:end] for end in (*range(0, len(whole), len(whole) // 8), len(whole) - 1)]
    for content in (b"", b"lesion,state\n", b"\0" * 128 + b"DICM", picture.getvalue(), *cut):
        answer = await send(trial, "dicom-sr", content, non_target="none")
        assert answer.status_code == 422, (len(content), answer.status_code, answer.text)
        assert answer.json()["type"] == "no-measurement-report"
    assert len((await trial.get("/tumour-burden")).json()["assessments"]) == 1


async def test_diameters_stay_exact(trial: Trial) -> None:
    await measured(trial)
    content = a_report(("T01", 24.567, 18.1), image=an_image())
    answer = await send(trial, "dicom-sr", content, non_target="none")
    found = (await trial.get(f"/assessments/{answer.json()['id']}")).json()
    sizes = {each["lesion_id"]: each["longest_mm"] for each in found["targets"]}
    assert sizes == {str(an_id("T01")): "24.567", str(an_id("T02")): None}
