"""The escalation of the dose as a person reads it on a terminal: cohorts by dose level, and pauses."""

from typing import Any
from zoneinfo import ZoneInfo

from rich.table import Table
from rich.text import Text

from services.loading.table_layout import NONE, at, laid_out

Json = dict[str, Any]


def levels(board: Json) -> Table:
    """Slots by dose level, who holds them, and how they stand."""
    held_to = "Infusions are held to it." if board["enforced"] else "No infusion is held to it yet."
    table = laid_out(
        f"   Cohorts by {board['design']}: cohorts of {board['cohort_size']}, open level {board['open_level'] or NONE}",
        f"{held_to} {_next(board['next_infusion'])}",
        *("Level", "Slots", "Reserved", "Infused", "In window", "Without DLT", "DLT", "Not evaluable"),
    )
    for level in board["levels"]:
        counts = ("slots", "reserved", "used", "in_window", "evaluable_without_dlt", "with_dlt", "not_evaluable")
        table.add_row(level["dose_level"], *(str(level[each] or NONE) for each in counts))
    return table


def _next(infusion: Json | None) -> str:
    if infusion is None:
        return ""
    if infusion["permitted_from"] is not None:
        return f"Next infusion: from {infusion['permitted_from'][:10]} on."
    return f"Next infusion: held by {', '.join(each['bar'] for each in infusion['held_by'])}."


def pauses(board: Json, zone: ZoneInfo) -> Table:
    """Who paused dosing, why, and who let it resume."""
    state = "paused" if board["is_paused"] else "going on"
    table = laid_out(
        f"   Pauses of dosing; now it is {state}", f"Times of {zone.key}.", "Since", "Until", "Why, by whom"
    )
    table.columns[2].justify = "left"
    for each in board["pauses"]:
        ended = f"{each['resumed_because']} ({each['resumed_by']})" if each["until"] is not None else ""
        why = Text.assemble(f"{each['reason']} ({each['paused_by']})", "\n", (ended, "dim"))
        table.add_row(at(each["since"], zone), at(each["until"], zone), why)
    return table
