"""`make demo`: the whole trial in one process, the sample trial sent through its HTTP API, its outcomes printed."""

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.console import Console

from services.loading import figures, outcomes, tables
from services.loading.addresses import ensure_free, local_url, url_of
from services.loading.client import Tokens, TrialClient
from services.loading.progress import progress
from services.loading.protocols import require_protocol
from services.loading.sample import Sample, read_sample
from services.loading.sample_courses import courses_of, sites_of
from services.loading.sending import Sender, Sent
from services.loading.tally import Fate, Tally
from shared.kernel.actor import Role
from shared.kernel.errors import TrialError
from shared.process import running
from shared.settings import Settings
from shared.telemetry.logs import JsonFormatter

Serve = Callable[[asyncio.Event, Callable[[], None]], Awaitable[None]]
"""Serve until the event is set; say when it answers."""

LOG_FILE = "demo.log"
FIGURES = "figures"  # the folder of the pictures
WIDE = 100  # columns, where there is no terminal to ask
SERVICES = ("enrollment", "safety", "efficacy", "biomarkers", "trial")


class SampleRefused(TrialError):
    """The trial refused rows of the sample trial; the message says which, and why."""


@dataclass(frozen=True, slots=True)
class Trial:
    """The trial that the demo starts: how to serve it, whom it believes, and where its data are."""

    serve: Serve
    tokens: Tokens
    folder: Path
    settings: Settings


def run(trial: Trial, *, once: bool) -> None:
    """Serve, load, print; then go on serving until Ctrl-C, or leave.

    Raises:
        PortTaken, SampleRefused, TrialError: nothing was printed, or not all.
    """
    ensure_free(trial.settings)
    running.run(lambda stop: _main(trial, stop, once=once), trial.settings)


async def _main(trial: Trial, stop: asyncio.Event, *, once: bool) -> None:
    _log_to(trial.folder / LOG_FILE)
    started = asyncio.Event()
    serving = asyncio.ensure_future(trial.serve(stop, started.set))
    showing = asyncio.create_task(_show(trial, started, once=once))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({serving, showing, stopping}, return_when=asyncio.FIRST_COMPLETED)
    if not showing.done():
        sys.stderr.write("stopped; what was sent is kept, and the next demo goes on from there\n")
        showing.cancel()
    elif once or showing.exception() is not None:
        stop.set()
    await serving
    stopping.cancel()
    await asyncio.gather(showing, stopping, return_exceptions=True)
    if not showing.cancelled():
        showing.result()


def _log_to(path: Path) -> None:
    """The processes' JSON lines go into a file: they would drown what a person came to see."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=logging.getLogger().level, handlers=[handler], force=True)


async def _show(trial: Trial, started: asyncio.Event, *, once: bool) -> None:
    await started.wait()
    sample = read_sample()
    async with TrialClient(local_url(trial.settings), trial.tokens) as client:
        protocol = await require_protocol(client, sample.trial.protocol_id, "the sample trial")
        tally, sent = await load(client, sample)
        await outcomes.wait_until_shown(client, sent)
        answers = await outcomes.ask(client)
        drawn = await figures.ask(client, answers)
    zone = ZoneInfo(protocol["schedule"]["time_zone"]["value"])
    _print_outcomes(answers, tally, zone)
    _print_figures(figures.keep(drawn, trial.folder / FIGURES), url_of(trial.settings))
    _print_addresses(trial, once=once)


async def load(client: TrialClient, sample: Sample) -> tuple[Tally, list[Sent]]:
    """Send the sample trial; what is there already stays as it is.

    Raises:
        SampleRefused: the trial did not take all of it.
    """
    sites, courses, tally = sites_of(sample), courses_of(sample), Tally()
    with progress("Loading the sample trial", sum(1 for course in (*sites, *courses) for _ in course)) as shown:
        sent = await Sender(client, tally, shown).send(sites, courses)
    if tally.refusals:
        raise SampleRefused("\n".join(["the trial refused a part of the sample:", *tally.refusals]))
    return tally, sent


def _print_outcomes(answers: outcomes.Outcomes, tally: Tally, zone: ZoneInfo) -> None:
    console = Console() if sys.stdout.isatty() else Console(width=WIDE)
    people, built = answers.participants["items"], answers.adverse_events
    sites = len({each["site_id"] for each in people})
    infused = built["result"]["infused"]
    lines = (
        f"\n{_what_was_loaded(tally)}",
        f"{len(people)} screened at {sites} sites, {infused} infused; protocol {built['protocol']}.",
        f"The tables hold every event up to {built['as_of']['last_recorded_at']}.\n",
    )
    for line in lines:
        console.print(line, highlight=False)
    for table in tables.tables(answers, zone):
        console.print(table)
        console.print()


def _what_was_loaded(tally: Tally) -> str:
    if tally.changed_nothing:
        return f"The sample trial was there already: {tally.commands[Fate.UNCHANGED]} commands changed nothing."
    known = tally.commands[Fate.UNCHANGED]
    before = f", {known} were there already" if known else ""
    return f"The sample trial is loaded: {tally.commands[Fate.RECORDED]} commands recorded{before}. It is invented."


def _print_figures(kept: Iterable[figures.Kept], url: str) -> None:
    sys.stdout.write("Figures (SVG here; JSON, SVG or PNG from the API, as Accept asks):\n")
    for each in kept:
        sys.stdout.write(f"  {each.file}\n    {url}{each.path}\n")
    sys.stdout.write("\n")


def _print_addresses(trial: Trial, *, once: bool) -> None:
    say, url = sys.stdout.write, url_of(trial.settings)
    say("API pages:\n")
    for service in SERVICES:
        say(f"  {url}/{service}/docs\n")
    token = trial.tokens(Role.INVESTIGATOR, "CU")
    say("\nAs an investigator of the site CU (the token holds for 12 hours):\n")
    say(f"  curl -H 'Authorization: Bearer {token}' '{url}{outcomes.WORKLIST}'\n")
    say("Another token:\n  .venv/bin/python -m services token --role sponsor --site '*'\n")
    say(f"Logs: {trial.folder / LOG_FILE}\n")
    if not once:
        say(f"\nThe trial is at {url}; Ctrl-C ends it, the data stay in {trial.folder}.\n")
    sys.stdout.flush()
