"""Gated samples recorded as flow results: the same sample has the same result, whoever sends it and however often."""

from collections.abc import Sequence
from typing import Any

from services.biomarkers.application import Biomarkers
from services.biomarkers.domain.flow_result import DECIDER, CorrectFlowResult, RecordFlowResult
from services.biomarkers.domain.life import Cancelled, Standing
from services.biomarkers.domain.result_source import ResultSource
from services.biomarkers.drafts import Draft
from services.biomarkers.intake.gates import AboutFlow, FlowSampleNamed, GatedSample
from services.biomarkers.intake.lines import made
from services.biomarkers.intake.observations import SentObservation, accession_numbers, subject_numbers
from services.biomarkers.intake.readings import Known, Reading, ReadingProblem, Unreadable, read
from services.biomarkers.intake.runs import is_uuid
from services.biomarkers.intake.samples import Sample
from services.biomarkers.intake.taking import REASON, Fate, Outcome, Taking
from shared.contracts.biomarkers import FlowReport, Gate, GatedPopulation
from shared.db import Database
from shared.eventstore.store import EventStore, again_when_stale
from shared.kernel.actor import Actor
from shared.kernel.errors import TrialError, Unavailable

_NO_CAR = "no gate is known as `car`: say in `populations` which gate holds the CAR+ cells"
_FIELDS = frozenset(FlowReport.model_fields)


class FlowRecording:
    """Records what gates hold."""

    def __init__(self, db: Database, store: EventStore, taking: Taking, biomarkers: Biomarkers) -> None:
        self._db = db
        self._store = store
        self._taking = taking
        self._biomarkers = biomarkers

    async def record(
        self,
        found: Sequence[tuple[GatedSample, tuple[Gate, ...]]],
        about: AboutFlow,
        source: ResultSource | None,
        *,
        by: Actor,
        dry_run: bool,
    ) -> tuple[Fate, ...]:
        """Record each sample; the fates are in their order."""
        named = {each.name: each for each in about.samples}
        sent = [_sent(sample, named.get(sample.name), place) for place, (sample, _) in enumerate(found, start=1)]
        known = await self._taking.known(sent, source, by=by)

        async def attempt() -> tuple[Fate, ...]:
            draft = Draft(self._db, self._store)
            fates = [
                await self._drafted(draft, each, sample, gates, about, known, by)
                for each, (sample, gates) in zip(sent, found, strict=True)
            ]
            if not dry_run:
                await draft.append()
            return tuple(fates)

        return await again_when_stale(attempt)

    async def _drafted(
        self,
        draft: Draft,
        sent: SentObservation,
        sample: GatedSample,
        gates: tuple[Gate, ...],
        about: AboutFlow,
        known: Known,
        by: Actor,
    ) -> Fate:
        try:
            reading = _understood(sent, known, gates)
            given = {
                "specimen": {
                    "type": reading.specimen,
                    "collected_at": reading.collected_at,
                    "specimen_id": reading.specimen_id,
                },
                "parent_population": about.parent_population,
                "events_acquired": sample.events or None,
                "gates": gates,
                "instrument": about.instrument,
                "method": about.method,
            }
            return await self._settled(draft, sent, Sample.of(reading), given, by)
        except Unreadable as why:
            return Fate(sent, Outcome.UNREADABLE, "flow", problem=why.problem, says=str(why))

    async def _settled(
        self, draft: Draft, sent: SentObservation, sample: Sample, given: dict[str, Any], by: Actor
    ) -> Fate:
        state, version = await draft.load(DECIDER, sample.result_id)
        if isinstance(state, Cancelled):
            raise Unreadable(
                ReadingProblem.CONFLICT, "the result of this sample was cancelled: record the right one by hand"
            )
        outcome, command = await self._meant(draft, state, sample, given)
        if command is not None:
            try:
                command_id = sample.command_id(version, command)
                await self._biomarkers.draft(draft, DECIDER, sample.result_id, command, command_id=command_id, by=by)
            except Unavailable:
                raise
            except TrialError as error:
                raise Unreadable(ReadingProblem.REFUSED, f"{error.code}: {error}") from error
        return Fate(sent, outcome, "flow", sample.result_id)

    async def _meant(
        self, draft: Draft, state: Any, sample: Sample, given: dict[str, Any]
    ) -> tuple[Outcome, RecordFlowResult | CorrectFlowResult | None]:
        if not isinstance(state, Standing):
            who = {"flow_result_id": sample.result_id, "participant_id": sample.participant_id}
            return Outcome.RECORDED, made(RecordFlowResult, {**given, **who})
        told = {name: value for name, value in given.items() if value is not None}
        # Events beside the gates would be those of the gates before.
        after = {**state.report.model_dump(), **told, "parent_events": None, "car_events": None}
        correct = made(CorrectFlowResult, {**after, "reason": REASON})
        report = made(FlowReport, {name: value for name, value in after.items() if name in _FIELDS})
        if report == state.report:
            return Outcome.REPEATED, None
        if any(getattr(event, "report", None) == report for event in await draft.events(sample.stream)):
            return Outcome.SUPERSEDED, None
        return Outcome.CORRECTED, correct


def _understood(sent: SentObservation, known: Known, gates: Sequence[Gate]) -> Reading:
    if not any(gate.population is GatedPopulation.CAR for gate in gates):
        raise Unreadable(ReadingProblem.UNKNOWN_CODE, _NO_CAR)
    reading = read(sent, known)
    if reading is None:
        raise Unreadable(ReadingProblem.UNKNOWN_CODE, "the source maps CAREVENTS to nothing: its gates are not taken")
    return reading


def _sent(sample: GatedSample, named: FlowSampleNamed | None, place: int) -> SentObservation:
    """What is needed to find the sample: whose it is, taken when."""
    common = {"place": f"sample {place}", "codes": ("CAREVENTS",), "value": "0"}
    if named is None:
        name = (sample.name or "").removesuffix(".fcs")
        return SentObservation.model_validate({**common, "accessions": accession_numbers([name])})
    told = {
        "subjects": subject_numbers([named.subject_number]),
        "collected": None if named.collected_at is None else named.collected_at.isoformat(),
        "specimen": None if named.specimen_type is None else named.specimen_type.value,
    }
    by_id = is_uuid(named.specimen)
    told |= {"specimen_id": named.specimen} if by_id else {"accessions": accession_numbers([named.specimen])}
    return SentObservation.model_validate({**common, **told})
