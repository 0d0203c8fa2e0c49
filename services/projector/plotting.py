"""Questions whose answers are figures. Each figure names the read models that it is built from."""

from asyncio import to_thread
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from services.projector.application import best_of, responses_of
from services.projector.car_t_samples import of_series, quantity_of, samples_of
from services.projector.cohorts import OF_RESPONSES, assessed_of, cohort_of
from services.projector.cytokine_tables import OF_CYTOKINES, drawn_of
from services.projector.domain.car_t_series import Quantity, Series
from services.projector.domain.count_course import count_courses
from services.projector.domain.cytokine_levels import Drawn, placed_series
from services.projector.domain.persistence import persistence
from services.projector.domain.review_change import Reader, review_changes
from services.projector.domain.time_on_study import Followed, SeriousEvent, times_on_study
from services.projector.domain.tumour_change import ChangeCourse, SumChange, change_courses
from services.projector.plots import cytokines, kinetics, spider, swimmer, waterfall
from services.projector.plots.specification import Specification
from services.projector.plots.wording import Context
from services.projector.reading import Found, Question, Reading, Readings
from services.projector.readmodels import adverse_events, participants, tumour_changes
from services.projector.readmodels.participants import ENDINGS
from shared.contracts.biomarkers import FlowSpecimenType
from shared.contracts.efficacy_terms import Evaluator
from shared.kernel.errors import NotFound
from shared.projection import Projection
from shared.protocol import MeasureId, Protocol

OF_REVIEW = Evaluator.INDEPENDENT_REVIEW
BLINDED = (Evaluator.INDEPENDENT_READER_1, Evaluator.INDEPENDENT_READER_2)


class NoSuchFigure(NotFound):
    """There is no figure of this name; the message names those that there are."""


BLOOD = quantity_of(Series.FLOW, FlowSpecimenType.BLOOD)


@dataclass(frozen=True, slots=True)
class Shown:
    """What is to be shown: whose readings, (of kinetics) which series in which compartment, (of cytokines) how far."""

    evaluator: Evaluator = Evaluator.INVESTIGATOR
    quantity: Quantity = BLOOD
    until_day: int | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure: the outcome that it shows, the read models it is built from, and how."""

    measure: MeasureId
    projections: tuple[Projection, ...]
    make: Callable[[Reading, Protocol, Shown], Awaitable[Specification]]


async def _of_changes(
    draw: Callable[[Context, list[ChangeCourse]], Specification],
    reading: Reading,
    protocol: Protocol,
    shown: Shown,
) -> Specification:
    """A figure of how the tumours changed."""
    evaluator = shown.evaluator
    cohort, rates = await responses_of(reading, protocol, evaluator)
    changes = await _changes_of_review(reading) if evaluator is OF_REVIEW else await _changes(reading, evaluator)
    courses = change_courses(protocol, cohort, rates, changes)
    return await to_thread(draw, Context(protocol, evaluator.value, reading.today), courses)


async def _changes(reading: Reading, evaluator: Evaluator) -> dict[UUID, SumChange]:
    known = await tumour_changes.known(reading.connection, reading.scope, evaluator.value)
    return {row["assessment_id"]: SumChange(row["percent_from_baseline"], row["baseline_on"]) for row in known}


async def _changes_of_review(reading: Reading) -> dict[UUID, SumChange]:
    """The review measures nothing itself: the changes are those of the readings that its responses are taken from."""
    readers = [Reader(await assessed_of(reading, each), await _changes(reading, each)) for each in BLINDED]
    return review_changes(await assessed_of(reading, OF_REVIEW), readers)


async def _of_time(reading: Reading, protocol: Protocol, shown: Shown) -> Specification:
    evaluator = shown.evaluator
    cohort, rates = await responses_of(reading, protocol, evaluator)
    serious = await _serious(reading)
    given = await participants.given(reading.connection, reading.scope)
    endings = {
        row["participant_id"]: {status: row[column] for status, column in ENDINGS.items()}
        for row in await participants.infused(reading.connection, reading.scope)
    }
    responding = {each.participant_id: each for each in rates.participants}
    everybody = [
        Followed(
            infused=each,
            responses=responding[each.participant_id],
            infusions=given.get(each.participant_id, ()),
            endings=endings[each.participant_id],
            serious=serious[each.participant_id],
        )
        for each in cohort
    ]
    times = times_on_study(protocol, everybody, reading.today)
    return await to_thread(swimmer.swimmer, Context(protocol, evaluator.value, reading.today), times)


async def _of_counts(reading: Reading, protocol: Protocol, shown: Shown) -> Specification:
    """Cells or copies in one compartment over time."""
    cohort = await cohort_of(reading)
    best = await best_of(reading, protocol, shown.evaluator)
    samples = await samples_of(reading, shown.quantity)
    table = await to_thread(persistence, protocol, cohort, samples, quantity=shown.quantity)
    context = Context(protocol, shown.evaluator.value, reading.today)
    return await to_thread(kinetics.kinetics, context, count_courses(table, best), shown.quantity)


async def _of_cytokines(reading: Reading, protocol: Protocol, shown: Shown) -> Specification:
    """Each analyte of each participant over time."""
    evaluator = shown.evaluator
    cohort = await cohort_of(reading)
    best = await best_of(reading, protocol, evaluator)
    told = await drawn_of(reading, protocol)
    courses = [
        cytokines.AnalyteCourse(
            who.subject_number,
            best[who.participant_id],
            analyte.name,
            tuple(
                cytokines.LevelAt(placed.moment.day, value.number, value.beyond)
                for placed in placed_series(protocol, who, _of(told, who.participant_id, analyte.key))
                if (value := placed.drawn.value).number
            ),
        )
        for analyte in protocol.cytokines.analytes
        for who in cohort
    ]
    context = Context(protocol, evaluator.value, reading.today)
    return await to_thread(cytokines.cytokines, context, courses, shown.until_day)


def _of(told: Iterable[Drawn], participant_id: UUID, analyte: str) -> list[Drawn]:
    return [each for each in told if (each.participant_id, each.measured.analyte) == (participant_id, analyte)]


async def _serious(reading: Reading) -> Mapping[UUID, list[SeriousEvent]]:
    found: dict[UUID, list[SeriousEvent]] = defaultdict(list)
    for event in await adverse_events.that_count(reading.connection, reading.scope):
        if event.serious:
            found[event.participant_id].append(SeriousEvent(event.term, event.grades))
    return found


_OF_CHANGES = (*OF_RESPONSES, tumour_changes.PROJECTION)
_OF_COUNTS = tuple(dict.fromkeys((*OF_RESPONSES, *of_series(Series.FLOW), *of_series(Series.TRANSGENE))))
_OF_LEVELS = tuple(dict.fromkeys((*OF_RESPONSES, *OF_CYTOKINES)))
_OF_TIME = (*OF_RESPONSES, adverse_events.PROJECTION)

FIGURES: Mapping[str, Figure] = {
    waterfall.NAME: Figure(MeasureId.RESPONSE_RATE, _OF_CHANGES, partial(_of_changes, waterfall.waterfall)),
    spider.NAME: Figure(MeasureId.RESPONSE_RATE, _OF_CHANGES, partial(_of_changes, spider.spider)),
    swimmer.NAME: Figure(MeasureId.RESPONSE_RATE, _OF_TIME, _of_time),
    kinetics.NAME: Figure(MeasureId.PERSISTENCE, _OF_COUNTS, _of_counts),
    cytokines.NAME: Figure(MeasureId.CYTOKINES, _OF_LEVELS, _of_cytokines),
}


class Figures(Readings):
    """The figures that people look at, as Vega-Lite specifications with their data."""

    async def figure(self, name: str, question: Question, shown: Shown) -> Found[Specification]:
        """Raises: NoSuchFigure, NoSuchOutcome."""
        figure = FIGURES.get(name)
        if figure is None:
            raise NoSuchFigure(f"there is no such figure; there are {', '.join(FIGURES)}")
        self._require(figure.measure)
        async with self._reading(question, *figure.projections) as reading:
            return reading.found(await figure.make(reading, self.protocol, shown))
