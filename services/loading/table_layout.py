"""How every table looks on a terminal."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from rich import box
from rich.table import Table
from rich.text import Text

NONE = "-"


def share(tally: dict[str, Any]) -> str:
    """A count, and its share in percent where there is one."""
    return f"{tally['n']} ({tally['percent']} %)" if tally["percent"] is not None else str(tally["n"])


def at(instant: str | None, zone: ZoneInfo) -> str:
    """An instant as the clock of a zone shows it."""
    return NONE if instant is None else f"{datetime.fromisoformat(instant).astimezone(zone):%Y-%m-%d %H:%M}"


def laid_out(title: str, caption: str, *columns: str) -> Table:
    """The first column is a name, the others are figures."""
    table = Table(
        title=Text(title, style="bold"),
        title_justify="left",
        caption=Text(caption, style="dim"),
        caption_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    for place, name in enumerate(columns):
        table.add_column(name, justify="left" if place == 0 else "right", no_wrap=place == 0)
    return table
