"""What the parts of a protocol owe each other: no part can see this by itself."""

from collections.abc import Iterable, Iterator
from itertools import combinations, pairwise

from shared.protocol.long_term import DAYS_OF_A_YEAR
from shared.protocol.model import Protocol
from shared.protocol.safety import Escalation, GradingBaseline
from shared.protocol.strict_yaml import Place
from shared.protocol.visits import Assessment, OutcomeMeasure, TimePoint, Visit

Problem = tuple[Place, str]


def disagreements(protocol: Protocol) -> Iterator[Problem]:
    """Every place where one part of the protocol contradicts another, and how."""
    yield from _repeated("visits", (visit.code for visit in protocol.visits))
    yield from _repeated("outcome_measures", (measure.id for measure in protocol.outcome_measures))
    yield from _repeated("eligibility", (criterion.id for criterion in protocol.eligibility))
    yield from _repeated("clocks", (clock.id for clock in protocol.clocks))
    yield from _repeated("cytokines.analytes", (analyte.key for analyte in protocol.cytokines.analytes))
    yield from _repeated("causality.agents", protocol.causality.agents.value)
    if protocol.dosing is not None:
        yield from _repeated("dosing.levels.value", (level.name for level in protocol.dosing.levels.value))
    if protocol.lymphodepletion is not None:
        yield from _repeated("lymphodepletion.drugs", protocol.lymphodepletion.drugs.value)
    if protocol.product is not None:
        yield from _repeated("product.release_tests", (test.id for test in protocol.product.release_tests))
        yield from _repeated(
            "product.transport.value", (limits.transport for limits in protocol.product.transport.value)
        )
    aesi = protocol.car_t_toxicity.special_interest
    yield from _repeated("car_t_toxicity.special_interest", (each.id for each in aesi))
    yield from _repeated("dose_limiting.rules", (rule.id for rule in protocol.dose_limiting.rules))
    yield from _repeated("dose_limiting.exclusions", (each.id for each in protocol.dose_limiting.exclusions))
    yield from _repeated("stopping.rules", (rule.id for rule in protocol.stopping.rules))
    yield from _visits_out_of_order(protocol)
    yield from _long_term_before_the_last_visit(protocol)
    for assessment in Assessment:
        yield from _overlaps(protocol, assessment)
    for index, measure in enumerate(protocol.outcome_measures):
        place: Place = ("outcome_measures", index, "time_points")
        yield from _time_points_without_a_visit(protocol, measure, place)
        yield from _time_points_out_of_order(protocol, measure, place)
    yield from _unknown_analytes(protocol)
    yield from _unknown_agents(protocol)
    yield from _baseline_before_nothing(protocol)
    yield from _escalation_of_other_levels(protocol)


def _repeated(part: str, codes: Iterable[str]) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for index, code in enumerate(codes):
        if code in first:
            yield (*part.split("."), index), f"{code} is there already, at {part}.{first[code]}"
        first.setdefault(code, index)


def _visits_out_of_order(protocol: Protocol) -> Iterator[Problem]:
    for index, (earlier, later) in enumerate(pairwise(protocol.visits), start=1):
        if (later.day, not later.before_infusion) <= (earlier.day, not earlier.before_infusion):
            yield (
                ("visits", index, "nominal_day"),
                f"{later.code} on day {later.day} does not follow {earlier.code} on day {earlier.day}",
            )


def _long_term_before_the_last_visit(protocol: Protocol) -> Iterator[Problem]:
    plan, last = protocol.long_term_follow_up, protocol.visits[-1]
    if plan is not None and plan.first_year.value * DAYS_OF_A_YEAR - plan.window.value.minus <= last.last_day:
        yield ("long_term_follow_up", "first_year"), f"its window begins before that of {last.code} ends"


def _overlaps(protocol: Protocol, assessment: Assessment) -> Iterator[Problem]:
    asking = [(index, visit) for index, visit in enumerate(protocol.visits) if assessment in visit.due]
    for (_, one), (index, other) in combinations(asking, 2):
        if one.first <= other.last and other.first <= one.last:
            windows = f"the window of {other.code}, {_days(other)}, overlaps that of {one.code}, {_days(one)}"
            yield ("visits", index, "window"), f"{windows}, and both are due for {assessment}"


def _days(visit: Visit) -> str:
    return f"days {visit.first_day} to {visit.last_day}"


def _time_points_without_a_visit(protocol: Protocol, measure: OutcomeMeasure, place: Place) -> Iterator[Problem]:
    visits = {visit.code: visit for visit in protocol.visits}
    for index, point in enumerate(measure.time_points):
        here = (*place, index)
        visit = visits.get(point.visit)
        if visit is None:
            yield here, f"{point.label!r} has no visit: there is no {point.visit}"
        elif measure.assessment not in visit.due:
            yield here, f"{point.label!r} has no visit: {visit.code} is not due for {measure.assessment}"
        elif point.before_infusion != visit.before_infusion:
            yield here, f"{point.label!r} and {visit.code} lie on two sides of the infusion"
        elif not point.before_infusion:
            yield from _wrong_day(protocol, point, visit, here)


def _wrong_day(protocol: Protocol, point: TimePoint, visit: Visit, here: Place) -> Iterator[Problem]:
    months = protocol.schedule.months_to_days.value
    day = point.days if point.months is None else months.get(point.months)
    if day is None:
        yield here, f"schedule.months_to_days does not say how many days {point.months} months are"
    elif day != visit.day:
        yield here, f"{point.label!r} is day {day}, yet its visit {visit.code} is on day {visit.day}"


def _time_points_out_of_order(protocol: Protocol, measure: OutcomeMeasure, place: Place) -> Iterator[Problem]:
    order = {visit.code: index for index, visit in enumerate(protocol.visits)}
    known = [(index, point) for index, point in enumerate(measure.time_points) if point.visit in order]
    for (_, earlier), (index, later) in pairwise(known):
        if order[later.visit] <= order[earlier.visit]:
            yield (*place, index), f"{later.label!r} does not follow {earlier.label!r}"


def _unknown_analytes(protocol: Protocol) -> Iterator[Problem]:
    panel = [analyte.key for analyte in protocol.cytokines.analytes]
    for key in protocol.cytokines.flag_after_tocilizumab.value:
        if key not in panel:
            known = ", ".join(panel) or "empty"
            yield ("cytokines", "flag_after_tocilizumab"), f"unknown analyte {key}; the panel is {known}"


def _baseline_before_nothing(protocol: Protocol) -> Iterator[Problem]:
    before_lymphodepletion = GradingBaseline.LAST_BEFORE_LYMPHODEPLETION
    if protocol.lymphodepletion is None and protocol.ctcae.baseline.value is before_lymphodepletion:
        yield ("ctcae", "baseline"), "the protocol has no lymphodepletion that a baseline could lie before"


def _escalation_of_other_levels(protocol: Protocol) -> Iterator[Problem]:
    escalation, dosing = protocol.dose_escalation, protocol.dosing
    if escalation is None:
        return
    if dosing is None:
        yield ("dose_escalation",), "there are no dose levels to escalate: the protocol has no dosing"
        return
    known = [level.name for level in dosing.levels.value]
    if escalation.start_level.value not in known:
        yield (
            ("dose_escalation", "start_level"),
            f"unknown dose level {escalation.start_level.value}; dosing.levels has {', '.join(known)}",
        )
    if dosing.escalation.value is Escalation.BOIN and escalation.target.value is None:
        yield ("dose_escalation", "target"), "BOIN aims at a rate of dose-limiting toxicity: give it"
    if escalation.cohort_size.value > escalation.max_per_level.value:
        yield ("dose_escalation", "cohort_size"), "a cohort is larger than what is treated at one level"


def _unknown_agents(protocol: Protocol) -> Iterator[Problem]:
    asked: list[tuple[Place, str | None]] = [
        (("dose_limiting", "rules", index, "related_to"), rule.related_to)
        for index, rule in enumerate(protocol.dose_limiting.rules)
    ]
    asked += [
        (("stopping", "rules", index, "event", "related_to"), rule.event.related_to)
        for index, rule in enumerate(protocol.stopping.rules)
        if rule.event is not None
    ]
    known = protocol.causality.agents.value
    for place, agent in asked:
        if agent is not None and agent not in known:
            yield place, f"unknown agent {agent}; causality.agents has {', '.join(known)}"
