"""Batches of laboratory results over HTTP: each row fares by itself, and none is lost."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from shared.http import paging
from shared.kernel.actor import Role
from tests.services.safety.api.test_adverse_events import problem
from tests.services.safety.builders import CHILD
from tests.services.safety.house import House, infused, screened, transferred

LABORATORY = "CU-LAB"
RECORD = f"/v1/participants/{CHILD}/lab-results"
QUARANTINE = "/v1/lab-results/quarantine"


def row(number: int | str = 1, **changed: Any) -> dict[str, Any]:
    """ALT of 120 U/L where 40 is the upper limit: grade 1."""
    stated = {
        "row_id": f"R{number}",
        "participant_id": str(CHILD),
        "analyte": "ALT",
        "value": "120",
        "unit": "U/L",
        "uln": "40",
        "collected_at": "2026-03-15T07:30:00+07:00",
    }
    return {**stated, **changed}


async def registered(house: House, laboratory: str = LABORATORY, site: str = "CU") -> None:
    async with house.client(Role.LABORATORY, site=site) as client:
        body = {"laboratory_id": laboratory, "site_id": site, "time_zone": "Asia/Bangkok"}
        answer = await client.post("/v1/laboratories", json=body)
        assert answer.status_code == 201, answer.text


async def changed(house: House, verb: str, body: dict[str, Any]) -> httpx.Response:
    async with house.client(Role.LABORATORY) as client:
        version = (await client.get(f"/v1/laboratories/{LABORATORY}")).headers["ETag"]
        return await client.post(f"/v1/laboratories/{LABORATORY}/{verb}", json=body, headers={"If-Match": version})


async def mapped(house: House, **codes: str | None) -> None:
    tests = [{"code": code, "analyte": analyte} for code, analyte in codes.items()]
    answer = await changed(house, "map-tests", {"tests": tests})
    assert answer.status_code == 200, answer.text


async def sent(house: House, *rows: dict[str, Any], **batch: Any) -> dict[str, Any]:
    async with house.client(Role.LABORATORY) as client:
        body = {"laboratory_id": LABORATORY, "rows": rows, **batch}
        answer = await client.post("/v1/lab-results", json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def posted(house: House, path: str, body: dict[str, Any], role: Role = Role.LABORATORY) -> httpx.Response:
    async with house.client(role) as client:
        return await client.post(path, json=body)


async def read(house: House, path: str, role: Role = Role.INVESTIGATOR) -> Any:
    async with house.client(role) as client:
        answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def results(house: House, **query: str) -> list[dict[str, Any]]:
    words = "&".join(f"{name}={value}" for name, value in query.items())
    found: list[dict[str, Any]] = (await read(house, f"{RECORD}?{words}"))["items"]
    return found


def outcomes(answer: dict[str, Any]) -> list[str]:
    return [each["outcome"] for each in answer["rows"]]


@pytest.fixture
async def lab(house: House) -> House:
    await registered(house)
    return house


@pytest.fixture
async def any_lab(any_house: House) -> House:
    await registered(any_house)
    return any_house


async def test_a_value_is_graded_on_arrival_and_explained(lab: House) -> None:
    answer = await sent(lab, row())
    assert answer["counts"] == {"recorded": 1}
    assert [(g["term"], g["grade"]) for g in answer["rows"][0]["grades"]] == [("Alanine aminotransferase increased", 1)]
    [result] = await results(lab)
    [grade] = result["grades"]
    assert (grade["grade"], grade["arm"], grade["rule"]) == (1, "ULN", "CTCAE v5.0 10001551 grade 1a (ULN)")
    assert "> 40 and <= 120 U/L" in grade["explanation"]
    assert "Not grade 2" in grade["explanation"]
    assert (result["limits_from"], result["lln"], result["uln"]) == ("result", None, "40")
    assert (result["age_months"], result["edition"], result["protocol"]) == (108, "5.0", "CMD03@1.0.0")


async def test_the_same_batch_again_changes_nothing(any_lab: House) -> None:
    rows = [row(1), row(2, value="50", collected_at="2026-03-16T07:30:00+07:00"), row(3, analyte="nonsense")]
    first = await sent(any_lab, *rows)
    assert outcomes(first) == ["recorded", "recorded", "quarantined"]
    before = await read(any_lab, f"{RECORD}/history")
    again = await sent(any_lab, *rows)
    assert outcomes(again) == ["repeated", "repeated", "quarantined"]
    assert again["rows"][2]["quarantine_id"] == first["rows"][2]["quarantine_id"]
    assert await read(any_lab, f"{RECORD}/history") == before
    assert len((await read(any_lab, QUARANTINE))["items"]) == 1


async def test_a_dry_run_answers_as_the_batch_would_and_records_nothing(lab: House) -> None:
    rows = [row(1), row(2, value="high")]
    tried = await sent(lab, *rows, dry_run=True)
    assert tried["dry_run"]
    assert (await results(lab), (await read(lab, QUARANTINE))["items"]) == ([], [])
    assert {**await sent(lab, *rows), "dry_run": True} == tried


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"row_id": None}, "not-identified"),
        ({"row_id": "a\nb"}, "not-identified"),
        ({"row_id": "a\ufffdb"}, "not-identified"),
        ({"participant_id": str(uuid4())}, "unknown-participant"),
        ({"participant_id": "nobody"}, "unknown-participant"),
        ({"participant_id": None}, "unknown-participant"),
        ({"participant_id": None, "subject_number": "KKU-001"}, "unknown-participant"),
        ({"subject_number": "KKU-001"}, "unknown-participant"),
        ({"analyte": None}, "unknown-test"),
        ({"analyte": "nonsense"}, "unknown-test"),
        ({"analyte": None, "loinc": "1-1"}, "unknown-test"),
        ({"local_code": "GPT"}, "unknown-test"),
        ({"unit": "furlong"}, "unknown-unit"),
        ({"unit": "g/dL"}, "unknown-unit"),
        ({"unit": None}, "unknown-unit"),
        ({"value": None}, "bad-value"),
        ({"value": "haemolysed"}, "bad-value"),
        ({"value": "-1"}, "bad-value"),
        ({"value": "<0"}, "bad-value"),
        ({"uln": "n/a"}, "bad-limits"),
        ({"uln": "<40"}, "bad-limits"),
        ({"lln": "50"}, "bad-limits"),
        ({"collected_at": None}, "bad-collection-time"),
        ({"collected_at": "2026-03-15"}, "bad-collection-time"),
        ({"collected_at": "yesterday at noon"}, "bad-collection-time"),
        ({"collected_at": "0001-01-01T00:00:00"}, "bad-collection-time"),
        ({"collected_at": "2027-03-15T07:30:00+07:00"}, "bad-collection-time"),
        ({"specimen_type": "hair"}, "unknown-specimen"),
    ],
)
async def test_what_cannot_be_read_is_kept_and_the_others_are_recorded(
    house: House, wrong: dict[str, Any], named: str
) -> None:
    await registered(house)
    await house.hears(screened(UUID(int=7), "KKU"))
    bad = {**row(2), **wrong}
    answer = await sent(house, row(1), bad, row(3))
    assert outcomes(answer) == ["recorded", "quarantined", "recorded"]
    assert answer["rows"][1]["problem"] == named
    [kept] = (await read(house, QUARANTINE, Role.LABORATORY))["items"]
    assert kept["quarantine_id"] == answer["rows"][1]["quarantine_id"]
    assert {name: value for name, value in kept["row"].items() if name in bad} == bad
    assert (kept["problem"], kept["state"], kept["says"]) == (named, "waiting", answer["rows"][1]["says"])


async def test_a_row_is_released_once_its_code_is_mapped(any_lab: House) -> None:
    coded = {"analyte": None, "local_code": "GPT"}
    answer = await sent(any_lab, row(1, **coded), row(2, **coded), row(3, analyte=None, local_code="XYZ"))
    one, two, _ = (each["quarantine_id"] for each in answer["rows"])
    refused = await posted(any_lab, f"{QUARANTINE}/{one}/release", {})
    assert problem(refused) == (409, "row-still-unreadable")
    await mapped(any_lab, GPT="SGPT")
    released = await posted(any_lab, f"{QUARANTINE}/{one}/release", {})
    assert (released.status_code, released.json()["outcome"]) == (200, "recorded")
    assert released.headers["Trial-Position"] == f"lab-results:{CHILD}@2"
    assert (await posted(any_lab, f"{QUARANTINE}/{one}/release", {})).json()["outcome"] == "repeated"
    rest = await posted(any_lab, f"{QUARANTINE}/release", {"laboratory_id": LABORATORY})
    assert outcomes(rest.json()) == ["recorded", "quarantined"]
    assert [each["test"] for each in await results(any_lab)] == ["GPT", "GPT"]
    assert [each["analyte"] for each in await results(any_lab)] == ["ALT", "ALT"]
    waiting = (await read(any_lab, QUARANTINE))["items"]
    assert [each["row"]["row_id"] for each in waiting] == ["R3"]
    released_rows = (await read(any_lab, f"{QUARANTINE}?state=released"))["items"]
    assert {each["quarantine_id"] for each in released_rows} == {one, two}
    assert (await posted(any_lab, f"{QUARANTINE}/{two}/discard", {"reason": "Too late"})).json()["type"] == (
        "row-already-settled"
    )


async def test_a_row_that_was_discarded_stays_so(any_lab: House) -> None:
    bad = row(1, value="CONTROL")
    [kept] = (await sent(any_lab, bad))["rows"]
    reason = {"reason": "A control of the analyser"}
    path = f"{QUARANTINE}/{kept['quarantine_id']}"
    assert (await posted(any_lab, f"{path}/discard", reason)).status_code == 200
    assert (await posted(any_lab, f"{path}/discard", reason)).status_code == 200
    assert outcomes(await sent(any_lab, bad)) == ["discarded"]
    assert (await read(any_lab, QUARANTINE))["items"] == []
    [shown] = (await read(any_lab, f"{QUARANTINE}?state=discarded"))["items"]
    assert (shown["reason"], shown["settled_by"]) == (reason["reason"], "dr-mali")
    assert problem(await posted(any_lab, f"{path}/release", {})) == (409, "row-already-settled")


async def test_a_row_is_released_or_discarded_and_never_both(any_lab: House) -> None:
    for number in range(12):
        [kept] = (await sent(any_lab, row(number, local_code=f"NEW{number}")))["rows"]
        path = f"{QUARANTINE}/{kept['quarantine_id']}"
        await mapped(any_lab, **{f"NEW{number}": "ALT"})
        released, discarded = await asyncio.gather(
            posted(any_lab, f"{path}/release", {}), posted(any_lab, f"{path}/discard", {"reason": "No patient"})
        )
        assert {released.status_code, discarded.status_code} == {200, 409}, (released.text, discarded.text)
        on_record = f"R{number}" in {each["row"] for each in await results(any_lab)}
        assert on_record is (released.status_code == 200)


async def test_a_row_that_comes_again_and_can_be_read_leaves_nothing_waiting(any_lab: House) -> None:
    await sent(any_lab, row(1, value="l20"))
    assert outcomes(await sent(any_lab, row(1))) == ["recorded"]
    assert (await read(any_lab, QUARANTINE))["items"] == []
    [shown] = (await read(any_lab, f"{QUARANTINE}?state=superseded"))["items"]
    assert shown["row"]["value"] == "l20"


async def test_a_correction_that_waits_outlasts_an_old_row_that_is_sent_again(any_lab: House) -> None:
    await sent(any_lab, row(1))
    any_lab.wait(minutes=1)
    [waiting] = (await sent(any_lab, row(1, value="l20", reason="Diluted twice")))["rows"]
    any_lab.wait(minutes=1)
    assert outcomes(await sent(any_lab, row(1))) == ["repeated"]
    assert [each["quarantine_id"] for each in (await read(any_lab, QUARANTINE))["items"]] == [waiting["quarantine_id"]]
    assert outcomes(await sent(any_lab, row(1, value="12", reason="Diluted twice"))) == ["corrected"]
    assert (await read(any_lab, QUARANTINE))["items"] == []


TEXTS = ("row_id", "specimen_id", "participant_id", "subject_number", "local_code", "analyte", "unit", "value")
OTHER_TEXTS = ("lln", "uln", "collected_at", "specimen_type", "reason")


@pytest.mark.parametrize("field", [*TEXTS, *OTHER_TEXTS])
async def test_a_character_that_no_database_keeps_costs_no_row(any_lab: House, field: str) -> None:
    bad = row(2, **{"value": "?", field: "a\0b"})
    answer = await sent(any_lab, row(1), bad)
    assert outcomes(answer) == ["recorded", "quarantined"]
    [kept] = (await read(any_lab, QUARANTINE))["items"]
    assert kept["row"][field] == "a\ufffdb"


async def test_other_content_is_a_correction_with_a_reason_and_a_conflict_without(lab: House) -> None:
    await sent(lab, row(1))
    conflict = await sent(lab, row(1, value="210"))
    assert outcomes(conflict) == ["conflict"]
    assert "send reason" in conflict["rows"][0]["says"]
    assert outcomes(await sent(lab, row(1, value="210", reason="Mr. Somchai phoned"))) == ["conflict"]
    assert (await results(lab))[0]["value"] == "120"
    assert outcomes(await sent(lab, row(1, value="210", reason="Two tubes were mixed up"))) == ["corrected"]
    [result] = await results(lab)
    assert (result["value"], result["grades"][0]["grade"]) == ("210", 3)
    life = await read(lab, f"{RECORD}/history")
    assert life[-2]["data"]["reason"] == "Two tubes were mixed up"
    assert outcomes(await sent(lab, row(1, value="210", reason="Two tubes were mixed up"))) == ["repeated"]


async def test_a_cancelled_result_is_graded_no_more(lab: House) -> None:
    await sent(lab, row(1))
    assert outcomes(await sent(lab, row(2, status="cancelled", reason="Never taken"))) == ["conflict"]
    assert outcomes(await sent(lab, row(1, status="cancelled"))) == ["conflict"]
    for expected in ("cancelled", "repeated"):
        answer = await sent(lab, row(1, status="cancelled", reason="The tube had clotted"))
        assert outcomes(answer) == [expected]
        assert answer["rows"][0]["grades"] == []
    [result] = await results(lab)
    assert result["cancelled"]
    assert [each["withdrawn"] for each in await read(lab, f"/v1/participants/{CHILD}/candidates")] == [True]
    assert outcomes(await sent(lab, row(1))) == ["conflict"]
    assert outcomes(await sent(lab, row(1, reason="It had not clotted"))) == ["corrected"]
    assert not (await results(lab))[0]["cancelled"]


async def test_one_row_twice_in_a_batch_is_one_result(lab: House) -> None:
    answer = await sent(lab, row(1), row(1), row(1, value="5"), row(1, value="5", reason="Entered twice"))
    assert outcomes(answer) == ["recorded", "repeated", "conflict", "conflict"]
    assert len(await results(lab)) == 1


async def test_a_specimen_and_its_test_identify_a_row_without_an_id(lab: House) -> None:
    sample: dict[str, Any] = {"row_id": None, "specimen_id": "A-0007"}
    answer = await sent(lab, row(**sample), row(**sample, analyte="AST"), row(**sample))
    assert outcomes(answer) == ["recorded", "recorded", "repeated"]
    assert [each["row"] for each in await results(lab)] in (
        ["A-0007/ALT", "A-0007/AST"],
        ["A-0007/AST", "A-0007/ALT"],
    )


async def test_a_time_without_an_offset_is_the_laboratorys(lab: House) -> None:
    await sent(lab, row(1, collected_at="2026-03-15T07:30"))
    assert (await results(lab))[0]["collected_at"] == "2026-03-15T07:30:00+07:00"


async def test_a_subject_number_names_a_participant_too(lab: House) -> None:
    answer = await sent(lab, row(1, participant_id=None, subject_number=" CU-001 "), row(2, subject_number="CU-001"))
    assert outcomes(answer) == ["recorded", "recorded"]


async def test_a_test_that_no_term_is_graded_from_is_kept_and_says_so(lab: House) -> None:
    await mapped(lab, UREA=None)
    urea: dict[str, Any] = {"analyte": None, "local_code": "UREA", "unit": "mg/dL", "value": "12"}
    answer = await sent(lab, row(1, **urea), row(2, **{**urea, "unit": None}), row(3, **{**urea, "unit": "nonsense"}))
    assert outcomes(answer) == ["recorded", "recorded", "quarantined"]
    assert (answer["rows"][0]["grades"], answer["rows"][0]["says"]) == (
        [],
        "no CTCAE v5.0 term is graded from this test",
    )
    assert [each["unit"] for each in await results(lab)] in (["mg/dL", None], [None, "mg/dL"])


async def test_results_come_in_pages_in_order_of_time(lab: House) -> None:
    days = [17, 14, 16, 13, 15]
    await sent(lab, *(row(day, collected_at=f"2026-03-{day}T07:30:00+07:00") for day in days if day < 17))
    await sent(lab, row("AST", analyte="AST", collected_at="2026-03-15T08:00:00+07:00"))
    first = await read(lab, f"{RECORD}?limit=3&analyte=ALT")
    second = await read(lab, f"{RECORD}?limit=3&analyte=ALT&cursor={first['next_cursor']}")
    assert [each["row"] for each in (*first["items"], *second["items"])] == ["R13", "R14", "R15", "R16"]
    assert second["next_cursor"] is None
    assert [each["row"] for each in await results(lab, analyte="AST")] == ["RAST"]
    async with lab.client(Role.INVESTIGATOR) as client:
        nul = ("2026-01-01T00:00:00+00:00", "x\0")
        beyond = ("9999-12-31T23:59:59-12:00", str(UUID(int=1)))
        for cursor in ("x", "WzEsICJ4IiwgInkiXQ", paging.encode(*nul), paging.encode(*beyond)):
            assert problem(await client.get(f"{RECORD}?cursor={cursor}")) == (422, "unreadable-cursor")
            assert problem(await client.get(f"{QUARANTINE}?cursor={cursor}")) == (422, "unreadable-cursor")


async def test_quarantine_comes_in_pages(any_lab: House) -> None:
    await sent(any_lab, *(row(number, value="?") for number in range(5)))
    first = await read(any_lab, f"{QUARANTINE}?limit=3")
    second = await read(any_lab, f"{QUARANTINE}?limit=3&laboratory_id={LABORATORY}&cursor={first['next_cursor']}")
    found = {each["row"]["row_id"] for each in (*first["items"], *second["items"])}
    assert (found, second["next_cursor"]) == ({f"R{number}" for number in range(5)}, None)


async def test_another_site_sees_nothing_and_sends_nothing(lab: House) -> None:
    [kept] = (await sent(lab, row(1, value="?")))["rows"]
    async with lab.client(Role.LABORATORY, site="KKU") as other:
        for path in (f"{QUARANTINE}/{kept['quarantine_id']}/release", f"{QUARANTINE}/{uuid4()}/release"):
            assert problem(await other.post(path, json={})) == (404, "no-such-quarantined-row")
        assert (await other.get(QUARANTINE)).json()["items"] == []
        assert (await other.get(f"{QUARANTINE}?site=CU")).json()["items"] == []
        batch = {"laboratory_id": LABORATORY, "rows": [row(1)]}
        assert problem(await other.post("/v1/lab-results", json=batch)) == (404, "no-such-laboratory")
        assert problem(await other.get(f"/v1/laboratories/{LABORATORY}")) == (404, "no-such-laboratory")
        taken = {"laboratory_id": LABORATORY, "site_id": "KKU", "time_zone": "Asia/Bangkok"}
        assert problem(await other.post("/v1/laboratories", json=taken)) == (404, "no-such-laboratory")
        assert problem(await other.post("/v1/laboratories", json={**taken, "site_id": "CU"})) == (
            404,
            "no-such-laboratory",
        )
    async with lab.client(Role.INVESTIGATOR, site="KKU") as other:
        assert problem(await other.get(RECORD)) == (404, "no-such-participant")
        assert problem(await other.get(f"/v1/participants/{CHILD}/candidates/{uuid4()}")) == (404, "no-such-candidate")


async def test_a_thousand_rows_of_many_participants_are_taken_in_one_batch(any_lab: House) -> None:
    others = [UUID(int=number) for number in range(1, 26)]
    for number, each in enumerate(others):
        await any_lab.hears(screened(each, subject_number=f"CU-{number + 100}"), infused(each))
    rows = [row(number, participant_id=str(others[number % 25]), value=str(number)) for number in range(1000)]
    assert (await sent(any_lab, *rows))["counts"] == {"recorded": 1000}
    assert (await sent(any_lab, *rows))["counts"] == {"repeated": 1000}
    async with any_lab.client(Role.LABORATORY) as client:
        body = {"laboratory_id": LABORATORY, "rows": [*rows, row(1001)]}
        assert problem(await client.post("/v1/lab-results", json=body)) == (422, "invalid-request")


async def test_batches_that_come_at_the_same_time_lose_nothing_and_double_nothing(any_lab: House) -> None:
    rows = [row(number, value=str(100 + number)) for number in range(12)]
    batches = [rows[start : start + 6] for start in (0, 2, 4, 6)]
    answers = await asyncio.gather(*(sent(any_lab, *batch) for batch in batches))
    found = [outcome for answer in answers for outcome in outcomes(answer)]
    assert (found.count("recorded"), found.count("repeated")) == (12, 12)
    assert sorted(each["row"] for each in await results(any_lab)) == sorted(each["row_id"] for each in rows)
    assert len(await read(any_lab, f"/v1/participants/{CHILD}/candidates")) == 1


async def test_the_former_site_s_laboratory_still_sends_what_was_collected_there(any_lab: House) -> None:
    house = any_lab
    await sent(house, row("before-it-went"))
    await house.hears(transferred("2026-03-15"))
    late = [
        row(1),
        row(2, participant_id=None, subject_number="CU-001", collected_at="2026-03-15T23:59"),
        row(3, collected_at="2026-03-16T00:00"),
        row("before-it-went", status="cancelled", reason="Another child's tube"),
    ]
    answer = await sent(house, *late)
    assert outcomes(answer) == ["recorded", "recorded", "quarantined", "cancelled"]
    assert "another site" in answer["rows"][2]["says"]
    await house.hears(transferred("2026-04-01", to="CU", of="KKU"))
    async with house.client(Role.LABORATORY) as client:
        again = await client.post(QUARANTINE + "/release", json={"laboratory_id": LABORATORY})
    assert again.json()["counts"] == {"recorded": 1}, again.text


async def test_another_site_s_laboratory_knows_nobody_who_was_never_there(lab: House) -> None:
    await lab.hears(transferred("2026-03-15"))
    await registered(lab, "SI-LAB", "SI")
    async with lab.client(Role.LABORATORY, site="SI") as client:
        answer = await client.post("/v1/lab-results", json={"laboratory_id": "SI-LAB", "rows": [row(1)]})
    assert outcomes(answer.json()) == ["quarantined"]
    assert answer.json()["rows"][0]["says"].startswith("no such participant")
