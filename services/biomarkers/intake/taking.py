"""Taking observations in: read one by one, put together by sample, recorded through the commands that there are.

The same observation twice changes nothing; a corrected one supersedes, and the old value stays readable; an old value
that is sent anew after its correction changes nothing either.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from services.biomarkers.application import Biomarkers
from services.biomarkers.domain.assays import Registry
from services.biomarkers.domain.cytokine_panel import CancelCytokinePanel, CorrectCytokinePanel, RecordCytokinePanel
from services.biomarkers.domain.flow_result import CancelFlowResult, CorrectFlowResult, RecordFlowResult
from services.biomarkers.domain.life import Cancelled, Standing
from services.biomarkers.domain.result_source import ResultSource
from services.biomarkers.intake import known_specimens, samples
from services.biomarkers.intake.known_specimens import KnownSpecimens
from services.biomarkers.intake.observations import SentObservation, Status
from services.biomarkers.intake.readings import Known, Reading, ReadingProblem, Unreadable, read
from services.biomarkers.intake.samples import WITHDRAWN, Sample
from services.biomarkers.intake.subjects import numbered
from shared.contracts.biomarkers import Ground
from shared.db import Database
from shared.eventstore.store import EventStore
from shared.kernel.actor import Actor
from shared.kernel.clock import Clock
from shared.kernel.errors import StaleVersion, TrialError, Unavailable
from shared.kernel.events import decode

ATTEMPTS = 8
_RESULTS = frozenset({"percent", "cells_per_ul", "car_events"})  # without one of these a flow report holds no result
REASON = "Sent anew by the source: a corrected, withdrawn or further result of the same sample"


class Outcome(StrEnum):
    """What became of an observation."""

    RECORDED = "recorded"
    REPEATED = "repeated"  # it stands so already
    SUPERSEDED = "superseded"  # it is the old value of one that was corrected: nothing changes
    CORRECTED = "corrected"
    CANCELLED = "cancelled"
    NOT_TAKEN = "not-taken"  # the sender's code is mapped to nothing
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one observation, and of which result it is a part."""

    sent: SentObservation
    outcome: Outcome
    kind: str | None = None
    result_id: UUID | None = None
    problem: ReadingProblem | None = None
    says: str | None = None

    @property
    def waits(self) -> bool:
        return self.outcome is Outcome.UNREADABLE


@dataclass(slots=True)
class _Merge:
    """The lines of one sample on their way from what stands to what was sent."""

    lines: dict[str, Any]
    earlier: dict[str, list[Any]]
    seen: set[str]
    ground: Ground = Ground.CANCELLED
    changed: bool = False


class Taking:
    """Records what feeds and files say, as far as it can be read."""

    def __init__(self, db: Database, store: EventStore, biomarkers: Biomarkers, clock: Clock) -> None:
        self._db = db
        self._store = store
        self._biomarkers = biomarkers
        self._clock = clock

    async def take(
        self, sent: Sequence[SentObservation], source: ResultSource | None, *, by: Actor, dry_run: bool = False
    ) -> tuple[Fate, ...]:
        """Record every observation that can be read; the fates are in the order of `sent`."""
        known, fates = await self.known(sent, source, by=by), dict[int, Fate]()
        groups: dict[Sample, list[tuple[int, Reading]]] = {}
        for place, each in enumerate(sent):
            try:
                reading = read(each, known)
            except Unreadable as why:
                fates[place] = _unread(each, why)
                continue
            if reading is None:
                fates[place] = Fate(each, Outcome.NOT_TAKEN)
            else:
                groups.setdefault(Sample.of(reading), []).append((place, reading))
        for sample, placed in groups.items():
            outcomes = await self._settle(sample, [reading for _, reading in placed], by, dry_run=dry_run)
            for (place, _), outcome in zip(placed, outcomes, strict=True):
                fates[place] = _fate(sent[place], sample, outcome)
        return tuple(fates[place] for place in range(len(sent)))

    async def known(self, sent: Sequence[SentObservation], source: ResultSource | None, *, by: Actor) -> Known:
        """What observations are read with."""
        subjects = await numbered(self._db, {number for each in sent for number in each.subjects}, by, source)
        named = [each for each in sent if each.accessions or each.specimen_id]
        # Without a subject number a tube may be anybody's of the sites; with one it is looked for among the subject's.
        of_all = any(not subjects.keys() & set(each.subjects) for each in named)
        whose = set(subjects.values())
        specimens = await known_specimens.of(self._db, None if of_all else whose, by, source) if named else None
        lots = self._biomarkers.assay_lots if any(each.lot and each.kit for each in sent) else None
        return Known(source, subjects, specimens or KnownSpecimens(), Registry() if lots is None else await lots())

    async def _settle(
        self, sample: Sample, readings: Sequence[Reading], by: Actor, *, dry_run: bool
    ) -> list[Outcome | Unreadable]:
        for attempt in range(1, ATTEMPTS + 1):
            state, version = await self._store.load(sample.decider, sample.result_id)
            if isinstance(state, Cancelled):
                return [_after_cancelling(each) for each in readings]
            merge = await self._begun(sample, state)
            outcomes = [_merged(merge, each) for each in readings]
            if not merge.changed:
                return outcomes
            try:
                command = _command(sample, state, merge, _understood(readings, outcomes))
                await self._carry_out(sample, command, state, version, by, dry_run=dry_run)
            except StaleVersion:
                if attempt == ATTEMPTS:
                    raise
            except Unavailable:
                raise
            except Unreadable as why:
                return [why if _changes(each) else each for each in outcomes]
            except TrialError as error:
                refused = Unreadable(ReadingProblem.REFUSED, f"{error.code}: {error}")
                return [refused if _changes(each) else each for each in outcomes]
            else:
                return outcomes
        raise AssertionError("the last attempt returns or raises")

    async def _begun(self, sample: Sample, state: Any) -> _Merge:
        panel = self._biomarkers.protocol.cytokines
        if not isinstance(state, Standing):
            return _Merge({}, {}, set())
        earlier: dict[str, list[Any]] = {}
        for envelope in await self._store.history(sample.decider.stream(sample.result_id)):
            event: Any = decode(envelope.type, envelope.schema_version, envelope.data)
            for key, value in samples.lines_of(event.report, panel).items():
                earlier.setdefault(key, []).append(value)
        return _Merge(samples.lines_of(state.report, panel), earlier, set())

    async def _carry_out(
        self, sample: Sample, command: Any, state: Any, version: int, by: Actor, *, dry_run: bool
    ) -> None:
        if dry_run:
            await self._biomarkers.rehearse(sample.decider, sample.result_id, command, state, by=by)
        elif version == 0:
            await self._biomarkers.record(sample.decider, sample.result_id, command, by=by)
        else:
            await self._biomarkers.change(
                sample.decider,
                sample.result_id,
                command,
                by=by,
                expected=version,
                command_id=sample.command_id(version, command),
            )


def _merged(merge: _Merge, reading: Reading) -> Outcome | Unreadable:
    """Take one observation into the lines of its sample; what became of it."""
    try:
        return _taken_in(merge, reading)
    except Unreadable as why:
        return why


def _taken_in(merge: _Merge, reading: Reading) -> Outcome:
    key = reading.taken.field or reading.taken.key
    withdrawn = reading.status is Status.ENTERED_IN_ERROR or (
        reading.status is Status.CANCELLED and reading.taken.kind == "flow"
    )
    said = None if withdrawn else samples.line(reading)
    stands, earlier = merge.lines.get(key), merge.earlier.get(key, [])
    if stands == said and (earlier or not withdrawn):
        merge.seen.add(key)
        return Outcome.REPEATED
    _refuse_conflict(reading, stands, said, earlier, twice=key in merge.seen)
    merge.seen.add(key)
    if said in earlier and not withdrawn:
        return Outcome.SUPERSEDED
    merge.changed = True
    if said is None:
        merge.ground = Ground.ENTERED_IN_ERROR if reading.status is Status.ENTERED_IN_ERROR else merge.ground
        del merge.lines[key]
        return Outcome.CANCELLED
    merge.lines[key] = said
    if reading.status in WITHDRAWN:
        return Outcome.CANCELLED
    return Outcome.RECORDED if stands is None else Outcome.CORRECTED


def _refuse_conflict(reading: Reading, stands: Any, said: Any, earlier: Sequence[Any], *, twice: bool) -> None:
    if twice:
        raise Unreadable(ReadingProblem.CONFLICT, "one message gives two values for one thing in one sample")
    if stands is None and said is None:
        raise Unreadable(ReadingProblem.CONFLICT, "nothing is on record that this could take back")
    if said in earlier and reading.status is Status.CORRECTED:
        raise Unreadable(
            ReadingProblem.CONFLICT, "this is an earlier value, corrected since: correct the result by hand"
        )
    if stands is not None and said not in earlier and reading.status is Status.PRELIMINARY:
        raise Unreadable(ReadingProblem.CONFLICT, "another value stands, and a preliminary one does not supersede it")


def _command(sample: Sample, state: Any, merge: _Merge, readings: Sequence[Reading]) -> Any:
    """The command that brings the merged lines about."""
    cytokines = sample.kind == "cytokine"
    before = state.report if isinstance(state, Standing) else None
    if before is not None and not (merge.lines if cytokines else _RESULTS & merge.lines.keys()):
        cancel = CancelCytokinePanel if cytokines else CancelFlowResult
        return cancel(ground=merge.ground, reason=REASON)
    given = samples.report(sample, readings, before, merge.lines)
    if before is not None:
        correct: Any = CorrectCytokinePanel if cytokines else CorrectFlowResult
        return samples.made(correct, {**given, "reason": REASON})
    who = {"participant_id": sample.participant_id}
    if cytokines:
        return samples.made(RecordCytokinePanel, {**given, **who, "cytokine_panel_id": sample.result_id})
    return samples.made(RecordFlowResult, {**given, **who, "flow_result_id": sample.result_id})


def _understood(readings: Sequence[Reading], outcomes: Sequence[Outcome | Unreadable]) -> list[Reading]:
    return [each for each, outcome in zip(readings, outcomes, strict=True) if _changes(outcome)]


def _changes(outcome: Outcome | Unreadable) -> bool:
    return outcome in {Outcome.RECORDED, Outcome.CORRECTED, Outcome.CANCELLED}


def _after_cancelling(reading: Reading) -> Outcome | Unreadable:
    if reading.status in WITHDRAWN:
        return Outcome.REPEATED
    return Unreadable(ReadingProblem.CONFLICT, "the result of this sample was cancelled: record the right one by hand")


def _unread(sent: SentObservation, why: Unreadable) -> Fate:
    return Fate(sent, Outcome.UNREADABLE, problem=why.problem, says=str(why))


def _fate(sent: SentObservation, sample: Sample, outcome: Outcome | Unreadable) -> Fate:
    if isinstance(outcome, Unreadable):
        return Fate(sent, Outcome.UNREADABLE, sample.kind, problem=outcome.problem, says=str(outcome))
    return Fate(sent, outcome, sample.kind, sample.result_id)
