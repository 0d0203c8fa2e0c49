"""Cell kinetics, cytokines and specimens as a person reads them on a terminal."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from rich.table import Table

from services.loading.table_layout import NONE, laid_out, share

Json = dict[str, Any]

CERTAINTY = {"at-least": ">=", "at-most": "<=", "uncertain": "~", "exact": ""}
PURPOSES = {"car-t-flow": "CAR-T cells", "cytokines": "Cytokines"}


def persistence(result: Json) -> Table:
    quantity = result["quantity"]
    return _over_time(
        result,
        f"3  Persistence of CAR-T cells in {quantity['specimen']}: CAR+ cells{quantity['unit']}",
        "<: below the lower limit of quantification (LLOQ), which is never 0.",
    )


def transgene(result: Json) -> Table:
    """Copies of the CAR's gene: a series of their own, never pooled with cells."""
    quantity = result["quantity"]
    return _over_time(
        result,
        f"   Transgene copies in {quantity['specimen']}: {quantity['unit']} of DNA, {', '.join(result['methods'])}",
        "By PCR of few participants; it finds copies longer than flow cytometry finds cells.",
    )


def _over_time(result: Json, title: str, caption: str) -> Table:
    table = laid_out(title, caption, *("At", "N", "Detectable", "Below LLOQ", "Median", "Range"))
    for point in result["time_points"]:
        detectable = {"n": point["n_detectable"], "percent": point["percent_detectable"]}
        below = str(point["n_below_lloq"] or NONE)
        table.add_row(point["label"], str(point["n"]), share(detectable), below, *_spread(point))
    return table


def _spread(point: Json) -> list[str]:
    if point["median"] is None:
        return [NONE, NONE]
    span = point["range"]
    return [_level(point["median"]), f"{_level(span['lowest'])} to {_level(span['highest'])}"]


def _level(level: Json) -> str:
    """A level with four significant digits, as figures are read; the API gives all of them."""
    if level["number"] is None:
        return str(level["text"])
    return f"{level['qualifier'] or ''}{_short(level['number'])}"


def _short(number: str) -> str:
    return f"{float(number):.4g}" if float(number) < 10_000 else number


def courses(result: Json) -> Table:
    """Each participant's kinetics after the first infusion; the API has those of every infusion."""
    by, loss = result["kinetics_by"], result["loss"]
    median = loss["median"]["days"]
    lost = f"{loss['events']} of {loss['n']} lost, median {f'day {median}' if median else 'not reached'}"
    table = laid_out(
        "   Kinetics of each participant, as observed at the visits",
        f"Cells{result['quantity']['unit']}. AUC: of days {by['interval_from_day']} to {by['interval_until_day']}, in "
        f"cells{result['quantity']['unit']}.d, {by['auc_method']}. Lost: two visits in a row below the limit at the "
        f"end of the course, and the day of the first ({lost}, by Kaplan-Meier).",
        *("Participant", "Samples", "Cmax", "Tmax", "AUC", "Half-life", "Last detectable", "Lost"),
    )
    for who in result["participants"]:
        first = who["kinetics"][0] if who["kinetics"] else {}
        table.add_row(
            who["subject_number"],
            str(len(who["samples"])),
            _figure(who["cmax"] and who["cmax"]["value"]),
            _day(who["cmax"] and who["cmax"]["day"]),
            _figure(first.get("auc_interval")),
            _figure(first.get("half_life_d"), " d"),
            _day(who["last_detectable_day"]),
            _day(who["lost_on_day"] if who["lost"] else None),
        )
    return table


def _figure(number: str | None, unit: str = "") -> str:
    return NONE if number is None else f"{_short(number)}{unit}"


def _day(day: int | None) -> str:
    return NONE if day is None else f"day {day}"


def cytokines(result: Json) -> Table:
    table = laid_out(
        f"4  Serum cytokines, {result['unit']}",
        "Fold change over the sample before infusion; >= where values beyond a limit leave it open upwards. Peak: "
        f"highest of each participant, day {result['peak_from_day']} to {result['peak_until_day']}.",
        *("Analyte", "At", "N", "Censored", "Median", "Range", "Median fold"),
    )
    for analyte in result["analytes"]:
        name = analyte["analyte"]
        for point in analyte["time_points"]:
            censored = str(point["n_censored"] or NONE)
            label = "before" if point["visit"] == "PRE" else point["label"]
            table.add_row(name, label, str(point["n"]), censored, *_spread(point), _fold(point["fold_change"]))
            name = ""
        table.add_row("", "peak", str(len(analyte["peaks"])), "", *_peak(analyte), end_section=True)
    return table


def _fold(fold: Json | None) -> str:
    return NONE if fold is None else f"{CERTAINTY[fold['certainty']]}{float(fold['median']):.3g}"


def _peak(analyte: Json) -> list[str]:
    if analyte["median_peak"] is None:
        return [NONE, NONE, NONE]
    return [*_spread({"median": analyte["median_peak"], "range": analyte["peak_range"]}), ""]


def specimens(lines: Sequence[Json]) -> Table:
    """Where the specimens stand that the protocol plans of those infused, and who had others."""
    table = laid_out(
        "   Specimens that the visits plan, and others",
        "Analysed: a result names the specimen. Without: a result that names none. Missing: not taken, and why.",
        *("For", "Planned", "Analysed", "Without", "Missing", "Overdue", "Not applicable", "Rejected"),
    )
    kinds = {name: [line for line in lines if line["purpose"] == purpose] for purpose, name in PURPOSES.items()}
    kinds["At no visit"] = [line for line in lines if line["purpose"] is None]
    for name, own in kinds.items():
        stand = Counter(line["status"] for line in own)
        shown = ("analysed", "result-without-specimen", "missing", "overdue", "not-applicable", "rejected")
        planned = sum(line["visit"] is not None for line in own)
        table.add_row(name, str(planned or NONE), *(str(stand[each] or NONE) for each in shown))
    return table
