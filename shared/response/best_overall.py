"""Best overall response: what the responses of one participant amount to.

Without confirmation CR, PR and MR count at any time, SD and NON-CR/NON-PD from the minimum time after the reference
date on; before it they are not evaluable. With confirmation an unconfirmed CR, PR or MR counts as SD from that time
on, else as NE. The best is the first of the highest merit: CR, PR, MR, SD, NON-CR/NON-PD, PD, iUPD, NE, not done.

Everything that is sent counts, a response dated before the reference date too; leave out what should not, such as
responses after another anticancer therapy.

Source: admiralonco, derive_param_bor and derive_param_confirmed_bor; RECIST 1.1, section 4.4 and table 3. How merit
extends to MR and to iRECIST is said in `readings`.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from shared.contracts.efficacy_terms import Response
from shared.contracts.terms import earliest
from shared.protocol import Protocol
from shared.response.confirmation import CONFIRMABLE, ConfirmationRule, Verdict, confirmation
from shared.response.readings import (
    MISSING,
    Best,
    Merit,
    Reading,
    contradiction,
    in_order,
    is_response,
    merit,
    progression,
    stable_of,
    up_to_progression,
)


@dataclass(frozen=True, slots=True)
class BestResponseRule:
    """The settings. `confirmation` None: a response needs none. Days are counted from date to date."""

    confirmation: ConfirmationRule | None
    sd_min_days: int
    missing_as_ne: bool
    first_pd_ends: bool

    @classmethod
    def of(cls, protocol: Protocol, *, confirmed: bool) -> "BestResponseRule":
        """As the protocol has it, with or without confirmation."""
        response, endpoints = protocol.response, protocol.endpoints
        confirmation = ConfirmationRule(
            response.confirmation_minimum_days.value,
            endpoints.confirmation_maximum_ne.value,
            endpoints.confirmation_accepts_sd.value,
        )
        return cls(
            confirmation=confirmation if confirmed else None,
            sd_min_days=response.sd_minimum_days.value,
            missing_as_ne=endpoints.missing_as_ne.value,
            first_pd_ends=endpoints.first_progression_ends.value,
        )


@dataclass(frozen=True, slots=True)
class BestResponse:
    """The best response, the date of the assessment that gave it, and how it came about.

    `first_response_on` is the date of the first CR or PR that counts as such under the rule; None: there is none.
    """

    best: Best
    on: str | None
    explanation: str
    first_response_on: str | None
    contradicts_itself: bool


@dataclass(frozen=True, slots=True)
class _Credit:
    """What one reading counts as, and why that is not what it says, or by what it was confirmed."""

    reading: Reading
    counts_as: Best
    remark: str = ""


def best_overall_response(readings: Iterable[Reading], reference: date, rule: BestResponseRule) -> BestResponse:
    """The best response of one participant. `reference` is the day from which stable disease counts."""
    told = tuple(readings)
    ordered = in_order(told)
    counting = up_to_progression(ordered) if rule.first_pd_ends else ordered
    if not counting:
        best: Best = Response.NE if rule.missing_as_ne else MISSING
        return BestResponse(best, None, "No response was given.", None, contradicts_itself=False)
    credited = [_credit(counting, place, reference, rule) for place in range(len(counting))]
    chosen = min(credited, key=lambda credit: merit(credit.counts_as))
    first = next((each.reading.on for each in credited if is_response(each.counts_as)), None)
    remarks = (
        *_of_chosen(chosen, counting),
        *_of_others(credited, chosen),
        *_of_all(told, ordered, counting, reference),
    )
    return BestResponse(
        best=chosen.counts_as,
        on=_dated(chosen, counting),
        explanation=" ".join(remarks),
        first_response_on=first,
        contradicts_itself=contradiction(counting) is not None,
    )


def _credit(readings: Sequence[Reading], place: int, reference: date, rule: BestResponseRule) -> _Credit:
    reading = readings[place]
    verdict = _verdict(readings, place, rule)
    if reading.merit in CONFIRMABLE and (rule.confirmation is None or verdict.by is not None):
        return _Credit(reading, reading.response, _confirmed_by(reading, verdict))
    if reading.merit > Merit.NON_CR_NON_PD:
        return _Credit(reading, reading.response)
    remark = f"{reading} is not confirmed: {verdict.why_not}." if verdict.why_not else ""
    lasted = (earliest(reading.on) - reference).days
    if lasted < rule.sd_min_days:
        too_early = f"{reading} is {lasted} days after {reference}, and {rule.sd_min_days} are asked: not evaluable."
        return _Credit(reading, Response.NE, f"{remark} {too_early}".strip())
    if reading.merit is Merit.NON_CR_NON_PD:
        return _Credit(reading, reading.response)
    stands = f"{remark} It counts as stable disease that lasted until then." if remark else ""
    return _Credit(reading, stable_of(reading.response), stands)


def _verdict(readings: Sequence[Reading], place: int, rule: BestResponseRule) -> Verdict:
    if rule.confirmation is None or readings[place].merit not in CONFIRMABLE:
        return Verdict(None)
    return confirmation(readings, place, rule.confirmation)


def _confirmed_by(reading: Reading, verdict: Verdict) -> str:
    return "" if verdict.by is None else f"{reading} is confirmed by {verdict.by}."


def _dated(chosen: _Credit, counting: Sequence[Reading]) -> str:
    """The date of the assessment; of a progression by iRECIST, of the iUPD that it began with."""
    began = progression(counting) if merit(chosen.counts_as) is Merit.PD else None
    return chosen.reading.on if began is None else began.on


def _of_chosen(chosen: _Credit, counting: Sequence[Reading]) -> Iterator[str]:
    yield f"Best of {len(counting)}: {chosen.counts_as} on {_dated(chosen, counting)}."
    if chosen.remark:
        yield chosen.remark


def _of_others(credited: Sequence[_Credit], chosen: _Credit) -> Iterator[str]:
    """Readings that say something better than the best, and why they do not count as such."""
    for each in credited:
        if each is not chosen and each.reading.merit < merit(chosen.counts_as):
            yield each.remark


def _of_all(
    told: Sequence[Reading], ordered: Sequence[Reading], counting: Sequence[Reading], reference: date
) -> Iterator[str]:
    if len(ordered) < len(told):
        yield "Of several responses on one date the worst that could be evaluated counts."
    if len(counting) < len(ordered):
        yield f"What was read after {counting[-1]} does not count."
    pair = contradiction(counting)
    if pair is not None:
        complete, partial = pair
        yield (
            f"A contradiction, to be queried: {partial} after {complete}. What was left means that the complete "
            "response was none; what came back, that the disease progressed."
        )
    if any(earliest(each.on) < reference for each in counting):
        yield f"Some responses are dated before {reference}; they count as they were sent."
    if any(each.on.count("-") < 2 for each in counting):
        yield "A date that is not known to the day is taken where a minimum time has passed whatever day was meant."
