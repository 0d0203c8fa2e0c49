"""Dose-limiting toxicity and the courses of CRS and ICANS as a person reads them on a terminal."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from rich.table import Table
from rich.text import Text

from services.loading.table_layout import NONE, at, laid_out

Json = dict[str, Any]


def dose_levels(result: Json) -> Table:
    """Who counts at each dose level at which somebody was treated."""
    table = laid_out(
        "6  Dose-limiting toxicity (DLT) by dose level",
        f"Window: {result['window_days']} days. {_stopping(result['stopping_rules'])}",
        *("Level", "Cells/kg", "Treated", "In window", "Without DLT", "DLT", "Not evaluable", "Undecided"),
    )
    for level in result["levels"]:
        if level["treated"]:
            counts = ("treated", "in_window", "evaluable_without_dlt", "with_dlt", "not_evaluable", "undecided")
            shown = (str(level[each] or NONE) for each in counts)
            table.add_row(level["dose_level"] or NONE, level["dose_cells_per_kg"] or NONE, *shown)
    return table


def _stopping(rules: Sequence[Json]) -> str:
    fired = [f"{each['rule']} ({each['state']})" for each in rules if each["firings"]]
    return f"Stopping rules that fired: {', '.join(fired) or 'none'}."


def toxicities(result: Json) -> Table:
    """Each toxicity that the rules proposed, and what the safety officer decided."""
    table = laid_out(
        "   Proposed by the protocol's rules, and decided by a safety officer",
        "Grade: ASTCT's of an episode, CTCAE's of an adverse event.",
        *("Participant", "Toxicity", "Grade", "Since", "Decision"),
    )
    table.columns[1].justify = table.columns[4].justify = "left"
    table.columns[1].overflow = "fold"
    for who in result["participants"]:
        for each in who["toxicities"]:
            if not each["withdrawn"]:
                what = Text.assemble(each["term"] or each["source"]["kind"], "\n", (", ".join(each["rules"]), "dim"))
                decided = Text.assemble(each["decision"] or "undecided", "\n", (each["reason"] or "", "dim"))
                table.add_row(who["subject_number"], what, str(each["grade"] or NONE), each["since"] or NONE, decided)
    return table


def courses(answers: Sequence[Json], people: Sequence[Json], zone: ZoneInfo) -> Iterator[Table]:
    """Each episode with both grades at each instant, and what was given."""
    for who, answer in zip(people, answers, strict=True):
        for episode in answer["result"]:
            yield _episode(who["subject_number"], episode, zone)


def _episode(subject_number: str, episode: Json, zone: ZoneInfo) -> Table:
    worst = f"ASTCT {episode['worst_astct_grade']}, CTCAE {episode['worst_ctcae_grade']}"
    table = laid_out(
        f"7  Course of {episode['kind'].upper()} of {subject_number}: worst {worst}",
        f"Times of {zone.key}. {_end(episode, zone)}",
        *("At", "Day", "ASTCT", "CTCAE", "Seen, given"),
    )
    table.columns[4].justify = "left"
    lines = [*_seen(episode), *_given(episode)]
    for instant, line in sorted(lines, key=lambda each: datetime.fromisoformat(each[0])):
        table.add_row(at(instant, zone), *line)
    return table


def _seen(episode: Json) -> Iterator[tuple[str, list[str]]]:
    for seen in episode["series"]:
        grades = [NONE if seen[name] is None else str(seen[name]) for name in ("astct_grade", "ctcae_grade")]
        day = NONE if seen["day"] is None else str(seen["day"])
        yield seen["observed_at"], [day, *grades, _signs(seen["observation"])]


def _signs(observation: Json) -> str:
    """The temperature, and what an observation says that is not normal."""
    signs = {name: said for name, said in observation.items() if name not in _NO_SIGNS and said not in _NORMAL}
    return ", ".join(_sign(name, said) for name, said in signs.items())


_NO_SIGNS = frozenset({"kind", "oxygen_need_due_to_crs"})
_NORMAL: tuple[object, ...] = (None, False, "none", "room-air", "awake", [])
_UNITS = {"temperature_c": " C", "flow_l_per_min": " L/min", "fio2_percent": " % O2"}


def _sign(name: str, said: object) -> str:
    if said is True:
        return name.replace("_", " ")
    if name in _UNITS:
        return f"{said}{_UNITS[name]}"
    return str(said).replace("-", " ")


def _given(episode: Json) -> Iterator[tuple[str, list[str]]]:
    for given in episode["treatments"]:
        dose = "" if given["dose"] is None else f" {given['dose']} {given['unit']}"
        yield given["given_at"], ["", "", "", f"{given['treatment']}{dose}"]


def _end(episode: Json, zone: ZoneInfo) -> str:
    if episode["ended_at"] is None:
        return "It goes on."
    return f"{episode['outcome'].capitalize()} {at(episode['ended_at'], zone)}."
