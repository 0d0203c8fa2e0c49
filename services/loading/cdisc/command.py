"""`python -m services load cdisc DIR`: a folder of SDTM CSV into a running trial."""

import asyncio
import sys
import time
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from services.loading.cdisc import laboratory
from services.loading.cdisc.adverse_events import Dictionary
from services.loading.cdisc.files import read_tables
from services.loading.cdisc.study import study_id, study_of
from services.loading.client import Tokens, TrialClient
from services.loading.progress import progress
from services.loading.protocols import require_protocol
from services.loading.sending import Sender
from services.loading.tally import Fate, Tally
from shared.kernel.actor import Role

TERMS_PER_PAGE = "200"


def run(directory: Path, url: str, tokens: Tokens) -> None:
    """Load, and print a summary. Returns where every row was taken, found there, or refused with its reason.

    Raises:
        TrialError: nothing was sent, or the load stopped on the way; it can be started again.
    """
    began = time.monotonic()
    try:
        tally = asyncio.run(load(directory, url, tokens))
    except KeyboardInterrupt:
        sys.exit("stopped; what was sent is kept, and the next load goes on from there")
    console = Console() if sys.stdout.isatty() else Console(width=100)
    console.print(summary(tally))
    for line in closing_lines(tally, time.monotonic() - began):
        console.print(line, markup=False, highlight=False, soft_wrap=True)


async def load(directory: Path, url: str, tokens: Tokens) -> Tally:
    """Send a study to the trial at `url`, unless that trial is of another protocol."""
    tables, tally = read_tables(directory), Tally()
    async with TrialClient(url, tokens) as client:
        protocol = await require_protocol(client, study_id(tables), "this study", "PROTOCOL_FILE gives it its own")
        agent = protocol["causality"]["agents"]["value"][0]
        codes = await laboratory.meanings(client, laboratory.codes_of(tables["lb"]))
        study = study_of(tables, Dictionary.of(await _terms(client)), codes, agent, tally)
        with progress(f"Loading {protocol['protocol_id']}", study.commands) as shown:
            for line in tally.refusals:
                shown.say(line)
            await Sender(client, tally, shown).send(study.sites, study.people)
    return tally


async def _terms(client: TrialClient) -> list[dict[str, Any]]:
    """Every term of the trial's own dictionary."""
    terms: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        params = {"limit": TERMS_PER_PAGE, **({"cursor": cursor} if cursor else {})}
        page = await client.get("/safety/v1/ctcae/terms", role=Role.SYSTEM, params=params)
        terms += page["items"]
        cursor = page["next_cursor"]
    return terms


def summary(tally: Tally) -> Table:
    """Rows by dataset, and what became of them."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for place, name in enumerate(("Dataset", "Rows", "Recorded", "There already", "Refused", "Not taken")):
        table.add_column(name, justify="left" if place == 0 else "right")
    for kind in dict.fromkeys((*tally.kinds(), *tally.left_out)):
        fates = [tally.rows(kind, fate) for fate in (Fate.RECORDED, Fate.UNCHANGED, Fate.REFUSED)]
        left, _ = tally.left_out.get(kind, (0, ""))
        table.add_row(kind, *(str(number or "-") for number in (sum(fates) + left, *fates, left)))
    return table


def closing_lines(tally: Tally, seconds: float) -> list[str]:
    sent = sum(tally.commands.values())
    return [
        *(f"{kind}: {rows} rows not taken: {why}" for kind, (rows, why) in tally.left_out.items()),
        *tally.graded_lines(),
        *tally.remarks,
        f"{sent} commands in {seconds:.1f} s; {len(tally.refusals)} refusals, each told above with its reason",
    ]
