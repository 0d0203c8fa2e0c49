"""HL7 v2 over HTTP: taken, known again, corrected, kept in quarantine and released, refused."""

from typing import Any

import httpx
import pytest
from sqlalchemy import text

from services.biomarkers.intake.hl7_reader import MOST_SEGMENTS
from shared.kernel.actor import Role
from tests.services.biomarkers.api.hl7_messages import NAME, a_message, obx
from tests.services.biomarkers.api.trial import Trial

PANELS = "/v1/cytokine-panels"
SOURCE = {"source_id": "LUMILIS@CU", "site_id": "CU", "time_zone": "Asia/Bangkok", "platform": "LUMINEX-200"}


async def registered(trial: Trial) -> None:
    answer = await trial.post("/v1/result-sources", SOURCE)
    assert answer.status_code == 201, answer.text


async def send(trial: Trial, message: str | bytes, role: Role = Role.SYSTEM, site: str = "CU") -> httpx.Response:
    headers = trial.headers(role, site) | {"Content-Type": "application/hl7-v2"}
    return await trial.client.post("/v1/hl7v2", content=message, headers=headers)


def code(answer: httpx.Response) -> str:
    """The code of the acknowledgement, which is one whatever became of the message."""
    segments = answer.text.split("\r")
    assert segments[0].startswith("MSH|^~\\&|CMD03|BIOMARKERS|"), answer.text
    return segments[1].split("|")[1]


async def waiting(trial: Trial, **query: str) -> list[dict[str, Any]]:
    answer = await trial.client.get("/v1/quarantined-messages", params=query, headers=trial.headers(Role.MONITOR))
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def panels(trial: Trial) -> list[str]:
    async with trial.db.connect() as connection:
        rows = await connection.execute(text("select distinct stream from events where stream like 'cytokine-panel:%'"))
        return [stream.split(":")[1] for (stream,) in rows]


async def the_panel(trial: Trial) -> dict[str, Any]:
    [panel_id] = await panels(trial)
    found: dict[str, Any] = (await trial.get(f"{PANELS}/{panel_id}")).json()
    return found


def values(panel: dict[str, Any]) -> dict[str, str]:
    return {line["analyte"]: line["value"] for line in panel["current"]["report"]["results"]}


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
async def test_a_message_becomes_a_panel_at_the_time_of_its_sources_zone(trial: Trial, end: str) -> None:
    await registered(trial)
    low = obx("33939-0^IL-2^LN", "<^2.1", kind="SN", number=2)
    answer = await send(trial, a_message(obx(), low, end=end))
    assert (answer.status_code, code(answer)) == (200, "AA"), answer.text
    assert answer.headers["content-type"].startswith("application/hl7-v2")
    current = (await the_panel(trial))["current"]
    assert current["report"]["specimen"]["collected_at"] == "2026-03-09T08:30:00+07:00"
    assert current["report"]["platform"] == "LUMINEX-200"
    results = {each["analyte"]: each for each in current["results"]}
    assert (results["IL6"]["value_pg_ml"], results["IL2"]["qualifier"], results["IL2"]["lloq_pg_ml"]) == (
        "38.4",
        "<",
        "2.1",
    )


async def test_the_same_message_twice_is_answered_as_the_first_time_and_changes_nothing(trial: Trial) -> None:
    await registered(trial)
    first = await send(trial, a_message(obx()))
    again = await send(trial, a_message(obx(), end="\n"))
    assert (first.text, again.status_code) == (again.text, 200)
    assert len((await the_panel(trial))["superseded"]) == 0


async def test_another_message_under_the_same_control_id_is_refused(trial: Trial) -> None:
    await registered(trial)
    await send(trial, a_message(obx()))
    other = await send(trial, a_message(obx(value="99")))
    assert (other.status_code, code(other)) == (422, "AR")
    assert "MSH-10" in other.text


async def test_a_corrected_result_supersedes_and_the_old_value_stays_visible(trial: Trial) -> None:
    await registered(trial)
    il10 = obx("26848-2^IL-10^LN", "5", number=2)
    await send(trial, a_message(obx(), il10))
    answer = await send(trial, a_message(obx(value="41", status="C"), control="M2"))
    assert code(answer) == "AA"
    panel = await the_panel(trial)
    assert values(panel) == {"IL6": "41", "IL10": "5"}
    assert [line["value"] for line in panel["superseded"][0]["report"]["results"]] == ["38.4", "5"]

    late = await send(trial, a_message(obx(), il10, control="M3"))  # the first report, sent again under a new id
    assert (code(late), values(await the_panel(trial))["IL6"]) == ("AA", "41")


async def test_a_preliminary_result_gives_way_to_the_final_one_and_not_the_other_way_round(trial: Trial) -> None:
    await registered(trial)
    await send(trial, a_message(obx(value="30", status="P")))
    assert code(await send(trial, a_message(obx(value="31"), control="M2"))) == "AA"
    late = await send(trial, a_message(obx(value="29", status="P"), control="M3"))
    assert (code(late), values(await the_panel(trial))) == ("AE", {"IL6": "31"})


async def test_a_result_of_the_wrong_patient_is_taken_back(trial: Trial) -> None:
    await registered(trial)
    await send(trial, a_message(obx()))
    assert code(await send(trial, a_message(obx(status="W"), control="M2"))) == "AA"
    assert (await the_panel(trial))["status"] == "entered-in-error"


async def test_what_no_mapping_tells_waits_and_is_released_after_one_is_added(trial: Trial) -> None:
    await registered(trial)
    answer = await send(trial, a_message(obx("XIL6^Interleukin 6^L"), obx("26848-2^IL-10^LN", "5", number=2)))
    assert (answer.status_code, code(answer)) == (200, "AE")
    assert "ERR||OBX[1]" in answer.text
    assert "unknown-code" in answer.text
    assert values(await the_panel(trial)) == {"IL10": "5"}
    [kept] = await waiting(trial)
    path = f"/v1/quarantined-messages/{kept['message_id']}"
    assert (await trial.post(f"{path}/release", {})).status_code == 409

    mapped = await trial.post(
        "/v1/result-sources/LUMILIS@CU/map-codes", {"codes": [{"code": "XIL6", "measures": "IL6"}]}, If_Match='"1"'
    )
    assert mapped.status_code == 200, mapped.text
    released = await trial.post(f"{path}/release", {})
    assert released.json()["observations"][0]["outcome"] == "recorded", released.text
    assert values(await the_panel(trial)) == {"IL10": "5", "IL6": "38.4"}
    assert await waiting(trial) == []
    assert (await trial.post(f"{path}/release", {})).status_code == 409
    assert [each["message_id"] for each in await waiting(trial, state="released")] == [kept["message_id"]]


async def test_a_message_of_an_unregistered_sender_waits_until_it_is_registered(trial: Trial) -> None:
    answer = await send(trial, a_message(obx()))
    assert code(answer) == "AE"
    await registered(trial)
    [kept] = await waiting(trial)
    assert (kept["site_id"], kept["source_id"]) == ("CU", "LUMILIS@CU")
    assert (await trial.post(f"/v1/quarantined-messages/{kept['message_id']}/release", {})).status_code == 200
    assert values(await the_panel(trial)) == {"IL6": "38.4"}


async def test_nothing_of_a_person_is_kept_but_the_subject_number(trial: Trial) -> None:
    await registered(trial)
    await send(trial, a_message(obx("XIL6^Interleukin 6^L"), obx(value=f"seen by {NAME}", kind="TX", number=2)))
    await send(trial, a_message(obx(), control="M2"))
    async with trial.db.connect() as connection:
        messages = (await connection.execute(text("select * from messages"))).all()
        events = (await connection.execute(text("select data from events"))).all()
    for secret in (NAME, "SOMSRI", "20170314", "448812", "RAMA"):
        assert secret not in repr(messages) + repr(events)
    assert "CU-001" in repr(messages)


async def test_a_unit_in_words_may_be_a_name_and_is_not_kept(trial: Trial) -> None:
    await registered(trial)
    assert code(await send(trial, a_message(obx("XIL6", unit=f"MRS {NAME}")))) == "AE"
    [kept] = await waiting(trial)
    assert (kept["waiting"][0]["observation"]["unit"], kept["waiting"][0]["observation"]["value"]) == (None, "38.4")


async def test_an_escaped_separator_is_read_as_what_it_stands_for(trial: Trial) -> None:
    await registered(trial)
    blood = "SPM|1|F-1||BLD|||||||||||||202603090830"
    lines = [obx("LYM", "1.2", r"10\S\9/L"), obx("CARPCT", "12.5", "%", number=2), blood]
    assert code(await send(trial, a_message(*lines))) == "AA"


async def test_a_share_of_cells_corrected_in_its_sign_alone_supersedes(trial: Trial) -> None:
    await registered(trial)
    blood = "SPM|1|F-1||BLD|||||||||||||202603090830"
    sent = (("M1", "0.05", "NM", "F"), ("M2", "<0.05", "ST", "C"), ("M3", "<0.05", "ST", "C"))
    for control, value, kind, status in sent:
        share = obx("CARPCT", value, "%", kind=kind, status=status)
        answer = await send(trial, a_message(share, blood, control=control))
        assert code(answer) == "AA", answer.text
    query = "select distinct stream from events where stream like 'flow-result:%'"
    async with trial.db.connect() as connection:
        [stream] = (await connection.execute(text(query))).scalars()
    result = (await trial.get(f"/v1/flow-results/{stream.split(':')[1]}")).json()
    signs = [each["report"]["qualifier"] for each in (*result["superseded"], result["current"])]
    assert signs == [None, "<"]


async def test_a_refusal_of_too_much_names_its_message(trial: Trial) -> None:
    answer = await send(trial, a_message(*["NTE|1"] * MOST_SEGMENTS))
    assert (answer.status_code, answer.text.split("\r")[1]) == (422, "MSA|AR|M1")


async def test_another_site_takes_no_control_id_from_a_sender_that_is_not_its_own(trial: Trial) -> None:
    await registered(trial)
    for _ in range(2):
        assert code(await send(trial, a_message(obx()), site="KK")) == "AE"
    assert await waiting(trial) == []
    assert code(await send(trial, a_message(obx()))) == "AA"
    assert values(await the_panel(trial)) == {"IL6": "38.4"}


async def test_what_waits_is_discarded_with_a_reason(trial: Trial) -> None:
    await registered(trial)
    await send(trial, a_message(obx(), subject="CU-999"))
    [kept] = await waiting(trial)
    assert kept["waiting"][0]["problem"] == "unknown-subject"
    path = f"/v1/quarantined-messages/{kept['message_id']}/discard"
    reason = {"reason": "A control sample"}
    for _ in range(2):
        answer = await trial.post(path, reason)
        assert (answer.status_code, answer.json()["state"]) == (200, "discarded")
    assert (await trial.post(path, {"reason": "Another reason"})).status_code == 409


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PID|1",
        b"MSH",
        b"MSH|^~\\&|A|B",
        b"\xff\xfe\x00",
        a_message(),
        a_message(obx()).replace("ORU^R01", "ADT^A01"),
        a_message(obx(), control=""),
    ],
)
async def test_what_is_no_result_message_is_refused_with_a_reason(trial: Trial, content: bytes | str) -> None:
    await registered(trial)
    answer = await send(trial, content)
    assert (answer.status_code, code(answer)) == (422, "AR")
    assert "ERR||" in answer.text


async def test_messages_of_another_site_do_not_exist(trial: Trial) -> None:
    await registered(trial)
    await send(trial, a_message(obx("XIL6^x^L")))
    [kept] = await waiting(trial)
    path = f"/v1/quarantined-messages/{kept['message_id']}/release"
    assert (await trial.post(path, {}, site="KK")).status_code == 404
    assert (await trial.get("/v1/quarantined-messages", site="KK")).json()["items"] == []
    assert (await trial.get("/v1/result-sources/LUMILIS@CU", site="KK")).status_code == 404


@pytest.mark.parametrize(("left_on", "answered"), [("2026-03-09", "AA"), ("2026-03-08", "AE")])
async def test_the_former_site_s_feed_still_sends_what_was_collected_there(
    trial: Trial, left_on: str, answered: str
) -> None:
    await registered(trial)
    await trial.handed_over(left_on)
    answer = await send(trial, a_message(obx()))
    assert code(answer) == answered
    assert ("another site" in answer.text) is (answered == "AE")
    for panel_id in await panels(trial):
        corrected = await send(trial, a_message(obx(value="41", status="C"), control="M2"))
        assert code(corrected) == "AA"
        seen = [(await trial.get(f"{PANELS}/{panel_id}", site=site)).status_code for site in ("CU", "KKU")]
        assert seen == [404, 200]
    assert len(await panels(trial)) == (1 if answered == "AA" else 0)
