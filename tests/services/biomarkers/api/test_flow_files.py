"""Gated samples recorded as flow results: gates applied to FCS, counts of FlowJo workspaces; large files; damage."""

import json
import re
from math import exp, log
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest
from flowio import FlowData

from services.biomarkers.intake import gates, reading
from services.biomarkers.intake.apart import FileTakesTooMuch, FileUnreadable, InstrumentsNotInstalled, Readers
from services.biomarkers.intake.file_intake import Limits
from shared.contracts.biomarkers import GatedPopulation
from shared.kernel.actor import Role
from tests.services.biomarkers.api.remembered import remember, told_of_each
from tests.services.biomarkers.api.test_instrument_files import TUBE, count
from tests.services.biomarkers.api.test_specimens import collected, step
from tests.services.biomarkers.api.trial import Trial
from tests.services.biomarkers.reports import DRAWN
from tests.services.biomarkers.specimen_steps import SPECIMEN, a_receipt

FLOW = Path(__file__).parents[1] / "files" / "flow"
FCS, GATES, WORKSPACE = (
    (FLOW / name).read_bytes() for name in ("G11.fcs", "gates.gating-ml.xml", "workspace.wsp")
)  # fmt: skip
DOCTYPE_OF = b'<!DOCTYPE x [<!ENTITY a "b">]><Gating-ML/>'
SAMPLE = {"subject_number": "CU-001", "collected_at": DRAWN}
ABOUT = {"samples": [SAMPLE], "populations": {"GFP-pos": "car"}, "instrument": "ATTUNE-NXT"}


async def send(
    trial: Trial, kind: str, content: bytes, about: Any = None, query: str = "", **parts: bytes
) -> httpx.Response:
    form: Any = {"file": ("file.fcs", content)} | {name: (None, part) for name, part in parts.items()}
    if about is not None:
        form["about"] = (None, json.dumps(about))
    headers = trial.headers(Role.LABORATORY)
    return await trial.client.post(f"/v1/result-files/{kind}{query}", files=form, headers=headers)


async def at_the_laboratory(trial: Trial) -> None:
    await collected(trial, label=TUBE)
    await step(trial, "receive", a_receipt())


async def test_gates_are_applied_and_what_they_hold_is_a_flow_result(trial: Trial) -> None:
    remember(trial)
    answer = await send(trial, "fcs", FCS, ABOUT, gates=GATES)
    assert answer.status_code == 200, answer.text
    gated = answer.json()["gated"]
    assert gated["events"] == 5785
    assert gated["gates"] == [
        {
            "name": "CD3",
            "parent": None,
            "population": "cd3",
            "events": 2231,
            "percent_of_parent": "38.5653",
            "percent_of_all": "38.5653",
        },
        {
            "name": "GFP-pos",
            "parent": "CD3",
            "population": "car",
            "events": 497,
            "percent_of_parent": "22.277",
            "percent_of_all": "8.5912",
        },
    ]
    assert gated["recorded"]["outcome"] == "recorded"
    current = (await trial.get(gated["recorded"]["result"])).json()["current"]
    assert (current["count"]["parent_events"], current["count"]["car_events"]) == (2231, 497)
    assert current["count"]["lloq_basis"] == "events"
    assert current["report"]["events_acquired"] == 5785


async def test_other_counts_correct_and_those_before_them_change_nothing_anew(trial: Trial) -> None:
    about = {"populations": T_CELLS, "samples": [NAMED]}
    other = WORKSPACE.replace(b'count="25000"', b'count="24000"')
    fates = []
    for content in (WORKSPACE, other, WORKSPACE):
        first, _ = (await send(trial, "flowjo", content, about)).json()["samples"]
        fates.append(first["recorded"]["outcome"])
    assert fates == ["recorded", "corrected", "superseded"]
    result = (await trial.get(first["recorded"]["result"])).json()
    assert len(result["superseded"]) == 1


def logicle_inverse(y: float) -> float:
    """The value that the file's transformation leads to `y`: Gating-ML 2.0, 6.4, "Logicle" (T 1048576, W 0.5, M 4.5).

    With A = 0: x = a e^(by) - c e^(-dy) - f, where d solves 2 (ln d - ln b) + w (b + d) = 0.
    """
    top, w, b = 1_048_576, 0.5 / 4.5, 4.5 * log(10)
    low, high = 0.0, b
    for _ in range(200):
        d = (low + high) / 2
        low, high = (low, d) if 2 * (log(d) - log(b)) + w * (b + d) > 0 else (d, high)
    over_a = exp(2 * w * (b + d))
    f_over_a = exp(b * w) - over_a / exp(d * w)
    a = top / (exp(b) - f_over_a - over_a / exp(d))
    return a * (exp(b * y) - over_a / exp(d * y) - f_over_a)


def test_gates_hold_the_events_that_gating_ml_says() -> None:
    """A minimum belongs to the gate, a maximum does not (Gating-ML 2.0, 5.1); counted without any library of gates."""
    data = FlowData(str(FLOW / "G11.fcs"))
    names = [data.channels[number]["pnn"] for number in sorted(data.channels)]
    size, side, green = (names.index(name) for name in ("FSC-A", "SSC-A", "BL1-A"))
    rows = zip(*[iter(data.events)] * data.channel_count, strict=True)
    cd3 = [row for row in rows if 100_000 <= row[size] < 800_000 and 1 <= row[side] < 500_000]
    assert logicle_inverse(1) == pytest.approx(1_048_576)
    assert (data.event_count, len(cd3)) == (5785, 2231)
    assert sum(row[green] >= logicle_inverse(0.4) for row in cd3) == 497


GATE_SET = {"site_id": "CU", "name": "CAR-T panel 3", "gating_ml": GATES.decode(), "populations": {"GFP-pos": "car"}}


async def test_a_saved_gate_set_is_applied_by_its_id(trial: Trial) -> None:
    remember(trial)
    first = await trial.post("/v1/gate-sets", GATE_SET)
    assert first.status_code == 201, first.text
    saved = first.json()
    path = f"/v1/gate-sets/{saved['gate_set_id']}"
    again = await trial.post("/v1/gate-sets", {**GATE_SET, "gate_set_id": saved["gate_set_id"]})
    assert (again.status_code, again.json()) == (201, saved)
    other = await trial.post("/v1/gate-sets", {**GATE_SET, "populations": {}, "gate_set_id": saved["gate_set_id"]})
    assert (other.status_code, other.json()["type"]) == (409, "gate-set-on-record")
    assert (await trial.get("/v1/gate-sets")).json() == {"items": [saved]}
    assert (await trial.get(path)).json() == {**saved, "gating_ml": GATE_SET["gating_ml"]}
    assert (await trial.get(path, site="SIRIRAJ")).status_code == 404
    assert (await trial.get("/v1/gate-sets", site="SIRIRAJ")).json() == {"items": []}
    query = f"?gate_set={saved['gate_set_id']}"
    gated = (await send(trial, "fcs", FCS, {"samples": [SAMPLE]}, query)).json()["gated"]
    assert [each["events"] for each in gated["gates"]] == [2231, 497]
    assert (await trial.get(gated["recorded"]["result"])).json()["current"]["report"]["method"] == "CAR-T panel 3"
    twice = await send(trial, "fcs", FCS, None, query, gates=GATES)
    assert (twice.status_code, twice.json()["type"]) == (422, "gates-twice")


@pytest.mark.parametrize("gating_ml", ["x", "<a/>", DOCTYPE_OF.decode()])
async def test_what_is_no_gating_ml_is_not_saved(trial: Trial, gating_ml: str) -> None:
    answer = await trial.post("/v1/gate-sets", {**GATE_SET, "gating_ml": gating_ml})
    assert (answer.status_code, answer.json()["type"]) == (422, "file-unreadable")
    assert (await trial.get("/v1/gate-sets")).json() == {"items": []}


DOCTYPE = DOCTYPE_OF.removesuffix(b"<Gating-ML/>")


@pytest.mark.parametrize(
    ("gating_ml", "says"),
    [
        (b"", "no XML"),
        (GATES[:900], "no XML"),
        (GATES.replace(b"?>", b"?>" + DOCTYPE, 1), "document type"),
        (b"<a>" * 300 + b"</a>" * 300, "nested"),
    ],
)
async def test_gates_that_cannot_be_applied_are_refused(trial: Trial, gating_ml: bytes, says: str) -> None:
    answer = await send(trial, "fcs", FCS, ABOUT, gates=gating_ml)
    assert (answer.status_code, answer.json()["type"]) == (422, "file-unreadable")
    assert says in answer.json()["detail"]
    assert await count(trial) == 0


UNFIT = {
    GATES.replace(b'parent_id="CD3"', b'parent_id="nowhere"'): "not valid Gating-ML",
    GATES.replace(b'"BL1-A"', b'"nowhere"'): "do not fit",
    re.sub(rb"<gating:RectangleGate.*</gating:RectangleGate>", b"", GATES, flags=re.DOTALL): "holds no gate",
    b"<a/>": "not valid Gating-ML",
}


def test_a_library_refuses_gates_that_do_not_fit(tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.xml" for number in range(len(UNFIT))]
    for path, content in zip(paths, UNFIT, strict=True):
        path.write_bytes(content)
    told = told_of_each("gated", *((FLOW / "G11.fcs", path) for path in paths))
    assert [code for code, _ in told] == [reading.REFUSED] * len(UNFIT)
    for (_, says), expected in zip(told, UNFIT.values(), strict=True):
        assert expected in says


T_CELLS = {"CAR+": "car", "CD3+": "cd3"}
NAMED = {**SAMPLE, "name": "F-1001.fcs"}


@pytest.mark.parametrize(
    ("about", "problem"),
    [
        (None, "unknown-code"),
        ({"populations": T_CELLS}, "unknown-subject"),
        ({"populations": T_CELLS, "samples": [{**NAMED, "collected_at": None}]}, "bad-time"),
        ({"populations": T_CELLS, "samples": [{**NAMED, "specimen_type": "tumour"}]}, None),
        ({"populations": {**T_CELLS, "Singlets": "car"}, "samples": [NAMED]}, "refused"),
    ],
)
async def test_what_cannot_be_recorded_is_told_beside_the_gates(trial: Trial, about: Any, problem: str | None) -> None:
    answer = await send(trial, "flowjo", WORKSPACE, about)
    assert answer.status_code == 200, answer.text
    gated = answer.json()["samples"][0]
    assert len(gated["gates"]) == 5
    assert gated["recorded"]["problem"] == problem
    assert (gated["recorded"]["outcome"] == "recorded") == (problem is None)


async def test_a_workspace_tells_its_counts_by_sample(trial: Trial) -> None:
    await at_the_laboratory(trial)
    before = await count(trial)
    dry = await send(trial, "flowjo", WORKSPACE, {"populations": T_CELLS}, "?dry_run=true")
    assert (dry.json()["samples"][0]["recorded"]["outcome"], await count(trial)) == ("recorded", before)
    answer = await send(trial, "flowjo", WORKSPACE, {"populations": T_CELLS})
    assert answer.status_code == 200, answer.text
    first, second = answer.json()["samples"]
    assert [each["name"] for each in first["gates"]] == ["Singlets", "CD3+", "CAR+", "CD4+- CD8-", "not T"]
    assert [each["population"] for each in first["gates"]] == ["singlets", "cd3", "car", None, None]
    assert (first["gates"][2]["parent"], first["gates"][2]["percent_of_parent"]) == ("CD3+", "12.5")
    assert (first["recorded"]["outcome"], second["recorded"]["problem"]) == ("recorded", "unknown-subject")
    current = (await trial.get(first["recorded"]["result"])).json()["current"]
    assert current["report"]["specimen"]["specimen_id"] == str(SPECIMEN)
    assert (current["count"]["percent"], current["report"]["events_acquired"]) == ("12.5", 500000)
    again = await send(trial, "flowjo", WORKSPACE, {"populations": T_CELLS})
    assert again.json()["samples"][0]["recorded"]["outcome"] == "repeated"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        FCS[:2000],
        b"<Workspace/>",
        b"<other/>",
        WORKSPACE[:-40],
        WORKSPACE.replace(b'count="25000"', b'count="-1"'),
        WORKSPACE.replace(b"?>", b"?>" + DOCTYPE, 1),
    ],
)
async def test_what_is_no_workspace_is_refused(trial: Trial, content: bytes) -> None:
    answer = await send(trial, "flowjo", content)
    assert (answer.status_code, answer.json()["type"]) == (422, "file-unreadable")
    assert await count(trial) == 0


async def test_a_damaged_workspace_is_read_or_refused(trial: Trial) -> None:
    random, seen = Random(9), set()  # noqa: S311 - damage, the same in every run
    for _ in range(200):
        damaged = bytearray(WORKSPACE)
        for _ in range(random.randint(1, 4)):
            damaged[random.randrange(len(damaged))] = random.randrange(256)
        answer = await send(trial, "flowjo", bytes(damaged), ABOUT)
        assert answer.status_code in {200, 422}, answer.text
        seen.add(answer.status_code)
    assert seen == {200, 422}


def test_gates_get_names_that_a_report_takes_each_its_own() -> None:
    found = [("Q1: CD4-, CD8+", ()), ("x", ()), ("x", ("x",)), ("x", ("Q1: CD4-, CD8+",)), ("!", ()), ("x", ("x",))]
    sample = gates.GatedSample(None, 9, tuple(gates.Gated(name, path, 1) for name, path in found))
    names = [each.name for each in gates.hierarchy(sample, {"x/x": GatedPopulation.CAR})]
    assert names == ["Q1: CD4-- CD8+", "x", "x/x", "Q1: CD4-- CD8+/x", "gate 5", "gate 6"]


async def test_a_file_over_the_limit_is_refused(trial: Trial) -> None:
    app: Any = trial.client._transport.app  # type: ignore[attr-defined]
    app.state.files.limits = Limits(table_mib=1, fcs_mib=1)
    for kind in ("fcs", "luminex", "flowjo", "table"):
        headers = trial.headers(Role.LABORATORY)
        alone = await trial.client.post(f"/v1/result-files/{kind}", content=b" " * (1 << 20) + b" ", headers=headers)
        assert (alone.status_code, alone.json()["type"]) == (413, "body-too-large")
    form = await send(trial, "fcs", b" " * (1 << 20) + b" ")
    assert (form.status_code, form.json()["type"]) == (413, "body-too-large")


READING = """
import sys, time
match sys.argv[2]:
    case "slow": time.sleep(30)
    case "foreign": print('{"says": "foreign"}'); sys.exit(3)
    case "absent": sys.exit(4)
    case "large": sys.exit(5)
    case "killed": import os; os.kill(os.getpid(), 9)
    case _: raise SystemError("a bug of ours")
"""


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("slow", FileTakesTooMuch),
        ("foreign", FileUnreadable),
        ("absent", InstrumentsNotInstalled),
        ("large", FileTakesTooMuch),
        ("killed", FileTakesTooMuch),
        ("bug", RuntimeError),
    ],
)
async def test_a_reader_that_fails_says_how(tmp_path: Path, kind: str, error: type[Exception]) -> None:
    script = tmp_path / "reading.py"
    script.write_text(READING)
    with pytest.raises(error):
        await Readers(seconds=0.5 if kind == "slow" else 20, memory_mib=512, reading=str(script)).read(kind)


async def test_a_reader_has_no_more_memory_than_it_is_given() -> None:
    with pytest.raises(FileTakesTooMuch):
        await Readers(seconds=60, memory_mib=64).read("allotrope", str(FLOW / "G11.fcs"), "MSD_WORKBENCH")
