"""The trial's figures as files that any browser opens."""

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from services.loading.client import TrialClient
from services.loading.outcomes import Outcomes
from shared.kernel.actor import Role

NAMES = ("waterfall", "spider", "swimmer", "kinetics", "cytokines")
PATH = "/trial/v1/figures"
SVG = "image/svg+xml"


@dataclass(frozen=True, slots=True)
class Drawn:
    """A figure: the name of its file, its path in the API, and the picture."""

    name: str
    path: str
    picture: bytes


@dataclass(frozen=True, slots=True)
class Kept:
    """A figure: where it is on disk, and its path in the API."""

    file: Path
    path: str


async def ask(client: TrialClient, answers: Outcomes) -> list[Drawn]:
    """Each figure as SVG, as a sponsor sees it, and the course of everybody who had CRS or ICANS.

    Raises:
        TrialAway, NotAdmitted, TrialFailed: a figure could not be had.
    """
    paths = {name: f"{PATH}/{name}" for name in NAMES}
    for who, course in zip(answers.participants["items"], answers.courses, strict=True):
        if course["result"]:
            paths[f"course-{who['subject_number']}"] = f"{PATH}/course?participant_id={who['participant_id']}"
    drawn = (client.document(path, role=Role.SPONSOR, accept=SVG) for path in paths.values())
    pictures = await asyncio.gather(*drawn)
    return [Drawn(name, path, picture) for (name, path), picture in zip(paths.items(), pictures, strict=True)]


def keep(drawn: Iterable[Drawn], folder: Path) -> Iterator[Kept]:
    """Write each into the folder; an older one of that name is replaced."""
    folder.mkdir(parents=True, exist_ok=True)
    for each in drawn:
        file = folder / f"{each.name}.svg"
        file.write_bytes(each.picture)
        yield Kept(file, each.path)
