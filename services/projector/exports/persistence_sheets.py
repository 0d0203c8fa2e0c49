"""Persistence of CAR-T cells as flat tables. Columns bear the names of the JSON; a line's own place comes first."""

from collections.abc import Iterator, Sequence

from services.projector.domain.cell_kinetics import KineticsOfInfusion
from services.projector.domain.figures import Level, Range
from services.projector.domain.kinetics_summary import KineticsSummary, ParameterSummary
from services.projector.domain.loss_of_persistence import LossOfPersistence
from services.projector.domain.persistence import Observed, Persistence, TimePointPersistence
from services.projector.exports.csv_text import Sheet

Line = tuple[object, ...]

_PERSISTENCE = (
    *("visit", "label", "series", "specimen", "unit", "percent_of", "n", "n_detectable", "percent_detectable"),
    *("n_measured", "n_below_lloq", "median", "lowest", "highest"),
    *("n_without_specimen", "n_specimen_flagged"),
)


def persistence(answer: Persistence) -> Sheet:
    """A line per time point; by group, where that was asked for: each line begins with it."""
    if answer.groups is None:
        return Sheet("persistence", _PERSISTENCE, _point_lines(answer, answer.time_points))
    rows = (
        (each.grouped_by, each.group, *line)
        for each in answer.groups
        for line in _point_lines(answer, each.time_points)
    )
    return Sheet("persistence-by-group", ("grouped_by", "group", *_PERSISTENCE), rows)


def _point_lines(answer: Persistence, points: Sequence[TimePointPersistence]) -> Iterator[Line]:
    what = (answer.quantity.series, answer.quantity.specimen, answer.quantity.unit, answer.quantity.percent_of)
    for point in points:
        yield (
            *(point.visit, point.label, *what, point.n, point.n_detectable, point.percent_detectable),
            *(point.n_measured, point.n_below_lloq, _text(point.median), *_ends(point.range)),
            *(point.n_without_specimen, point.n_specimen_flagged),
        )


_SUBSETS = (
    *("visit", "label", "specimen", "n_samples", "n_too_few"),
    *("subset", "unit", "n", "median", "lowest", "highest"),
)


def subsets(answer: Persistence) -> Sheet:
    """A line per time point and subset, and one for the ratio of CD4 to CD8; of copies there are none."""
    if answer.groups is None:
        return Sheet("subsets", _SUBSETS, _subset_lines(answer, answer.time_points))
    rows = (
        (each.grouped_by, each.group, *line)
        for each in answer.groups
        for line in _subset_lines(answer, each.time_points)
    )
    return Sheet("subsets-by-group", ("grouped_by", "group", *_SUBSETS), rows)


def _subset_lines(answer: Persistence, points: Sequence[TimePointPersistence]) -> Iterator[Line]:
    for point in points:
        if point.subsets is None:
            continue
        place = (point.visit, point.label, answer.quantity.specimen, point.subsets.n, point.subsets.n_too_few)
        for each in point.subsets.shares:
            yield *place, each.subset, "%", each.n, each.median, each.lowest, each.highest
        ratio = point.subsets.cd4_to_cd8
        yield *place, "cd4_to_cd8", "1", ratio.n, ratio.median, ratio.lowest, ratio.highest


_COURSES = (
    *("participant_id", "subject_number", "cmax", "tmax_day", "clast", "tlast_day", "last_detectable_day", "lost"),
    *("lost_on_day", "flow_result_id", "transgene_result_id", "method", "collected_at", "day", "visit"),
    *("value", "detectable", "specimen_flags"),
)


def car_t_courses(answer: Persistence) -> Sheet:
    """A line per sample, with its participant's Cmax, Tmax and last detection."""
    return Sheet("car-t-courses", _COURSES, _course_lines(answer))


def _course_lines(answer: Persistence) -> Iterator[Line]:
    for who in answer.participants:
        extremes = (*_observed(who.cmax), *_observed(who.clast), who.last_detectable_day, who.lost, who.lost_on_day)
        for sample in who.samples:
            told = (sample.flow_result_id, sample.transgene_result_id, sample.method, sample.collected_at, sample.day)
            said = (sample.visit, _text(sample.value), sample.detectable, sample.specimen_flags)
            yield who.participant_id, who.subject_number, *extremes, *told, *said


def _observed(observed: Observed | None) -> Line:
    return (None, None) if observed is None else (observed.value, observed.day)


_KINETICS = tuple(name for name in KineticsOfInfusion.model_fields if name not in {"missing", "remarks"})


def kinetics(answer: Persistence) -> Sheet:
    """A line per participant and infusion."""
    rows = (
        (
            *(who.participant_id, who.subject_number, *_what(answer)),
            *(getattr(each, name) for name in _KINETICS),
            [f"{name}: {why}" for name, why in each.missing.items()],
            each.remarks,
        )
        for who in answer.participants
        for each in who.kinetics
    )
    columns = ("participant_id", "subject_number", *_WHAT, *_KINETICS, "missing", "remarks")
    return Sheet("kinetics", columns, rows)


_WHAT = ("series", "specimen", "unit")
_SUMMARY = (*_WHAT, "infused", "observed_at", *ParameterSummary.model_fields)


def _what(answer: Persistence) -> Line:
    return answer.quantity.series, answer.quantity.specimen, answer.quantity.unit


def kinetics_summary(answer: Persistence) -> Sheet:
    """A line per parameter, of all or of each group."""
    if answer.groups is None:
        return Sheet("kinetics-summary", _SUMMARY, _summary_lines(answer, answer.kinetics))
    rows = (
        (each.grouped_by, each.group, *line) for each in answer.groups for line in _summary_lines(answer, each.kinetics)
    )
    return Sheet("kinetics-summary-by-group", ("grouped_by", "group", *_SUMMARY), rows)


def _summary_lines(answer: Persistence, summary: KineticsSummary) -> Iterator[Line]:
    for each in summary.parameters:
        figures = (getattr(each, name) for name in ParameterSummary.model_fields)
        yield *_what(answer), summary.n, summary.observed_at, *figures


_LOSS = (
    "n",
    "events",
    "censored",
    "median_days",
    "day",
    "at_risk",
    "lost",
    "censored_then",
    "survival",
    "lower",
    "upper",
)


def loss(answer: Persistence) -> Sheet:
    """A line per step of the curve (limits on the log-log scale), of all or of each group; one where there is none."""
    if answer.groups is None:
        return Sheet("loss-of-persistence", _LOSS, _loss_lines(answer.loss))
    rows = ((each.grouped_by, each.group, *line) for each in answer.groups for line in _loss_lines(each.loss))
    return Sheet("loss-of-persistence-by-group", ("grouped_by", "group", *_LOSS), rows)


def _loss_lines(loss: LossOfPersistence) -> Iterator[Line]:
    place = (loss.n, loss.events, loss.censored, loss.median.days)
    for step in loss.curve:
        limits = (None, None) if step.log_log is None else (step.log_log.lower, step.log_log.upper)
        yield *place, step.day, step.at_risk, step.events, step.censored, step.survival, *limits
    if not loss.curve:
        yield *place, *[None] * (len(_LOSS) - len(place))


def _text(level: Level | None) -> str | None:
    return None if level is None else level.text


def _ends(span: Range | None) -> Line:
    return (None, None) if span is None else (span.lowest.text, span.highest.text)
