"""Questions about cytokines: the outcome table, and one participant's course beside the syndrome that they go with."""

from asyncio import to_thread
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import RowMapping

from services.projector.application import responses_of
from services.projector.cohorts import OF_RESPONSES, cohort_of
from services.projector.custody import Custody, custody_of
from services.projector.domain.cytokine_course import CrsSeen, CytokineCourse, Given, cytokine_course
from services.projector.domain.cytokine_levels import (
    AfterTocilizumab,
    CytokineLevels,
    CytokinesBy,
    Drawn,
    cytokine_levels,
)
from services.projector.reading import Found, Question, Reading, Readings
from services.projector.readmodels import cytokine_panels, participants, specimens, toxicity_episodes
from services.projector.readmodels.toxicity_episodes import ToxicityEpisode
from shared.contracts.biomarkers import CytokineFlag, CytokineResult
from shared.contracts.biomarkers_specimens import ResultKind
from shared.contracts.efficacy_terms import Evaluator
from shared.contracts.safety_episodes import MASKS_FEVER, CrsObservation, EpisodeKind, Treatment
from shared.protocol import MeasureId, Protocol
from shared.protocol.fold_change import Measured

OF_CYTOKINES = (
    participants.PROJECTION,
    cytokine_panels.PROJECTION,
    toxicity_episodes.PROJECTION,
    specimens.PROJECTION,
)


class CytokineTables(Readings):
    """The queries. Each names the read models it is built from."""

    async def cytokines(self, question: Question, by: CytokinesBy | None) -> Found[CytokineLevels]:
        """Raises: NoSuchOutcome."""
        self._require(MeasureId.CYTOKINES)
        responses = OF_RESPONSES if by is CytokinesBy.BEST_RESPONSE else ()
        async with self._reading(question, *dict.fromkeys((*OF_CYTOKINES, *responses))) as reading:
            cohort = await cohort_of(reading)
            drawn = await drawn_of(reading, self.protocol)
            best = {}
            if by is CytokinesBy.BEST_RESPONSE:
                _, rates = await responses_of(reading, self.protocol, Evaluator.INVESTIGATOR)
                confirmed = self.protocol.response.confirmation.value
                best = {
                    each.participant_id: each.best_confirmed if confirmed else each.best for each in rates.participants
                }
        return reading.found(await to_thread(cytokine_levels, self.protocol, cohort, drawn, by=by, best=best))

    async def course(self, question: Question) -> Found[CytokineCourse]:
        """One participant's cytokines with the grade of CRS at each time beside them.

        Raises:
            NoSuchOutcome, NoSuchParticipant.
        """
        self._require(MeasureId.CYTOKINES)
        async with self._reading(question, *OF_CYTOKINES) as reading:
            who = await participants.one(reading.connection, reading.scope)
            infused = next(iter(await cohort_of(reading)), None)
            drawn = await drawn_of(reading, self.protocol)
            episodes = await toxicity_episodes.of(reading.connection, who.participant_id)
        course = cytokine_course(
            self.protocol,
            infused,
            drawn,
            participant_id=who.participant_id,
            subject_number=who.subject_number,
            crs=crs_seen(episodes),
            given=anticytokines(episodes),
        )
        return reading.found(course)


async def drawn_of(reading: Reading, protocol: Protocol) -> list[Drawn]:
    """Every cytokine that was measured in a panel that stands, told which came after tocilizumab."""
    panels = await cytokine_panels.that_stand(reading.connection, reading.scope)
    treated = await toxicity_episodes.first_given(reading.connection, reading.scope, Treatment.TOCILIZUMAB)
    flagged = protocol.cytokines.flag_after_tocilizumab.value
    custody = await custody_of(reading)
    return [each for panel in panels for each in _drawn(panel, treated, flagged, custody)]


def _drawn(
    panel: RowMapping, treated: Mapping[UUID, datetime], flagged: Sequence[str], custody: Custody
) -> Iterator[Drawn]:
    """What was measured in one sample. What was not is neither a value nor below a limit."""
    of_specimen = custody.flags(ResultKind.CYTOKINE_PANEL, panel["cytokine_panel_id"], panel)
    began = treated.get(panel["participant_id"])
    after = began is not None and panel["collected_at"] >= began
    for told in panel["results"]:
        result = CytokineResult.model_validate(told)
        if result.not_measured is None:
            measured = Measured(
                panel_id=panel["cytokine_panel_id"],
                analyte=result.analyte,
                collected_at=panel["collected_at"],
                platform=panel["platform"],
                value=result.value_pg_ml,
                qualifier=None if result.qualifier is None else result.qualifier.value,
                lloq=result.lloq_pg_ml,
                uloq=result.uloq_pg_ml,
                kit=panel["kit"],
                lot=panel["lot"],
                specimen=panel["specimen"],
            )
            because = _because(
                reported=CytokineFlag.AFTER_TOCILIZUMAB in result.flags, treated=after and result.analyte in flagged
            )
            yield Drawn(panel["participant_id"], measured, because, of_specimen)


def _because(*, reported: bool, treated: bool) -> tuple[AfterTocilizumab, ...]:
    told = ((AfterTocilizumab.REPORTED, reported), (AfterTocilizumab.ON_RECORD, treated))
    return tuple(name for name, holds in told if holds)


def crs_seen(episodes: Iterable[ToxicityEpisode]) -> list[CrsSeen]:
    """Each observation of a CRS that stands, until the next one or the end of its episode."""
    return [
        CrsSeen(
            observed_at=seen.observed_at,
            until=episode.ended_at,
            astct_grade=seen.astct_grade,
            ctcae_grade=seen.ctcae_grade,
            drug_told=CrsObservation.model_validate(seen.observation).antipyretic_or_anticytokine is True,
        )
        for episode in episodes
        if episode.kind is EpisodeKind.CRS and not episode.retracted
        for seen in episode.series
    ]


def anticytokines(episodes: Iterable[ToxicityEpisode]) -> list[Given]:
    """What was given against the toxicity that may change a cytokine: everything that holds down fever, by its name."""
    return sorted(
        {
            Given(each.given_at, each.treatment.value)
            for episode in episodes
            if not episode.retracted
            for each in episode.treatments
            if each.treatment in MASKS_FEVER
        }
    )
