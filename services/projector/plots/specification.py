"""A Vega-Lite specification, read from its file and filled: title, words, parameters, data."""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

Specification = dict[str, Any]
Row = dict[str, Any]

VEGA_LITE = "5.20"  # of `$schema`; what draws and what checks the files are pinned to it
PALETTE = (
    *("CR", "PR", "MR", "SD", "NON-CR/NON-PD", "PD", "NE"),
    *("iCR", "iPR", "iSD", "NON-iCR/NON-iUPD", "iUPD", "iCPD"),
    *("ND", "MISSING"),
)  # responses in the order of legends
USUAL = ["CR", "PR", "SD", "PD", "NE"]  # what the legend of an empty figure explains


@cache
def _text(name: str) -> str:
    return (Path(__file__).parent / f"{name}.vl.json").read_text(encoding="utf-8")


def filled(
    name: str,
    *,
    title: str,
    subtitle: Sequence[str],
    description: str,
    params: Mapping[str, Any],
    datasets: Mapping[str, Sequence[Row]],
) -> Specification:
    """The specification of this name with its words, parameters and data.

    Raises:
        KeyError: the file has no such parameter or dataset.
    """
    made: Specification = json.loads(_text(name))
    made["title"] |= {"text": title, "subtitle": list(subtitle)}
    made["description"] = description
    declared = {each["name"]: each for each in made["params"]}
    for parameter, value in params.items():
        declared[parameter]["value"] = value
    if missing := datasets.keys() - made["datasets"].keys():
        raise KeyError(f"{name} has no dataset {', '.join(sorted(missing))}")
    made["datasets"] |= {each: list(rows) for each, rows in datasets.items()}
    return made


@cache
def _words(name: str) -> Mapping[str, str]:
    (found,) = (each["value"] for each in json.loads(_text(name))["params"] if each["name"] == "in_words")
    words: Mapping[str, str] = found
    return words


def in_words(name: str, response: str) -> str:
    """A response as the legend of the specification of this name tells it."""
    return _words(name).get(response, response)


def in_order(present: set[str], milestones: Sequence[str] = ()) -> list[str]:
    """What is there in the order of legends: responses from the best to the worst, then milestones."""
    return [each for each in (*PALETTE, *milestones) if each in present]


def legend(present: set[str], milestones: Sequence[str] = ()) -> list[str]:
    """What a legend lists: what is there, or the usual where nothing is yet."""
    return in_order(present, milestones) or [*USUAL, *milestones]


def between(least: float, value: float, most: float) -> float:
    return max(least, min(most, value))
