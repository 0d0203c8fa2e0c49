"""The outcome tables as a person reads them on a terminal of 80 columns or more, or in a file."""

from collections.abc import Iterable, Iterator
from typing import Any
from zoneinfo import ZoneInfo

from rich.table import Table
from rich.text import Text

from services.loading import biomarker_tables, cohort_tables, efficacy_tables, safety_tables
from services.loading.outcomes import Outcomes
from services.loading.table_layout import NONE, at, laid_out, share

Json = dict[str, Any]
WIDEST_TERM = 32  # so that the table fits into 80 columns


def tables(outcomes: Outcomes, zone: ZoneInfo) -> Iterator[Table]:
    """The four outcomes in the order of the protocol, survival and the independent review with the responses; serious
    events, dose-limiting toxicity, the cohorts of the escalation, CRS and ICANS."""
    yield incidence(outcomes.adverse_events["result"])
    yield terms(outcomes.adverse_events["result"])
    yield responses(outcomes.responses["result"])
    yield efficacy_tables.survival(each["result"] for each in (outcomes.progression_free, outcomes.overall))
    yield efficacy_tables.independent_review(outcomes.reviews, outcomes.participants["items"])
    yield biomarker_tables.persistence(outcomes.persistence["result"])
    yield biomarker_tables.courses(outcomes.persistence["result"])
    yield biomarker_tables.transgene(outcomes.transgene["result"])
    yield biomarker_tables.cytokines(outcomes.cytokines["result"])
    yield biomarker_tables.specimens(outcomes.specimens["items"])
    yield serious_events(outcomes.worklist["result"], zone)
    yield safety_tables.dose_levels(outcomes.dose_limiting["result"])
    yield safety_tables.toxicities(outcomes.dose_limiting["result"])
    yield cohort_tables.levels(outcomes.cohort_board["result"])
    yield cohort_tables.pauses(outcomes.cohort_board["result"], zone)
    yield from safety_tables.courses(outcomes.courses, outcomes.participants["items"], zone)


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
            share(so_far["any"]),
            *_grades(so_far["any"]),
            *(share(so_far[kind]) for kind in ("related", "serious")),
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
    return [share(tallies["any"]), *_grades(tallies["any"]), *counts]


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
            f"{at(item['became_aware_at'], zone)}\n{at(item['next_due_at'], zone)}",
            _in_hand(item),
        )
    return table


def _reported(report: Json) -> str:
    return f"{report['recipient']} ({report['answered']})" if report["answered"] else str(report["recipient"])


def _in_hand(item: Json) -> str:
    if item["acknowledged_by"] is not None:
        return str(item["acknowledged_by"])
    return "open, overdue" if item["overdue"] else "open"
