"""Dated responses: their order of merit, which of one day counts, and where progression ends them.

Responses of RECIST and of iRECIST have one order of merit: iCR ranks as CR, iPR as PR, iSD as SD, NON-iCR/NON-iUPD as
NON-CR/NON-PD, iCPD as PD. A minor response lies between PR and SD. iUPD is progression nobody has confirmed: it ends
nothing, and ranks below PD. Source: admiralonco, derive_param_bor and the vignette on iRECIST; the place of MR is
proposed [D].

A date may be known to the month or year alone. Readings are in the order of the first day that each can mean, and a
minimum time has passed only where it has whatever day was meant.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from itertools import groupby
from typing import Literal

from shared.contracts.efficacy_terms import Response
from shared.contracts.terms import earliest, latest

NotDone = Literal["ND"]  # an assessment that did not take place
Missing = Literal["MISSING"]  # no assessment at all
Given = Response | NotDone
Best = Given | Missing

NOT_DONE: NotDone = "ND"
MISSING: Missing = "MISSING"


class Merit(IntEnum):
    """The order in which the best is chosen, best first."""

    CR = 0
    PR = 1
    MR = 2
    SD = 3
    NON_CR_NON_PD = 4
    PD = 5
    UNCONFIRMED_PD = 6
    NE = 7
    ND = 8
    MISSING = 9


_MERITS: dict[Best, Merit] = {
    Response.CR: Merit.CR,
    Response.ICR: Merit.CR,
    Response.PR: Merit.PR,
    Response.IPR: Merit.PR,
    Response.MR: Merit.MR,
    Response.SD: Merit.SD,
    Response.ISD: Merit.SD,
    Response.NON_CR_NON_PD: Merit.NON_CR_NON_PD,
    Response.NON_ICR_NON_IUPD: Merit.NON_CR_NON_PD,
    Response.PD: Merit.PD,
    Response.ICPD: Merit.PD,
    Response.IUPD: Merit.UNCONFIRMED_PD,
    Response.NE: Merit.NE,
    NOT_DONE: Merit.ND,
    MISSING: Merit.MISSING,
}
_OF_IRECIST = frozenset({Response.ICR, Response.IPR, Response.ISD, Response.NON_ICR_NON_IUPD})
_NOTHING_SEEN = frozenset({Merit.NE, Merit.ND, Merit.MISSING})
_WORST_LAST = (
    *(Merit.ND, Merit.NE),
    *(Merit.CR, Merit.PR, Merit.MR, Merit.SD, Merit.NON_CR_NON_PD, Merit.UNCONFIRMED_PD, Merit.PD),
)
_CONTROLLED = frozenset({Merit.CR, Merit.PR, Merit.MR, Merit.SD, Merit.NON_CR_NON_PD})


def merit(response: Best) -> Merit:
    return _MERITS[response]


def is_response(response: Best) -> bool:
    """An objective response: complete or partial. A minor one is none."""
    return merit(response) in {Merit.CR, Merit.PR}


def is_disease_control(response: Best) -> bool:
    """A response, a minor one included, or disease that was stable."""
    return merit(response) in _CONTROLLED


def is_evaluable(response: Best) -> bool:
    """Whether something was seen that could be judged."""
    return merit(response) not in _NOTHING_SEEN


def stable_of(response: Best) -> Response:
    """Stable disease, by the criteria that this response is of."""
    return Response.ISD if response in _OF_IRECIST else Response.SD


@dataclass(frozen=True, slots=True)
class Reading:
    """The response at one assessment. `on` is a date as far as it is known."""

    on: str
    response: Given

    @property
    def merit(self) -> Merit:
        return merit(self.response)

    def __str__(self) -> str:
        return f"{self.response} on {self.on}"


def days_for_certain(since: str, until: str) -> int:
    """The fewest days that can lie between two dates as far as they are known."""
    return (earliest(until) - latest(since)).days


def in_order(readings: Iterable[Reading]) -> tuple[Reading, ...]:
    """In order of time, one for each date: the worst of those that could be evaluated.

    Source: admiralonco, vignette on iRECIST, "Flag Worst Assessment at Each Date".
    """
    ordered = sorted(readings, key=_when)
    return tuple(max(of_one_date, key=_weight) for _, of_one_date in groupby(ordered, key=_when))


def _when(reading: Reading) -> tuple[date, date]:
    return earliest(reading.on), latest(reading.on)


def _weight(reading: Reading) -> tuple[int, str]:
    """Greatest for what counts among readings of one date."""
    return _WORST_LAST.index(reading.merit), reading.response


def up_to_progression(ordered: Sequence[Reading]) -> tuple[Reading, ...]:
    """The readings up to and with the first progression: PD, or iCPD. Nothing after it counts."""
    first = next((place for place, each in enumerate(ordered) if each.merit is Merit.PD), len(ordered))
    return tuple(ordered[: first + 1])


def progression(ordered: Sequence[Reading]) -> Reading | None:
    """The reading that dates the first progression.

    A confirmed progression of iRECIST is dated at the first iUPD of those that led to it, with nothing but NE between;
    so is one that nobody could confirm, because nothing evaluable followed.

    Source: iRECIST (Seymour 2017), date of progression.
    """
    counting = [each for each in up_to_progression(ordered) if is_evaluable(each.response)]
    if not counting or counting[-1].merit not in {Merit.PD, Merit.UNCONFIRMED_PD}:
        return None
    dated = len(counting) - 1
    if counting[-1].response is not Response.PD:
        while dated > 0 and counting[dated - 1].merit is Merit.UNCONFIRMED_PD:
            dated -= 1
    return counting[dated]


def contradiction(ordered: Sequence[Reading]) -> tuple[Reading, Reading] | None:
    """A partial response after a complete one, with that complete one; the first such pair.

    What was left means that the complete response was none; what came back, that the disease progressed.
    Source: RECIST 1.1, table 3, footnote; admiralonco, signal_crpr. It is told, not settled.
    """
    complete: Reading | None = None
    for reading in ordered:
        if reading.merit is Merit.CR and complete is None:
            complete = reading
        if reading.merit is Merit.PR and complete is not None:
            return complete, reading
    return None
