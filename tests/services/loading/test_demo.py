"""`make demo` as a person meets it: what it prints, what a second one does, Ctrl-C at any point, a taken port."""

import asyncio
import shlex
import socket
from pathlib import Path
from xml.etree import ElementTree as ET

import httpx
import pytest

from services.loading.client import TrialClient
from services.loading.demo import SampleRefused, load
from services.loading.sample import read_sample
from services.loading.tally import Tally
from shared.contracts.enrollment_terms import Sex
from tests.services.loading.conftest import BrokenOff
from tests.services.loading.support import COMMANDS, Running, commands, finished, tokens_of

TITLES = (
    "1  Adverse events (CTCAE 5.0)",
    "2  Overall response (SEED_V1)",
    "Survival by Kaplan-Meier",
    "Independent review: 3 concordant, 1 discordant, 1 adjudicated",
    "3  Persistence of CAR-T cells in blood",
    "4  Serum cytokines, pg/mL",
    "Kinetics of each participant, as observed at the visits",
    "Specimens that the visits plan, and others",
    "5  Serious adverse events: 7 alerts",
    "6  Dose-limiting toxicity (DLT) by dose level",
    "Cohorts by 3+3: cohorts of 3, open level DL1",
    "Pauses of dosing; now it is going on",
    "7  Course of CRS of CU-003: worst ASTCT 3, CTCAE 2",
)

FIGURES = {
    "waterfall": "of 9 infused",
    "spider": "of 9 infused",
    "swimmer": "Swimmer plot of 9 participants infused",
    "kinetics": "of 9 infused",
    "cytokines": "9 of 9 participants infused",
    "course-CU-003": "Course of CU-003 on one axis",
}


def test_it_prints_the_outcome_tables_and_fits_into_a_hundred_columns(demo: Running) -> None:
    for title in TITLES:
        assert title in demo.said
    assert "10 screened at 2 sites, 9 infused" in demo.said
    assert "reported to sponsor, ethics-committee" in demo.said
    assert demo.said.count("(accepted)") == 2
    assert "SUSAR" in demo.said
    assert "Stopping rules that fired: none." in demo.said
    for service in ("enrollment", "safety", "efficacy", "biomarkers", "trial"):
        assert f"{demo.url}/{service}/docs" in demo.said
    tables = demo.said.partition("Figures (SVG")[0]
    assert max(map(len, tables.splitlines())) <= 100
    assert "\x1b" not in demo.said  # no colours in a file


def test_it_writes_the_figures_and_tells_where_they_are(demo: Running, demo_folder: Path) -> None:
    for name, words in FIGURES.items():
        file = demo_folder / "figures" / f"{name}.svg"
        assert str(file) in demo.said
        assert f"{demo.url}/trial/v1/figures/{name.partition('-')[0]}" in demo.said
        drawn = ET.fromstring(file.read_text(encoding="utf-8"))  # noqa: S314 - drawn by us
        assert words in (drawn[1].text or "")


def test_the_curl_it_prints_works_when_pasted(demo: Running) -> None:
    line = next(line for line in demo.said.splitlines() if line.strip().startswith("curl"))
    _, _, header, url = shlex.split(line)
    name, _, value = header.partition(": ")
    answer = httpx.get(url, headers={name: value})
    assert answer.status_code == 200
    assert answer.json()["sites"] == ["CU"]


def test_the_pages_it_names_answer(demo: Running) -> None:
    pages = [line.strip() for line in demo.said.splitlines() if line.strip().endswith("/docs")]
    assert len(pages) == 5
    assert {httpx.get(page).status_code for page in pages} == {200}


def test_the_logs_are_in_a_file_and_say_nothing_on_the_terminal(demo: Running, demo_folder: Path) -> None:
    assert '"message": "serving"' in (demo_folder / "demo.log").read_text(encoding="utf-8")
    assert '"message"' not in demo.said


def test_loading_it_again_changes_nothing(demo: Running, demo_folder: Path) -> None:
    before = commands(demo_folder)

    async def again() -> Tally:
        async with TrialClient(demo.url, tokens_of(demo_folder)) as client:
            tally, _ = await load(client, read_sample())
            return tally

    tally = asyncio.run(again())
    assert tally.changed_nothing
    assert commands(demo_folder) == before


def test_another_demo_on_the_same_port_says_so_and_leaves(demo: Running, tmp_path: Path) -> None:
    refused = finished("demo", "--once", data=tmp_path, port=demo.port)
    assert refused.returncode == 1
    assert f"port-taken: port {demo.port} on 127.0.0.1 is taken" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_ctrl_c_during_the_load_is_taken_up_where_it_was(
    broken_off: BrokenOff, demo: Running, demo_folder: Path
) -> None:
    assert broken_off.exit_code == 0
    assert "stopped; what was sent is kept" in broken_off.complained
    assert "Traceback" not in broken_off.complained
    assert 0 < broken_off.commands < COMMANDS
    assert "were there already" in demo.said
    assert sum(commands(demo_folder).values()) == COMMANDS


def test_a_trial_of_another_protocol_gets_nothing_of_the_sample(tmp_path: Path) -> None:
    refused = finished("demo", "--once", data=tmp_path, PROTOCOL_FILE="shared/protocol/cdisc_pilot.yaml")
    assert refused.returncode == 1
    assert "other-protocol: the trial serves CDISCPILOT01, and the sample trial is of CMD03" in refused.stderr
    assert sum(commands(tmp_path).values()) == 0


def test_a_row_that_the_trial_refuses_fails_the_load_and_is_named(demo: Running, demo_folder: Path) -> None:
    """Somebody of another content under the first one's id: a conflict, and nothing else of theirs is sent."""
    before, sample = commands(demo_folder), read_sample()
    first = sample.participants[0]
    other = first.model_copy(update={"screening": first.screening.model_copy(update={"sex": Sex.UNKNOWN})})

    async def loaded() -> None:
        async with TrialClient(demo.url, tokens_of(demo_folder)) as client:
            await load(client, sample.model_copy(update={"participants": (other,)}))

    with pytest.raises(SampleRefused, match="the trial refused a part of the sample:") as refused:
        asyncio.run(loaded())
    assert "p01-neuroblastoma-6y: 409 other-content-on-record" in str(refused.value)
    assert "p01-neuroblastoma-6y record-infusion: not sent: the participant was refused" in str(refused.value)
    assert commands(demo_folder) == before


def test_a_port_that_is_taken_by_anything_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        refused = finished("serve", data=tmp_path, port=port)
    assert refused.returncode == 1
    assert f"port {port} on 127.0.0.1 is taken" in refused.stderr


def test_a_token_of_the_folder_opens_its_trial(demo: Running, demo_folder: Path) -> None:
    made = finished("token", "--role", "investigator", "--site", "CU", data=demo_folder)
    assert made.returncode == 0
    headers = {"Authorization": f"Bearer {made.stdout.strip()}"}
    assert httpx.get(f"{demo.url}/trial/v1/participants", headers=headers).status_code == 200
