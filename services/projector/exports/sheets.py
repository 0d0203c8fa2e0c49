"""Each answer as flat tables. Columns bear the names of the JSON; a line's own place comes first."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel

from services.projector.domain.censored_figures import Estimates
from services.projector.domain.cytokine_course import CytokineCourse
from services.projector.domain.cytokine_levels import AnalyteLevels, CytokineLevels, FoldChanges
from services.projector.domain.figures import Level, Range
from services.projector.domain.incidence import GRADES, AdverseEventIncidence, Incidences, Tallies, TimePointIncidence
from services.projector.domain.specimen_list import of_flagged_specimen, without_specimen
from services.projector.domain.visit_list import VisitOfParticipant
from services.projector.domain.worklist import Worklist, WorklistClock, WorklistItem
from services.projector.exports.csv_text import Sheet
from services.projector.readmodels.adverse_events import AdverseEvent
from services.projector.readmodels.participants import Participant
from services.projector.readmodels.special_interest import SpecialInterests
from services.projector.readmodels.timeline import TimelineEntry
from services.projector.readmodels.toxicity_episodes import GivenTreatment, ToxicityEpisode
from shared.statistics.censored import Method

M = TypeVar("M", bound=BaseModel)
Line = tuple[object, ...]


def _of_models(
    name: str, model: type[M], items: Iterable[M], shown: Mapping[str, Callable[[Any], object]] | None = None
) -> Sheet:
    """One line per item, one column per field; `shown` says how a field that is no plain value reads."""
    shown = shown or {}
    rows = (tuple(shown.get(field, _same)(getattr(item, field)) for field in model.model_fields) for item in items)
    return Sheet(name, tuple(model.model_fields), rows)


def _same(value: object) -> object:
    return value


def participants(items: Iterable[Participant]) -> Sheet:
    return _of_models("participants", Participant, items)


def timeline(items: Iterable[TimelineEntry]) -> Sheet:
    return _of_models("timeline", TimelineEntry, items, {"data": lambda data: json.dumps(data, ensure_ascii=False)})


def visits(items: Iterable[VisitOfParticipant]) -> Sheet:
    return _of_models("visits", VisitOfParticipant, items)


def adverse_events(items: Iterable[AdverseEvent]) -> Sheet:
    shown = {
        "grades": lambda grades: [f"{each.grade} since {each.since}" for each in grades],
        "causality": lambda opinions: [f"{each.agent}: {each.attribution}" for each in opinions],
    }
    return _of_models("adverse-events", AdverseEvent, items, shown)


_COURSE = (
    *("episode_id", "adverse_event_id", "kind", "onset", "onset_day", "ended_at", "outcome", "retracted"),
    *("worst_astct_grade", "worst_ctcae_grade", "number", "observed_at", "day", "astct_grade", "ctcae_grade"),
    *("explanation", "rule", "protocol", "observation", "given_since_the_one_before"),
)


def crs_icans_course(answer: Iterable[ToxicityEpisode]) -> Sheet:
    """A line per observation, with its episode and what was given since the one before; one for what came last."""
    return Sheet("crs-icans-course", _COURSE, _course_of_episodes(answer))


def _course_of_episodes(answer: Iterable[ToxicityEpisode]) -> Iterator[Line]:
    for episode in answer:
        place = tuple(getattr(episode, name) for name in _COURSE[:10])
        given = list(episode.treatments)
        for seen in episode.series:
            until = [each for each in given if each.given_at <= seen.observed_at]
            given = given[len(until) :]
            told = tuple(getattr(seen, name) for name in _COURSE[10:18])
            yield *place, *told, json.dumps(seen.observation), [_given(each) for each in until]
        if given:
            yield *place, *[None] * len(_COURSE[10:19]), [_given(each) for each in given]


def _given(each: GivenTreatment) -> str:
    dose = "" if each.dose is None else f" {each.dose:f} {each.unit}"
    return f"{each.treatment}{dose} at {each.given_at.isoformat()}"


def special_interests(answer: SpecialInterests) -> Sheet:
    """A line per kind and event; a kind without events has none."""
    columns = ("kind", "title", "mark", *AdverseEvent.model_fields)
    rows = (
        (kind.id, kind.title, kind.mark, *line) for kind in answer.kinds for line in adverse_events(kind.events).rows
    )
    return Sheet("special-interest", columns, rows)


def sae_worklist(answer: Worklist) -> Sheet:
    shown = {
        "duties": lambda duties: [f"{each.to} by {each.due_at.isoformat()} ({each.state})" for each in duties],
        "clocks": lambda clocks: [_clock(each) for each in clocks],
        "reports": lambda reports: [f"{each.number} {each.kind} to {each.recipient}" for each in reports],
    }
    return _of_models("sae-worklist", WorklistItem, answer.items, shown)


def _clock(clock: WorklistClock) -> str:
    done = f", report {clock.report_number} at {clock.met_at.isoformat()}" if clock.met_at else ""
    return f"{clock.clock} by {clock.due_at.isoformat()} ({clock.state}{done})"


_INCIDENCE = (
    *("visit", "label", "span", "after_day", "until_day", "at_risk", "level", "soc", "term", "meddra_code"),
    *("events", "n", "percent", *(f"worst_grade_{grade}" for grade in GRADES)),
)


def adverse_event_incidence(answer: AdverseEventIncidence) -> Sheet:
    """Long form: a line per time point, span (interval or cumulative), level (all, SOC, term) and kind of events.

    By dose level, where that was asked for: each line begins with it.
    """
    if answer.by_dose_level is None:
        return Sheet("adverse-event-incidence", _INCIDENCE, _incidence_lines(answer.time_points))
    lines = (
        (level.dose_level, *line) for level in answer.by_dose_level for line in _incidence_lines(level.time_points)
    )
    return Sheet("adverse-event-incidence-by-dose-level", ("dose_level", *_INCIDENCE), lines)


def _incidence_lines(points: Iterable[TimePointIncidence]) -> Iterator[Line]:
    for point in points:
        for span, after_day, incidences in (
            ("interval", point.after_day, point.interval),
            ("cumulative", None, point.cumulative),
        ):
            place = (point.visit, point.label, span, after_day, point.until_day, incidences.at_risk)
            for line in _levels(incidences):
                yield *place, *line


def _levels(incidences: Incidences) -> Iterator[Line]:
    yield from _kinds(("all", None, None, None), incidences)
    for soc in incidences.by_soc:
        yield from _kinds(("soc", soc.soc, None, None), soc)
        for term in soc.terms:
            yield from _kinds(("term", soc.soc, term.term, term.meddra_code), term)


def _kinds(place: Line, tallies: Tallies) -> Iterator[Line]:
    for kind in ("any", "related", "serious"):
        tally = getattr(tallies, kind)
        yield *place, kind, tally.n, tally.percent, *(count.n for count in tally.by_worst_grade)


_CYTOKINES = (
    *("analyte", "visit", "label", "unit", "n", "n_below_lloq", "n_above_uloq", "n_censored", "n_after_tocilizumab"),
    *("median", "lowest", "highest", "n_fold_changes", "median_fold_change", "certainty"),
    *("method", "estimates_method", "estimated_median", "geometric_mean", "no_estimate", "without_fold_change"),
    *("n_without_specimen", "n_specimen_flagged"),
)


def cytokines(answer: CytokineLevels) -> Sheet:
    """A line per analyte and time point, then one per analyte for the peaks.

    By group, where that was asked for: each line begins with it.
    """
    if answer.groups is None:
        rows = (line for analyte in answer.analytes for line in _cytokine_lines(answer, analyte))
        return Sheet("cytokines", _CYTOKINES, rows)
    lines = (
        (group.grouped_by, group.group, *line)
        for group in answer.groups
        for analyte in group.analytes
        for line in _cytokine_lines(answer, analyte)
    )
    return Sheet("cytokines-by-group", ("grouped_by", "group", *_CYTOKINES), lines)


def _cytokine_lines(answer: CytokineLevels, analyte: AnalyteLevels) -> Iterator[Line]:
    for point in analyte.time_points:
        yield (
            *(analyte.analyte, point.visit, point.label, answer.unit, point.n, point.n_below_lloq, point.n_above_uloq),
            *(point.n_censored, point.n_after_tocilizumab, _text(point.median), *_ends(point.range)),
            *_fold(point.fold_change),
            *(point.method, *_estimates(point.estimates)),
            [f"{each.reason}: {each.n}" for each in point.without_fold_change],
            *(point.n_without_specimen, point.n_specimen_flagged),
        )
    label = f"Peak, day {answer.peak_from_day} to {answer.peak_until_day}"
    below, above = (sum(peak.level.qualifier == side for peak in analyte.peaks) for side in ("<", ">"))
    flagged = sum(peak.after_tocilizumab for peak in analyte.peaks)
    of_specimens = [peak.specimen_flags for peak in analyte.peaks]
    yield (
        *(analyte.analyte, None, label, answer.unit, len(analyte.peaks), below, above, below + above, flagged),
        *(_text(analyte.median_peak), *_ends(analyte.peak_range), *_fold(analyte.peak_fold_change)),
        *(Method.ORDERING, *_estimates(analyte.peak_estimates)),
        [f"{each.reason}: {each.n}" for each in analyte.peak_without_fold_change],
        *(without_specimen(of_specimens), of_flagged_specimen(of_specimens)),
    )


def _fold(told: FoldChanges | None) -> Line:
    return (None, None, None) if told is None else (told.n, told.median, told.certainty)


def _estimates(told: Estimates) -> Line:
    """The method, both estimates, and why one is missing."""
    both = (told.median, told.geometric_mean)
    missing = dict.fromkeys(each.missing.value for each in both if each.missing is not None)
    return told.median.method, *(_text(each.value) for each in both), list(missing)


_PEAKS = (
    *("analyte", "participant_id", "subject_number", "peak", "unit", "day", "fold_change", "bound"),
    *("after_tocilizumab", "collected_at", "time_to_peak_days", "visit", "no_fold_change", "observed"),
    "specimen_flags",
)


def cytokine_peaks(answer: CytokineLevels) -> Sheet:
    """A line per analyte and participant."""
    rows = (
        (
            *(analyte.analyte, peak.participant_id, peak.subject_number, _text(peak.level), answer.unit, peak.day),
            *(peak.fold_change, peak.bound, peak.after_tocilizumab, peak.collected_at, peak.time_to_peak_days),
            *(peak.visit, peak.no_fold_change, answer.observed),
            peak.specimen_flags,
        )
        for analyte in answer.analytes
        for peak in analyte.peaks
    )
    return Sheet("cytokine-peaks", _PEAKS, rows)


_COURSE_OF_CYTOKINES = (
    *("participant_id", "subject_number", "analyte", "cytokine_panel_id", "collected_at", "day", "visit", "platform"),
    *("kit", "lot", "value", "unit", "fold_change", "bound", "no_fold_change", "after_tocilizumab"),
    *("after_tocilizumab_because", "given_before", "unnamed_drug_told"),
    *("crs_observed_at", "crs_astct_grade", "crs_ctcae_grade", "specimen_flags"),
)


def cytokine_course(answer: CytokineCourse) -> Sheet:
    """A line per analyte and sample."""
    return Sheet("cytokine-course", _COURSE_OF_CYTOKINES, _cytokine_course_lines(answer))


def _cytokine_course_lines(answer: CytokineCourse) -> Iterator[Line]:
    for analyte in answer.analytes:
        for each in analyte.samples:
            crs = each.crs
            yield (
                *(answer.participant_id, answer.subject_number, analyte.analyte, each.cytokine_panel_id),
                *(each.collected_at, each.day, each.visit, each.platform, each.kit, each.lot, each.value.text),
                *(answer.unit, each.fold_change, each.bound, each.no_fold_change, each.after_tocilizumab),
                *(each.after_tocilizumab_because, each.given_before, each.unnamed_drug_told),
                *((None, None, None) if crs is None else (crs.observed_at, crs.astct_grade, crs.ctcae_grade)),
                each.specimen_flags,
            )


def _text(level: Level | None) -> str | None:
    return None if level is None else level.text


def _ends(span: Range | None) -> Line:
    return (None, None) if span is None else (span.lowest.text, span.highest.text)
