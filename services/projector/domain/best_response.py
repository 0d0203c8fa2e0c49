"""Best overall response: what a participant's responses amount to.

Order CR, PR, SD, PD, NE. Nothing after the first progression counts. Stable disease must have lasted for the
protocol's minimum time from day 0, else it is not evaluable. With confirmation, a complete response needs a second
one, and a partial response a second that is partial or complete, the protocol's days later or more, with nothing
worse between than an assessment that was not evaluable [D]; unconfirmed, it counts as stable disease that lasted until
then. A partial response after a complete one is a contradiction: residual disease means that the complete response
was none, its return that the disease progressed. It is told, not settled here.

Source: RECIST 1.1, section 4.4 and table 3; the parameters are settings of the protocol.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from shared.contracts.efficacy import Response
from shared.protocol import ResponseCriteria

ORDER = (Response.CR, Response.PR, Response.SD, Response.PD, Response.NE)
RESPONDERS = frozenset({Response.CR, Response.PR})
AT_LEAST = {Response.CR: frozenset({Response.CR}), Response.PR: RESPONDERS}


@dataclass(frozen=True, slots=True)
class Reading:
    """The response that counts at one assessment after the infusion, by study day."""

    day: int
    response: Response


def up_to_progression(readings: Sequence[Reading]) -> tuple[Reading, ...]:
    """The readings that count, in order of time: up to and with the first progression."""
    ordered = sorted(readings, key=lambda reading: reading.day)
    first = next((place for place, each in enumerate(ordered) if each.response is Response.PD), len(ordered))
    return tuple(ordered[: first + 1])


def best_overall_response(readings: Sequence[Reading], criteria: ResponseCriteria, *, confirmed: bool) -> Response:
    """The best response of one participant; NE where nothing can be said."""
    counting = up_to_progression(readings)
    worth = [_worth(counting, place, criteria, confirmed=confirmed) for place in range(len(counting))]
    return min(worth, key=ORDER.index, default=Response.NE)


def contradicts_itself(readings: Sequence[Reading]) -> bool:
    """Whether a partial response follows a complete one."""
    told = [each.response for each in up_to_progression(readings) if each.response is not Response.NE]
    return any(pair == (Response.CR, Response.PR) for pair in pairwise(told))


def _worth(readings: Sequence[Reading], place: int, criteria: ResponseCriteria, *, confirmed: bool) -> Response:
    """What one reading counts as towards the best."""
    reading = readings[place]
    for wanted in (Response.CR, Response.PR):
        if reading.response in AT_LEAST[wanted] and (
            not confirmed or _is_confirmed(readings, place, AT_LEAST[wanted], criteria.confirmation_minimum_days.value)
        ):
            return wanted
    if reading.response in {Response.PD, Response.NE}:
        return reading.response
    return Response.SD if reading.day >= criteria.sd_minimum_days.value else Response.NE


def _is_confirmed(readings: Sequence[Reading], place: int, by: frozenset[Response], minimum_days: int) -> bool:
    for later in readings[place + 1 :]:
        if later.response in by and later.day - readings[place].day >= minimum_days:
            return True
        if later.response not in by and later.response is not Response.NE:
            return False
    return False
