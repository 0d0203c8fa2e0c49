"""A thousand broken messages: none meets a mistake of ours, and none is lost.

What was sent is on record, waits in quarantine, or was refused with a reason: there is no fourth.
"""

import json
from random import Random
from typing import Any

import httpx
from sqlalchemy import text

from tests.services.biomarkers.api.hl7_messages import a_message, obx
from tests.services.biomarkers.api.test_fhir import bundle, observation, send
from tests.services.biomarkers.api.test_hl7v2 import code, registered
from tests.services.biomarkers.api.test_hl7v2 import send as send_hl7
from tests.services.biomarkers.api.trial import Trial

MUTATIONS = 500  # of each format
NOISE = [
    b"|",
    b"^",
    b"~",
    b"&",
    b"\\",
    b"\r",
    b"\n",
    b"\x00",
    b"\xff",
    b"\x0b",
    "é".encode(),
    b"9" * 60,
    b"-1",
    b"1e99",
]
ODD: list[Any] = [
    None,
    "",
    "x",
    -1,
    1e300,
    True,
    [],
    {},
    [{}],
    "\u0000",
    "2026-99-99",
    {"value": "\ud83e"},
    ["a"],
    10**40,
]


def broken_bytes(content: bytes, random: Random) -> bytes:
    """One to four edits: bytes cut out, put in, swapped, doubled, or the end missing."""
    for _ in range(random.randint(1, 4)):
        at, to = sorted((random.randrange(len(content) + 1), random.randrange(len(content) + 1)))
        to = min(to, at + 20)
        match random.randrange(5):
            case 0:
                content = content[:at] + content[to:]
            case 1:
                content = content[:at] + random.choice(NOISE) + content[at:]
            case 2:
                content = content[:at] + content[at:to][::-1] + content[to:]
            case 3:
                content = content[:at] + content[at:to] * 2 + content[to:]
            case _:
                content = content[: random.randrange(len(content) + 1)]
    return content


def broken_json(body: Any, random: Random) -> Any:
    """A field somewhere replaced by something odd, or left out."""
    if not isinstance(body, dict | list) or not body or random.random() < 0.15:
        return random.choice(ODD)
    key: Any = random.choice(list(body)) if isinstance(body, dict) else random.randrange(len(body))
    copy: Any = dict(body) if isinstance(body, dict) else list(body)
    if random.random() < 0.1:
        del copy[key]
    else:
        copy[key] = broken_json(body[key], random)
    return copy


def accounted_for(answer: httpx.Response) -> str:
    """What an OperationOutcome, or a Bundle of them, says became of the resource."""
    body = answer.json()
    outcomes = [each["response"]["outcome"] for each in body["entry"]] if body["resourceType"] == "Bundle" else [body]
    issues = [issue for outcome in outcomes for issue in outcome["issue"]]
    assert issues, answer.text
    assert all(issue["diagnostics"] for issue in issues)
    severities = {issue["severity"] for issue in issues}
    return next(each for each in ("error", "warning", "information") if each in severities)


async def test_a_broken_hl7_message_is_taken_kept_or_refused_with_a_reason(trial: Trial) -> None:
    await registered(trial)
    random, seen = Random(7), dict[str, int]()  # noqa: S311 - mutations, the same in every run
    for number in range(MUTATIONS):
        whole = a_message(obx(), obx("26848-2^IL-10^LN", "<5", kind="ST", number=2), control=f"F{number}").encode()
        answer = await send_hl7(trial, broken_bytes(whole, random))
        assert answer.status_code in {200, 422}, answer.text
        seen[code(answer)] = seen.get(code(answer), 0) + 1
        if code(answer) == "AR":
            assert "ERR||" in answer.text
    kept = await count(trial, "select count(*) from messages where state = 'waiting'")
    assert kept > 0
    assert kept <= seen["AE"]
    assert await count(trial, "select count(*) from messages where state = 'taken'") <= seen["AA"]
    assert set(seen) == {"AA", "AE", "AR"}


async def test_a_broken_fhir_resource_is_taken_kept_or_refused_with_a_reason(trial: Trial) -> None:
    await registered(trial)
    random, seen = Random(7), dict[str, int]()  # noqa: S311 - mutations, the same in every run
    report = {
        "resourceType": "DiagnosticReport",
        "status": "final",
        "subject": {"reference": "#p"},
        "contained": [observation(id="a"), {"resourceType": "Patient", "id": "p", "identifier": [{"value": "CU-001"}]}],
        "result": [{"reference": "#a"}],
    }
    wholes = [observation(), bundle(observation(), observation("26848-2"), kind="batch"), bundle(observation()), report]
    for number in range(MUTATIONS):
        body = random.choice(wholes)
        mutant: Any = broken_json(body, random)
        if number % 10 == 0:
            mutant = broken_bytes(json.dumps(body).encode(), random)
        answer = await send(trial, mutant, random.choice(["", "?source=LUMILIS@CU"]))
        assert answer.status_code in {200, 201, 202, 400, 404, 422}, answer.text
        worst = accounted_for(answer)
        assert (worst == "information") <= (answer.status_code in {200, 201})
        seen[worst] = seen.get(worst, 0) + 1
    assert set(seen) == {"information", "warning", "error"}


async def count(trial: Trial, query: str) -> int:

    async with trial.db.connect() as connection:
        return int((await connection.execute(text(query))).scalar_one())
