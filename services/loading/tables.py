"""The outcome tables as a person reads them on a terminal of 80 columns or more, or in a file."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from rich.table import Table
from rich.text import Text

from services.loading import efficacy_tables, safety_tables
from services.loading.outcomes import Outcomes
from services.loading.table_layout import NONE, laid_out

Json = dict[str, Any]
WIDEST_TERM = 32  # so that the table fits into 80 columns


def tables(outcomes: Outcomes, zone: ZoneInfo) -> Iterator[Table]:
    """The four outcomes in the order of the protocol, survival and the independent review with the responses; serious
    events, dose-limiting toxicity, CRS and ICANS."""
    yield incidence(outcomes.adverse_events["result"])
    yield terms(outcomes.adverse_events["result"])
    yield responses(outcomes.responses["result"])
    yield efficacy_tables.survival(each["result"] for each in (outcomes.progression_free, outcomes.overall))
    yield efficacy_tables.independent_review(outcomes.reviews, outcomes.participants["items"])
    yield persistence(outcomes.persistence["result"])
    yield courses(outcomes.persistence["result"])
    yield cytokines(outcomes.cytokines["result"])
    yield serious_events(outcomes.worklist["result"], zone)
    yield safety_tables.dose_levels(outcomes.dose_limiting["result"])
    yield safety_tables.toxicities(outcomes.dose_limiting["result"])
    yield from safety_tables.courses(outcomes.courses, outcomes.participants["items"], zone)


def _share(tally: Json) -> str:
    return f"{tally['n']} ({tally['percent']} %)" if tally["percent"] is not None else str(tally["n"])


def _grades(tally: Json) -> list[str]:
    return [str(each["n"] or NONE) for each in tally["by_worst_grade"]]


def incidence(result: Json) -> Table:
    """The primary outcome by time point, cumulative, with what is new in each interval beside it."""
    table = laid_out(
        f"1  Adverse events ({result['criteria']}): participants with at least one, up to each time point",
        f"Treatment-emergent; each participant under the worst grade. Related: to {result['related_to']}. New: in the "
        "interval that ends with the time point.",
        *("Up to", "N", "Any", "G1", "G2", "G3", "G4", "G5", "Related", "Serious", "New"),
    )
    for point in result["time_points"]:
        so_far, here = point["cumulative"], point["interval"]
        table.add_row(
            point["label"],
            str(so_far["at_risk"]),
            _share(so_far["any"]),
            *_grades(so_far["any"]),
            *(_share(so_far[kind]) for kind in ("related", "serious")),
            f"{here['any']['n']}/{here['at_risk']}",
        )
    return table


def terms(result: Json) -> Table:
    """The same at the last time point, by system organ class and term."""
    last = result["time_points"][-1]
    table = laid_out(
        f"   By system organ class and term, up to {last['label']} (N = {last['cumulative']['at_risk']})",
        "Terms of NCI CTCAE; participants, by worst grade.",
        *("Class and term", "Any", "G1", "G2", "G3", "G4", "G5", "Rel.", "Ser."),
    )
    for soc in last["cumulative"]["by_soc"]:
        table.add_row(Text(_cut(soc["soc"], WIDEST_TERM), style="bold"), *_of_term(soc))
        for term in soc["terms"]:
            table.add_row(f"  {_cut(term['term'], WIDEST_TERM - 2)}", *_of_term(term))
    return table


def _of_term(tallies: Json) -> list[str]:
    counts = [str(tallies[kind]["n"] or NONE) for kind in ("related", "serious")]
    return [_share(tallies["any"]), *_grades(tallies["any"]), *counts]


def _cut(text: str, widest: int) -> str:
    return text if len(text) <= widest else f"{text[: widest - 3].rstrip()}..."


def responses(result: Json) -> Table:
    """Overall response by time point and best overall."""
    table = laid_out(
        f"2  Overall response ({result['criteria']}): participants by response, rate of CR and PR",
        "Rate in percent with the exact (Clopper-Pearson) 95 % interval, of those infused and of those evaluable. "
        "None: no assessment, or a new anticancer therapy before it. After progression a participant stays under PD. "
        "Confirmed: by a second reading.",
        *("At", "CR", "PR", "SD", "PD", "NE", "None", "Infused", "95 %", "Eval.", "95 %"),
    )
    for point in result["time_points"]:
        without = point["not_assessed"] + point["after_new_therapy"] + point["not_yet_due"]
        table.add_row(point["label"], *_counts(point["counts"]), str(without or NONE), *_rates(point["rates"]))
    for best in (result["best_overall"], result["other_rule"]):
        name = "confirmed" if best["confirmed"] else "best overall"
        never = str(best["counts"]["missing"] or NONE)
        table.add_row(name, *_counts(best["counts"]), never, *_rates(best["rates"]))
    return table


def _counts(counts: Json) -> list[str]:
    return [str(counts[each] or NONE) for each in ("cr", "pr", "sd", "pd", "ne")]


def _rates(rates: Iterable[Json]) -> Iterator[str]:
    for rate in rates:
        yield f"{rate['responders']}/{rate['n']} {rate['percent'] or NONE}"
        interval = rate["interval"]
        yield f"{interval['lower']}-{interval['upper']}" if interval else NONE


def persistence(result: Json) -> Table:
    quantity = result["quantity"]
    table = laid_out(
        f"3  Persistence of CAR-T cells in {quantity['specimen']}: CAR+ cells{quantity['unit']}",
        "<: below the lower limit of quantification (LLOQ), which is never 0.",
        *("At", "N", "Detectable", "Below LLOQ", "Median", "Range"),
    )
    for point in result["time_points"]:
        detectable = {"n": point["n_detectable"], "percent": point["percent_detectable"]}
        below = str(point["n_below_lloq"] or NONE)
        table.add_row(point["label"], str(point["n"]), _share(detectable), below, *_spread(point))
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
    table = laid_out(
        "   Course of each participant: observed peak and last detection",
        "Lost: two visits in a row below the limit at the end of the course, and the day of the first.",
        *("Participant", "Samples", "Cmax", "Tmax", "Last detectable", "Lost"),
    )
    for who in result["participants"]:
        peak = who["cmax"]
        table.add_row(
            who["subject_number"],
            str(len(who["samples"])),
            _short(peak["value"]) if peak else NONE,
            f"day {peak['day']}" if peak else NONE,
            f"day {who['last_detectable_day']}" if who["last_detectable_day"] is not None else NONE,
            f"day {who['lost_on_day']}" if who["lost"] else NONE,
        )
    return table


CERTAINTY = {"at-least": ">=", "at-most": "<=", "uncertain": "~", "exact": ""}


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


def serious_events(result: Json, zone: ZoneInfo) -> Table:
    """The alerts of serious adverse events. Times are of the trial's zone."""
    table = laid_out(
        f"5  Serious adverse events: {len(result['items'])} alerts",
        f"Times of {zone.key}. Due: the first duty still to be done. Open: nobody has it in hand. SUSAR: "
        "suspected, and not expected by the version of the reference safety information in force at onset.",
        *("Participant", "Event", "Grade", "Aware, due", "In hand"),
    )
    table.columns[1].justify = "left"
    for item in result["items"]:
        criteria = ", ".join(each.replace("-", " ") for each in item["seriousness"])
        criteria += ", SUSAR" if item["susar"] else ""
        told = ", ".join(_reported(report) for report in item["reports"])
        more = f"{criteria}\nreported to {told}" if told else criteria
        table.add_row(
            item["subject_number"],
            Text.assemble(item["term"], "\n", (more, "dim")),
            str(item["grade"]),
            f"{_at(item['became_aware_at'], zone)}\n{_at(item['next_due_at'], zone)}",
            _in_hand(item),
        )
    return table


def _reported(report: Json) -> str:
    return f"{report['recipient']} ({report['answered']})" if report["answered"] else str(report["recipient"])


def _in_hand(item: Json) -> str:
    if item["acknowledged_by"] is not None:
        return str(item["acknowledged_by"])
    return "open, overdue" if item["overdue"] else "open"


def _at(instant: str | None, zone: ZoneInfo) -> str:
    return NONE if instant is None else f"{datetime.fromisoformat(instant).astimezone(zone):%Y-%m-%d %H:%M}"
