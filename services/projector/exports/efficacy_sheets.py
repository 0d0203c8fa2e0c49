"""Responses, best overall response and survival as flat tables. Columns bear the names of the JSON."""

from collections.abc import Iterator, Sequence

from services.projector.domain.best_response_table import BestOfParticipant, BestResponses, ParticipantBest
from services.projector.domain.criteria_table import ResponsesByCriteria
from services.projector.domain.figures import ConfidenceInterval
from services.projector.domain.response_figures import BestCounts, Rate, ResponseCounts
from services.projector.domain.response_rate import GroupRates, ResponseRates
from services.projector.domain.survival_table import (
    Estimate,
    GroupSurvival,
    MedianLimits,
    ParticipantTime,
    ProbabilityLimits,
    Survival,
)
from services.projector.exports.csv_text import Sheet

Line = tuple[object, ...]

_RESPONSES = (
    *("visit", "label", "denominator", "n", "responders", "percent", "lower", "upper", "wilson_lower", "wilson_upper"),
    *(*ResponseCounts.model_fields, "missing", "progressed_before", "not_assessed", "not_yet_due", "after_new_therapy"),
)


def response_rate(answer: ResponseRates) -> Sheet:
    """A line per time point and denominator, then the best overall response by both rules.

    By group, where that was asked for: each line begins with it.
    """
    if answer.groups is None:
        return Sheet("response-rate", _RESPONSES, _response_lines(answer))
    lines = ((each.grouped_by, each.group, *line) for each in answer.groups for line in _response_lines(each))
    return Sheet("response-rate-by-group", ("grouped_by", "group", *_RESPONSES), lines)


def _response_lines(answer: ResponseRates | GroupRates) -> Iterator[Line]:
    for point in answer.time_points:
        missing = (None, point.progressed_before, point.not_assessed, point.not_yet_due, point.after_new_therapy)
        yield from _rates((point.visit, point.label), point.rates, point.counts, missing)
    for best in (answer.best_overall, answer.other_rule):
        label = "Best overall response, confirmed" if best.confirmed else "Best overall response, unconfirmed"
        yield from _rates((None, label), best.rates, best.counts, (best.counts.missing, None, None, None, None))


def _rates(place: Line, rates: Sequence[Rate], counts: ResponseCounts, missing: Line) -> Iterator[Line]:
    told = tuple(getattr(counts, name) for name in ResponseCounts.model_fields)
    for rate in rates:
        part = (rate.denominator, rate.n, rate.responders, rate.percent)
        yield *place, *part, *_interval(rate.interval), *_interval(rate.wilson_interval), *told, *missing


_READINGS = (
    *("participant_id", "subject_number", "best", "best_confirmed", "progressed_on_day", "contradiction"),
    *("assessment_id", "assessed_on", "day", "visit", "response", "assigned", "overridden", "after_new_therapy"),
)


def responses_of_participants(answer: ResponseRates) -> Sheet:
    """A line per assessment, with what the participant's responses amount to."""
    return Sheet("responses", _READINGS, _reading_lines(answer))


def _reading_lines(answer: ResponseRates) -> Iterator[Line]:
    for who in answer.participants:
        place = tuple(getattr(who, name) for name in _READINGS[:6])
        for assessment in who.assessments:
            yield *place, *(getattr(assessment, name) for name in _READINGS[6:])
        if not who.assessments:
            yield *place, *[None] * len(_READINGS[6:])


_COUNTS = tuple(BestCounts.model_fields)
_BEST = (
    *("grouped_by", "group", "infused", "evaluable", "confirmed", "outcome", "denominator", "n", "n_with", "percent"),
    *("lower", "upper", "wilson_lower", "wilson_upper", *_COUNTS),
)


def best_responses(answer: BestResponses) -> Sheet:
    """A line per group, rule, outcome (objective response, disease control) and denominator."""
    return Sheet("best-response", _BEST, _best_lines(answer))


def _best_lines(answer: BestResponses) -> Iterator[Line]:
    for group in answer.groups:
        for rule in group.rules:
            place = (group.grouped_by, group.group, group.infused, group.evaluable, rule.confirmed)
            counts = tuple(getattr(rule.counts, name) for name in _COUNTS)
            shares = [
                *(("objective-response", each.responders, each) for each in rule.rates),
                *(("disease-control", each.controlled, each) for each in rule.disease_control),
            ]
            for outcome, part, each in shares:
                told = (outcome, each.denominator, each.n, part, each.percent)
                yield *place, *told, *_interval(each.interval), *_interval(each.wilson_interval), *counts


def _interval(interval: ConfidenceInterval | None) -> Line:
    return (None, None) if interval is None else (interval.lower, interval.upper)


_OF_PARTICIPANT = tuple(name for name in ParticipantBest.model_fields if name != "rules")
_OF_RULE = tuple(BestOfParticipant.model_fields)


def best_of_participants(answer: BestResponses) -> Sheet:
    """A line per participant and rule."""
    rows = (
        (*(getattr(who, name) for name in _OF_PARTICIPANT), *(getattr(rule, name) for name in _OF_RULE))
        for who in answer.participants
        for rule in who.rules
    )
    return Sheet("best-response-participants", (*_OF_PARTICIPANT, *_OF_RULE), rows)


_BY_CRITERIA = (
    *("participant_id", "subject_number", "tumour_type", "assessment_id", "assessed_on", "day", "visit"),
    *("criteria", "deciding", "response", "best", "differs", "reported"),
)


def by_criteria(answer: ResponsesByCriteria) -> Sheet:
    """A line per assessment and set of criteria; `differs`: the participant's category depends on the set."""
    return Sheet("response-by-criteria", _BY_CRITERIA, _criteria_lines(answer))


def _criteria_lines(answer: ResponsesByCriteria) -> Iterator[Line]:
    for who in answer.participants:
        for each in who.assessments:
            place = (who.participant_id, who.subject_number, who.tumour_type)
            at = (each.assessment_id, each.assessed_on, each.day, each.visit)
            said = {told.criteria: told.response for told in each.reported}
            for name, response in {answer.deciding: each.response, **each.supportive}.items():
                by_set = name, name == answer.deciding, response, who.best.get(name), who.differs
                yield *place, *at, *by_set, said.get(name)


_GROUP = ("endpoint", "grouped_by", "group", "infused", "evaluable", "n", "events", "censored")
_LIMITS = ("log_log_lower", "log_log_upper", "log_lower", "log_upper")


def survival(answer: Survival) -> Sheet:
    """A line per group, with the median and its intervals."""
    rows = (
        (
            *_place(answer, group),
            [f"{each.ending}: {each.n}" for each in group.endings],
            *(group.median.days, *_ends(group.median.log_log), *_ends(group.median.log)),
        )
        for group in answer.groups
    )
    return Sheet(f"survival-{answer.endpoint}", (*_GROUP, "endings", "median_days", *_LIMITS), rows)


def survival_at_time_points(answer: Survival) -> Sheet:
    """A line per group and time point."""
    rows = (
        (*_place(answer, group), point.label, point.day, point.at_risk, *_estimate(point.estimate))
        for group in answer.groups
        for point in group.time_points
    )
    columns = (*_GROUP, "label", "day", "at_risk", "survival", *_LIMITS)
    return Sheet(f"survival-{answer.endpoint}-time-points", columns, rows)


def survival_curves(answer: Survival) -> Sheet:
    """A line per group and step of its curve."""
    rows = (
        (
            *(answer.endpoint, group.grouped_by, group.group),
            *(step.day, step.at_risk, step.events, step.censored, *_estimate(step)),
        )
        for group in answer.groups
        for step in group.curve
    )
    columns = ("endpoint", "grouped_by", "group", "day", "at_risk", "events", "censored", "survival", *_LIMITS)
    return Sheet(f"survival-{answer.endpoint}-curve", columns, rows)


def times(answer: Survival) -> Sheet:
    """A line per participant in the analysis."""
    columns = tuple(ParticipantTime.model_fields)
    rows = ((answer.endpoint, *(getattr(who, name) for name in columns)) for who in answer.participants)
    return Sheet(f"survival-{answer.endpoint}-participants", ("endpoint", *columns), rows)


def _place(answer: Survival, group: GroupSurvival) -> Line:
    return answer.endpoint, *(getattr(group, name) for name in _GROUP[1:])


def _estimate(estimate: Estimate | None) -> Line:
    if estimate is None:
        return (None,) * 5
    return estimate.survival, *_ends(estimate.log_log), *_ends(estimate.log)


def _ends(limits: MedianLimits | ProbabilityLimits | None) -> Line:
    return (None, None) if limits is None else (limits.lower, limits.upper)
