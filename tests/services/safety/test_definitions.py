"""The NCI's workbook of CTCAE, loaded by an operator: wording beside the codes, edition beside edition."""

from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from services.safety.app import SERVICE
from services.safety.definitions import WorkbookUnreadable
from services.safety.domain import ctcae
from shared.kernel.actor import Role
from tests.services.safety.house import House

CRS = "10052015"
HEADER = ["MedDRA Code", "MedDRA SOC", "CTCAE Term", *(f"Grade {grade}" for grade in range(1, 6))]
HEADER += ["Definition", "Navigational Note"]

Line = list[Any]


def line_of(term: ctcae.Term) -> Line:
    grades = [f"{term.name}: as bad as {grade}" if grade in term.grades else " - " for grade in range(1, 6)]
    return [int(term.meddra_code), term.soc, term.name, *grades, f"What {term.name} means", "-"]


def workbook(
    file: Path, lines: list[Line], *, header: list[str] = HEADER, title: str = "CTCAE v5.0 Clean Copy"
) -> Path:
    book = Workbook()
    book.active.title = "About"
    sheet = book.create_sheet(title)
    for line in (["Common Terminology Criteria"], header, ["Blood and lymphatic system disorders"], *lines):
        sheet.append(line)
    book.save(file)
    return file


@pytest.fixture
def lines() -> list[Line]:
    return [line_of(term) for term in ctcae.TERMS]


async def load(house: House, file: Path) -> str:
    return await SERVICE.commands["ctcae"].run(house.db, ["import", str(file)])


async def shown(house: House, code: str = CRS) -> Any:
    async with house.client(Role.COORDINATOR) as client:
        answer = await client.get(f"/v1/ctcae/terms/{code}")
    assert answer.status_code == 200
    return answer.json()["definitions"]


async def test_without_a_workbook_there_is_no_wording(house: House) -> None:
    assert await shown(house) == []


async def test_a_loaded_workbook_is_shown_beside_the_codes(any_house: House, tmp_path: Path, lines: list[Line]) -> None:
    file = workbook(tmp_path / "ctcae.xlsx", lines)
    assert await load(any_house, file) == "CTCAE 5.0: the definitions of 837 terms"
    assert await load(any_house, file) == "CTCAE 5.0: the definitions of 837 terms"  # again: nothing is there twice
    (told,) = await shown(any_house)
    assert (told["edition"], told["definition"], told["note"]) == ("5.0", "What Cytokine release syndrome means", None)
    assert told["grades"] == {str(n): f"Cytokine release syndrome: as bad as {n}" for n in range(1, 6)}
    (syncope,) = await shown(any_house, ctcae.named("Syncope").meddra_code)
    assert list(syncope["grades"]) == ["3"]


async def test_editions_stand_side_by_side(house: House, tmp_path: Path, lines: list[Line]) -> None:
    await load(house, workbook(tmp_path / "five.xlsx", lines))
    sixth = [
        int(CRS),
        "Immune system disorders",
        "Cytokine release syndrome",
        "Fever",
        "-",
        "-",
        "-",
        "-",
        "",
        "See ICANS",
    ]
    await load(house, workbook(tmp_path / "six.xlsx", [sixth], title="CTCAE v6.0"))
    five, six = await shown(house)
    assert (five["edition"], six["edition"]) == ("5.0", "6.0")
    assert (six["definition"], six["note"], six["grades"]) == (None, "See ICANS", {"1": "Fever"})


def another_grade(lines: list[Line]) -> list[Line]:
    syncope = next(line for line in lines if line[2] == "Syncope")
    syncope[3] = "Felt faint"
    return lines


@pytest.mark.parametrize(
    ("change", "header", "title", "match"),
    [
        (lambda lines: lines[:-1], HEADER, "CTCAE v5.0", "differs from CTCAE 5.0"),
        (
            lambda lines: [*lines, [1, "SOC", "New", *["x"] * 7]],
            HEADER,
            "CTCAE v5.0",
            "terms that the dictionary does not",
        ),
        (another_grade, HEADER, "CTCAE v5.0", "for example: Syncope"),
        (lambda lines: [*lines, lines[0]], HEADER, "CTCAE v5.0", "stands twice"),
        (lambda _: [], HEADER, "CTCAE v5.0", "has no terms"),
        (lambda lines: lines, HEADER, "Terms", "which edition"),
        (lambda lines: lines, ["MedDRA Code", "Grade 1"], "CTCAE v5.0", "no column named Grade 2, Grade 3"),
        (lambda lines: lines, ["Code"], "CTCAE v5.0", "no sheet has a column named 'MedDRA Code'"),
    ],
)
async def test_another_table_is_refused_and_changes_nothing(
    house: House, tmp_path: Path, lines: list[Line], change: Any, header: list[str], title: str, match: str
) -> None:
    await load(house, workbook(tmp_path / "right.xlsx", lines))
    before = await shown(house)
    with pytest.raises(WorkbookUnreadable, match=match):
        await load(house, workbook(tmp_path / "other.xlsx", change(lines), header=header, title=title))
    assert await shown(house) == before


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no workbook", b"a;b;c"])
async def test_a_file_that_is_no_workbook_is_refused(house: House, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "CTCAE_v5.0.xlsx"
    file.write_bytes(content)
    with pytest.raises(WorkbookUnreadable, match="cannot be read"):
        await load(house, file)


async def test_a_file_that_is_not_there_or_too_large_is_refused(house: House, tmp_path: Path) -> None:
    with pytest.raises(WorkbookUnreadable, match="cannot be read"):
        await load(house, tmp_path / "none.xlsx")
    large = tmp_path / "large.xlsx"
    with large.open("wb") as file:
        file.truncate(17 * 1024 * 1024)
    with pytest.raises(WorkbookUnreadable, match="16 MiB"):
        await load(house, large)


async def test_the_command_says_how_it_is_used(house: House) -> None:
    with pytest.raises(WorkbookUnreadable, match="ctcae import FILE"):
        await SERVICE.commands["ctcae"].run(house.db, ["export"])
