"""The figure of one participant's course: what it rests on, and how its series are read."""

from asyncio import to_thread
from collections.abc import Iterable
from datetime import datetime

from services.projector.car_t_samples import sample_of
from services.projector.cytokine_tables import OF_CYTOKINES, anticytokines, drawn_of
from services.projector.domain.clinical_course import (
    ClinicalCourse,
    Clock,
    Grade,
    Point,
    cytokine_points,
    grade,
    level_of,
    support,
    temperature,
)
from services.projector.plots.course import course
from services.projector.plots.specification import Specification
from services.projector.plots.wording import Context
from services.projector.reading import Found, Question, Reading, Readings
from services.projector.readmodels import flow_results, participants, toxicity_episodes
from services.projector.readmodels.toxicity_episodes import ToxicityEpisode
from shared.contracts.biomarkers import FlowSpecimenType
from shared.contracts.efficacy_terms import Evaluator
from shared.contracts.safety_episodes import CrsObservation, EpisodeKind

_SHOWN: dict[EpisodeKind, Grade] = {EpisodeKind.CRS: "CRS", EpisodeKind.ICANS: "ICANS"}
_OF_COURSE = (*OF_CYTOKINES, flow_results.PROJECTION)


class CourseFigures(Readings):
    """The course of one participant as a Vega-Lite specification with its data."""

    async def course(self, question: Question, until_day: int | None = None) -> Found[Specification]:
        """Up to a day; without one, as far as cytokines are taken.

        Raises:
            NoSuchParticipant.
        """
        async with self._reading(question, *_OF_COURSE) as reading:
            who = await participants.one(reading.connection, reading.scope)
            episodes = await toxicity_episodes.of(reading.connection, who.participant_id)
            told = ClinicalCourse(who.subject_number, infused=False)
            if who.day_zero is not None:
                told = await self._told(reading, who.subject_number, who.day_zero, episodes)
        context = Context(self.protocol, Evaluator.INVESTIGATOR.value, reading.today)
        return reading.found(await to_thread(course, context, told, until_day))

    async def _told(
        self, reading: Reading, subject_number: str, day_zero: datetime, episodes: Iterable[ToxicityEpisode]
    ) -> ClinicalCourse:
        clock = Clock(day_zero)
        standing = sorted((each for each in episodes if not each.retracted), key=lambda each: each.onset)
        crs = [
            (each.observed_at, CrsObservation.model_validate(each.observation))
            for episode in standing
            if episode.kind is EpisodeKind.CRS
            for each in episode.series
        ]
        counts = await flow_results.that_count(reading.connection, reading.scope, FlowSpecimenType.BLOOD)
        samples = sorted((sample_of(row, None) for row in counts), key=lambda each: each.collected_at)
        return ClinicalCourse(
            subject_number=subject_number,
            infused=True,
            temperature=tuple(point for at, seen in crs for point in temperature(clock, at, seen)),
            support=tuple(point for at, seen in crs for point in support(clock, at, seen)),
            grades=tuple(_grades(clock, standing)),
            cells=tuple(
                point
                for each in samples
                if each.value is not None
                for point in level_of(clock, each.collected_at, "CAR-T cells", each.value)
            ),
            cytokines=tuple(cytokine_points(clock, await drawn_of(reading, self.protocol))),
            drugs=tuple(Point(clock.day(each.given_at), "Given", each.treatment) for each in anticytokines(standing)),
        )


def _grades(clock: Clock, episodes: Iterable[ToxicityEpisode]) -> Iterable[Point]:
    """ASTCT grades of CRS and ICANS; IEC-HS has no grade of either syndrome."""
    for episode in episodes:
        what = _SHOWN.get(episode.kind)
        if what is not None:
            for seen in episode.series:
                yield from grade(clock, seen.observed_at, what, seen.astct_grade, str(episode.episode_id))
