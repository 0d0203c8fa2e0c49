"""The swimmer plot: each participant's time on study, with responses, infusions, serious adverse events and its end."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from statistics import median

from services.projector.domain.time_on_study import Milestone, TimeOnStudy
from services.projector.plots.specification import Row, Specification, between, filled, legend
from services.projector.plots.time_axis import time_axis
from services.projector.plots.wording import Context, counted, days, people

NAME = "swimmer"
HEIGHT, LEAST_STEP, MOST_STEP = 900, 12.0, 32.0  # pixels
EMPTY_HEIGHT = 160
ENDS = {Milestone.DEATH, Milestone.LEFT, Milestone.COMPLETED, Milestone.ON_STUDY}


def swimmer(context: Context, times: Sequence[TimeOnStudy]) -> Specification:
    """The figure: everybody infused, the longest on study first."""
    step = between(LEAST_STEP, HEIGHT / max(len(times), 1), MOST_STEP)
    first = min((each.begins for each in times), default=0)
    last = max((max(each.ends, *(mark.day for mark in each.marks)) for each in times), default=90)
    marks = [row for each in times for row in _marks(each)]
    made = filled(
        NAME,
        title=f"{context.protocol.protocol_id}: time on study since infusion",
        subtitle=[_who_reads(context), f"{people(len(times))} infused, {context.as_of}."],
        description=_described(context, times),
        params={
            "step": step,
            "shown": legend({row["mark"] for row in marks}, [each.value for each in Milestone]),
            **time_axis(first, last, room=0.03).params,
        },
        datasets={"bars": [_bar(each) for each in times], "marks": marks},
    )
    made["height"] = {"step": step} if times else EMPTY_HEIGHT
    if not times:
        made["datasets"]["empty"] = [{"words": "Nobody has been infused yet."}]
    return made


def _who_reads(context: Context) -> str:
    criteria, reader = context.protocol.response.criteria.value, context.evaluator.replace("-", " ")
    return f"Responses by {criteria}, read by the {reader}; serious adverse events above the line of responses."


def _bar(time: TimeOnStudy) -> Row:
    return {
        "participant": time.subject_number,
        "begins": time.begins,
        "ends": time.ends,
        "days": time.ends - time.begins,
    }


def _marks(time: TimeOnStudy) -> Iterator[Row]:
    """A row per mark; what is of one kind and one day is one mark."""
    ordered = sorted(time.marks, key=lambda mark: (mark.day, mark.kind.value))
    for (day, kind), together in groupby(ordered, key=lambda mark: (mark.day, mark.kind)):
        yield {
            "participant": time.subject_number,
            "day": day,
            "mark": kind.value,
            "lane": _lane(kind),
            "what": ", ".join(dict.fromkeys(mark.what for mark in together)),
        }


def _lane(kind: object) -> str:
    if kind is Milestone.SERIOUS_ADVERSE_EVENT:
        return "above"
    return "end" if kind in ENDS else "below"


def _described(context: Context, times: Sequence[TimeOnStudy]) -> str:
    """The main numbers in words, for who cannot see the figure."""
    if not times:
        return "An empty swimmer plot. Nobody has been infused yet."
    lengths = [each.ends - each.begins for each in times]
    ended = {kind: sum(each.counts(kind) > 0 for each in times) for kind in Milestone}
    serious = sum(each.counts(Milestone.SERIOUS_ADVERSE_EVENT) for each in times)
    responses = [mark.kind.value for each in times for mark in each.marks if not isinstance(mark.kind, Milestone)]
    return (
        f"Swimmer plot of {people(len(times))} infused: one bar each from the first infusion to the end of follow-up, "
        f"or to {context.as_of}. "
        f"Longest {days(lengths[0])} ({times[0].subject_number}), shortest {days(lengths[-1])} "
        f"({times[-1].subject_number}), median {median(lengths):g} days. "
        f"{ended[Milestone.ON_STUDY]} still on study, {ended[Milestone.DEATH]} died, {ended[Milestone.LEFT]} left the "
        f"study, {ended[Milestone.COMPLETED]} completed follow-up. "
        f"{serious} serious adverse events in {people(ended[Milestone.SERIOUS_ADVERSE_EVENT])}. "
        f"{ended[Milestone.NEW_THERAPY]} began a new anticancer therapy. "
        f"Responses at assessments: {counted(responses) or 'none'}."
    )
