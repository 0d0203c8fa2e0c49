"""Files: a table row by row, FCS and xPONENT as instruments write them; what is truncated or foreign is refused."""

from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from services.biomarkers.intake import fcs_file, luminex_file
from services.biomarkers.intake.fcs_file import NotFcs
from services.biomarkers.intake.luminex_file import NotXponent
from shared.kernel.actor import Role
from tests.services.biomarkers.api.test_hl7v2 import panels, registered, the_panel, values, waiting
from tests.services.biomarkers.api.trial import Trial

FILES = Path(__file__).parents[1] / "files" / "flow"
HEAD = "subject_number,collected_at,code,value,comparator,unit,platform,status"
AT = "2026-03-09T08:30:00+07:00"


async def send(trial: Trial, kind: str, content: bytes | str) -> httpx.Response:
    return await trial.client.post(f"/v1/result-files/{kind}", content=content, headers=trial.headers(Role.LABORATORY))


def table(*rows: str, head: str = HEAD) -> str:
    return "\r\n".join([head, *rows]) + "\r\n"


def outcomes(answer: httpx.Response) -> list[tuple[str, str, str | None]]:
    assert answer.status_code == 200, answer.text
    return [(row["place"], row["outcome"], row["problem"]) for row in answer.json()["rows"]]


GOOD = f"CU-001,{AT},IL6,38.4,,pg/mL,LUMINEX-200,final"
LOW = f"CU-001,{AT},IL-2X,2.1,<,pg/mL,LUMINEX-200,"


async def test_each_row_has_its_own_outcome_and_the_same_table_twice_changes_nothing(trial: Trial) -> None:
    await registered(trial)
    rows = (GOOD, LOW, f"CU-999,{AT},IL10,5,,pg/mL,LUMINEX-200,", f"CU-001,{AT},CARPCT,12.5,,%,,done")
    expected = [("unreadable", "unknown-code"), ("unreadable", "unknown-subject"), ("unreadable", "bad-value")]
    dry = await send(trial, "table?dry_run=true&source=LUMILIS@CU", table(*rows))
    assert (await panels(trial), await waiting(trial)) == ([], [])
    first = await send(trial, "table?source=LUMILIS@CU", table(*rows))
    again = await send(trial, "table?source=LUMILIS@CU", table(*rows))
    assert outcomes(dry) == outcomes(first)
    assert [each[1:] for each in outcomes(first)] == [("recorded", None), *expected]
    assert [each[1:] for each in outcomes(again)] == [("repeated", None), *expected]
    assert [each["message_id"] for each in await waiting(trial)] == [first.json()["quarantined"]]
    assert values(await the_panel(trial)) == {"IL6": "38.4"}


@pytest.mark.parametrize("comparator", ["\u2264", "<<", "~", "about"])
async def test_a_number_with_a_comparator_that_is_not_read_is_not_taken_for_exact(
    trial: Trial, comparator: str
) -> None:
    answer = await send(trial, "table", table(f"CU-001,{AT},IL6,2.5,{comparator},pg/mL,LUMINEX-200,"))
    assert (outcomes(answer), await panels(trial)) == ([("line 2", "unreadable", "bad-value")], [])


async def test_the_template_is_itself_a_table(trial: Trial) -> None:
    template = await trial.get("/v1/result-files/template")
    assert template.headers["content-type"].startswith("text/csv")
    rows = outcomes(await send(trial, "table", template.text.replace("SITE-001", "CU-001")))
    assert {outcome for _, outcome, _ in rows} <= {"recorded", "unreadable"}
    assert rows[0][1] == "recorded"


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xfe",
        "a,b",
        table(),
        table(GOOD, head=HEAD + ",value"),
        table(GOOD + ",x"),
        table("CU-001"),
        f'{HEAD}\n"x',
    ],
)
async def test_what_is_no_table_is_refused(trial: Trial, content: bytes | str) -> None:
    answer = await send(trial, "table", content)
    assert (answer.status_code, answer.json()["type"]) == (422, "table-unreadable")


async def test_a_list_mode_file_tells_its_channels_and_events(trial: Trial) -> None:
    answer = await send(trial, "fcs", (FILES / "G11.fcs").read_bytes())
    found: dict[str, Any] = answer.json()
    assert (answer.status_code, found["version"], found["events"], len(found["channels"])) == (200, "3.1", 5785, 12)
    assert found["channels"][3] == {"number": 4, "name": "BL1-A", "stain": "GFP-A", "range": "1048576"}
    assert (found["acquired_on"], found["has_compensation"]) == ("02-Mar-2020", True)
    assert "Cole" not in answer.text  # $OP names the operator


async def test_a_foreign_or_truncated_list_mode_file_is_refused_and_stored_nowhere(trial: Trial) -> None:
    whole = (FILES / "G11.fcs").read_bytes()
    for content in (
        b"",
        (FILES / "corrupted.fcs").read_bytes(),
        *(whole[:end] for end in (10, 58, 5000, 9000, -1, -48)),
    ):
        answer = await send(trial, "fcs", content)
        assert (answer.status_code, answer.json()["type"]) == (422, "not-fcs")
    async with trial.db.connect() as connection:
        assert (await connection.execute(text("select count(*) from events"))).scalar_one() == 0


def test_a_damaged_list_mode_file_is_read_or_refused_never_a_mistake_of_ours() -> None:
    whole, random = (FILES / "G11.fcs").read_bytes(), Random(3)  # noqa: S311 - damage, the same in every run
    for _ in range(200):
        damaged = bytearray(whole)
        for _ in range(random.randint(1, 6)):
            damaged[random.randrange(3000)] = random.randrange(256)
        with suppress(NotFcs):
            assert fcs_file.read(bytes(damaged)).events > 0


async def test_an_export_of_xponent_is_read_well_by_well(trial: Trial) -> None:
    answer = await send(trial, "luminex", (FILES / "luminex_xPONENT_example02.csv").read_bytes())
    found: dict[str, Any] = answer.json()
    assert (answer.status_code, found["samples"], found["analytes"]) == (200, 4, ["alpha", "bravo"])
    assert (found["batch"], found["concentrations"]) == ("PCD00360_184221_20230517", False)
    well = {"statistic": "Median", "location": "1(1,A1)", "analyte": "alpha", "value": "10921.5"}
    assert found["wells"][0] == well
    assert "operator01" not in answer.text


async def test_a_foreign_or_truncated_export_is_refused(trial: Trial) -> None:
    whole = (FILES / "luminex_xPONENT_example02.csv").read_bytes()
    for content in (b"", b"a,b\n1,2\n", whole[:2000], whole[:-40], (FILES / "corrupted.fcs").read_bytes()):
        answer = await send(trial, "luminex", content)
        assert (answer.status_code, answer.json()["type"]) == (422, "not-xponent")
    with pytest.raises(NotXponent):
        luminex_file.read(b'"Program","xPONENT"\n-- CRC --\n')
