"""Counts of responses, and the rates of response and of disease control out of stated denominators."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from pydantic import Field

from services.projector.domain.figures import ConfidenceInterval, Figure, Percent, confidence_interval, percent
from shared.protocol import Denominator, Protocol
from shared.response.readings import Best, Merit, is_disease_control, is_response, merit
from shared.statistics.proportions import IntervalMethod

_COUNTED_UNDER = {
    Merit.CR: "cr",
    Merit.PR: "pr",
    Merit.MR: "mr",
    Merit.SD: "sd",
    Merit.NON_CR_NON_PD: "non_cr_non_pd",
    Merit.PD: "pd",
    Merit.UNCONFIRMED_PD: "pd",
    Merit.NE: "ne",
    Merit.ND: "ne",
    Merit.MISSING: "missing",
}


class ResponseCounts(Figure):
    """Participants by overall response (RSTESTCD OVRLRESP, RSSTRESC), those of iRECIST under their counterparts."""

    cr: int
    pr: int
    mr: int
    sd: int
    non_cr_non_pd: int
    pd: int
    ne: int


class BestCounts(ResponseCounts):
    """Participants by best overall response."""

    missing: int = Field(description="Without any assessment after the infusion")


class Proportion(Figure):
    """A share of a stated denominator, with its exact (Clopper-Pearson) and its Wilson interval."""

    denominator: Denominator
    n: int
    percent: Percent | None
    interval: ConfidenceInterval | None
    wilson_interval: ConfidenceInterval | None


class Rate(Proportion):
    """Responders, CR or PR. MR is none."""

    responders: int


class DiseaseControlRate(Proportion):
    """Those with CR, PR, MR, SD or NON-CR/NON-PD."""

    controlled: int


def response_counts(responses: Iterable[Best]) -> ResponseCounts:
    return ResponseCounts(**_counted(ResponseCounts, responses))


def best_counts(best: Iterable[Best]) -> BestCounts:
    return BestCounts(**_counted(BestCounts, best))


def _counted(model: type[ResponseCounts], responses: Iterable[Best]) -> dict[str, int]:
    counted = Counter(_COUNTED_UNDER[merit(response)] for response in responses)
    return {name: counted[name] for name in model.model_fields}


def response_rates_of(
    protocol: Protocol, responses: Iterable[Best], denominators: Mapping[Denominator, int]
) -> tuple[Rate, ...]:
    """The rate of objective response, out of each denominator of the protocol."""
    responders = _number(responses, is_response)
    return tuple(
        Rate(responders=responders, **_proportion(name, responders, denominators[name]))
        for name in protocol.response.denominators.value
    )


def disease_control_rates(
    protocol: Protocol, best: Iterable[Best], denominators: Mapping[Denominator, int]
) -> tuple[DiseaseControlRate, ...]:
    controlled = _number(best, is_disease_control)
    return tuple(
        DiseaseControlRate(controlled=controlled, **_proportion(name, controlled, denominators[name]))
        for name in protocol.response.denominators.value
    )


def _number(responses: Iterable[Best], which: Callable[[Best], bool]) -> int:
    return sum(map(which, responses))


def _proportion(denominator: Denominator, part: int, whole: int) -> dict[str, object]:
    return {
        "denominator": denominator,
        "n": whole,
        "percent": percent(part, whole),
        "interval": confidence_interval(part, whole, IntervalMethod.CLOPPER_PEARSON),
        "wilson_interval": confidence_interval(part, whole, IntervalMethod.WILSON),
    }
