"""Survival and the independent review as a person reads them on a terminal."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from rich.table import Table

from services.loading.table_layout import NONE, laid_out

Json = dict[str, Any]

ENDPOINTS = {"pfs": "Progression-free survival", "os": "Overall survival"}


def survival(results: Iterable[Json]) -> Table:
    """A line per endpoint: of everybody infused, by Kaplan-Meier."""
    told = list(results)
    endings = "; ".join(f"{each['endpoint']} {_endings(each)}" for each in told)
    table = laid_out(
        "   Survival by Kaplan-Meier, days since the infusion",
        f"Median with its 95 % interval (log-log); {NONE}: not reached. Ended by: {endings}.",
        *("Endpoint", "N", "Events", "Censored", "Median", "95 %", "At 6 months"),
    )
    for result in told:
        everybody = result["groups"][0]
        counts = (str(everybody[each]) for each in ("n", "events", "censored"))
        table.add_row(ENDPOINTS[result["endpoint"]], *counts, *_median(everybody["median"]), _at_six_months(everybody))
    return table


def _endings(result: Json) -> str:
    return ", ".join(f"{each['n']} {each['ending']}" for each in result["groups"][0]["endings"])


def _median(median: Json) -> tuple[str, str]:
    lower, upper = (median["log_log"][end] or NONE for end in ("lower", "upper"))
    return median["days"] or NONE, f"{lower} to {upper}"


def _at_six_months(group: Json) -> str:
    estimate = next((each["estimate"] for each in group["time_points"] if each["label"] == "6 months"), None)
    return NONE if estimate is None else f"{float(estimate['survival']) * 100:.1f} %"


def independent_review(reviews: Sequence[Json], people: Sequence[Json]) -> Table:
    """A line per time point that both blinded readers have read."""
    numbers = {who["participant_id"]: who["subject_number"] for who in people}
    points = sorted(_both_read(reviews, numbers), key=lambda pair: pair[0])
    differing = [point for _, point in points if point["differences"]]
    decided = sum(point["adjudicated"] is not None for point in differing)
    table = laid_out(
        f"   Independent review: {len(points) - len(differing)} concordant, {len(differing)} discordant, "
        f"{decided} adjudicated",
        "Time points that two blinded readers have read; where they differ an adjudicator decides.",
        *("Participant", "At", "Reader 1", "Reader 2", "They differ in", "Counts", "By"),
    )
    for number, point in points:
        table.add_row(
            number,
            point["time_point"],
            *(point[reader]["response"] for reader in ("reader_1", "reader_2")),
            ", ".join(each.replace("-", " ") for each in point["differences"]) or NONE,
            point["response"] or NONE,
            point["by"] or "open",
        )
    return table


def _both_read(reviews: Iterable[Json], numbers: Mapping[str, str]) -> Iterator[tuple[str, Json]]:
    for review in reviews:
        for point in review["time_points"]:
            if point["reader_1"] is not None and point["reader_2"] is not None:
                yield numbers[review["participant_id"]], point
