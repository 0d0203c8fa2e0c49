"""The trial's figures as files that any browser opens."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from services.loading.client import TrialClient
from shared.kernel.actor import Role

NAMES = ("waterfall", "spider", "swimmer")
PATH = "/trial/v1/figures"
SVG = "image/svg+xml"


@dataclass(frozen=True, slots=True)
class Kept:
    """A figure: where it is on disk, and its path in the API."""

    file: Path
    path: str


async def ask(client: TrialClient) -> dict[str, bytes]:
    """Each figure as SVG, as a sponsor sees it.

    Raises:
        TrialAway, NotAdmitted, TrialFailed: a figure could not be had.
    """
    return {name: await client.document(f"{PATH}/{name}", role=Role.SPONSOR, accept=SVG) for name in NAMES}


def keep(drawn: Mapping[str, bytes], folder: Path) -> Iterator[Kept]:
    """Write each into the folder; an older one of that name is replaced."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, picture in drawn.items():
        file = folder / f"{name}.svg"
        file.write_bytes(picture)
        yield Kept(file, f"{PATH}/{name}")
