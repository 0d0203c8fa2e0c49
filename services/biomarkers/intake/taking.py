"""Taking observations in: read one by one, put together by sample, recorded through the commands that there are.

The same observation twice changes nothing; a corrected one supersedes, and the old value stays readable; an old value
that is sent anew after its correction changes nothing either.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from services.biomarkers.application import Biomarkers
from services.biomarkers.domain.assays import Registry
from services.biomarkers.domain.life import Cancelled, Standing
from services.biomarkers.domain.result_source import ResultSource
from services.biomarkers.drafts import Draft
from services.biomarkers.intake import known_specimens, samples
from services.biomarkers.intake.known_specimens import KnownSpecimens
from services.biomarkers.intake.lines import WITHDRAWN, made
from services.biomarkers.intake.observations import SentObservation, Status
from services.biomarkers.intake.readings import Known, Reading, ReadingProblem, Unreadable, read
from services.biomarkers.intake.samples import KINDS, Sample
from services.biomarkers.intake.subjects import gone_from, numbered
from shared.consent.coverage import ConsentDoesNotCover
from shared.contracts.biomarkers import Ground
from shared.db import Database
from shared.eventstore.store import EventStore, again_when_stale
from shared.kernel.actor import Actor
from shared.kernel.errors import TrialError, Unavailable

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

    def __init__(self, db: Database, store: EventStore, biomarkers: Biomarkers) -> None:
        self._db = db
        self._store = store
        self._biomarkers = biomarkers

    async def take(
        self,
        sent: Sequence[SentObservation],
        source: ResultSource | None,
        *,
        by: Actor,
        together: bool = False,
        dry_run: bool = False,
    ) -> tuple[Fate, ...]:
        """Record every observation that can be read, in one append; the fates are in the order of `sent`.

        `together` records nothing where one of them cannot be read, `dry_run` nothing at all.
        """
        known = await self.known(sent, source, by=by)

        async def attempt() -> tuple[Fate, ...]:
            draft = Draft(self._db, self._store, elsewhere=known.gone.keys())
            fates = await self._drafted(draft, sent, known, by)
            if not dry_run and not (together and any(each.waits for each in fates)):
                await draft.append()
            return fates

        return await again_when_stale(attempt)

    async def _drafted(
        self, draft: Draft, sent: Sequence[SentObservation], known: Known, by: Actor
    ) -> tuple[Fate, ...]:
        fates = dict[int, Fate]()
        groups: dict[Sample, list[tuple[int, Reading]]] = {}
        for place, each in enumerate(sent):
            try:
                reading = read(each, known)
                if reading is None:
                    fates[place] = Fate(each, Outcome.NOT_TAKEN)
                else:
                    groups.setdefault(Sample.of(reading), []).append((place, reading))
            except Unreadable as why:
                fates[place] = _unread(each, why)
        await draft.read_ahead(sample.stream for sample in groups)
        for sample, placed in groups.items():
            outcomes = await self._settle(draft, sample, [reading for _, reading in placed], by)
            for (place, _), outcome in zip(placed, outcomes, strict=True):
                fates[place] = _fate(sent[place], sample, outcome)
            await asyncio.sleep(0)  # a large message is not in the way of others
        return tuple(fates[place] for place in range(len(sent)))

    async def known(self, sent: Sequence[SentObservation], source: ResultSource | None, *, by: Actor) -> Known:
        """What observations are read with."""
        gone = await gone_from(self._db, source)
        subjects = await numbered(self._db, {number for each in sent for number in each.subjects}, by, source, gone)
        named = [each for each in sent if each.accessions or each.specimen_id]
        # Without a subject number a tube may be anybody's of the sites; with one it is looked for among the subject's.
        of_all = any(not subjects.keys() & set(each.subjects) for each in named)
        whose = set(subjects.values())
        specimens = await known_specimens.of(self._db, None if of_all else whose, by, source, gone) if named else None
        lots = self._biomarkers.assay_lots if any(each.lot and each.kit for each in sent) else None
        registry = Registry() if lots is None else await lots()
        return Known(source, subjects, specimens or KnownSpecimens(), registry, gone)

    async def _settle(
        self, draft: Draft, sample: Sample, readings: Sequence[Reading], by: Actor
    ) -> list[Outcome | Unreadable]:
        kind = KINDS[sample.kind]
        state, version = await draft.load(kind.decider, sample.result_id)
        if isinstance(state, Cancelled):
            return [_after_cancelling(each) for each in readings]
        merge = await self._begun(draft, sample, state)
        outcomes = [_merged(merge, sample, each) for each in readings]
        if not merge.changed:
            return outcomes
        try:
            command = _command(sample, state, merge, _understood(readings, outcomes))
            command_id = sample.command_id(version, command)
            await self._biomarkers.draft(draft, kind.decider, sample.result_id, command, command_id=command_id, by=by)
        except Unavailable:
            raise
        except Unreadable as why:
            return [why if _changes(each) else each for each in outcomes]
        except TrialError as error:
            lacking = isinstance(error, ConsentDoesNotCover)
            problem = ReadingProblem.CONSENT_LACKING if lacking else ReadingProblem.REFUSED
            refused = Unreadable(problem, f"{error.code}: {error}")
            return [refused if _changes(each) else each for each in outcomes]
        return outcomes

    async def _begun(self, draft: Draft, sample: Sample, state: Any) -> _Merge:
        if not isinstance(state, Standing):
            return _Merge({}, {}, set())
        lines, panel = KINDS[sample.kind].lines, self._biomarkers.protocol.cytokines
        earlier: dict[str, list[Any]] = {}
        for event in await draft.events(sample.stream):
            for key, value in lines(event.report, panel).items():
                earlier.setdefault(key, []).append(value)
        return _Merge(lines(state.report, panel), earlier, set())


def _merged(merge: _Merge, sample: Sample, reading: Reading) -> Outcome | Unreadable:
    """Take one observation into the lines of its sample; what became of it."""
    try:
        return _taken_in(merge, sample, reading)
    except Unreadable as why:
        return why


def _taken_in(merge: _Merge, sample: Sample, reading: Reading) -> Outcome:
    key = reading.taken.field or reading.taken.key
    withdrawn = reading.status is Status.ENTERED_IN_ERROR or (
        reading.status is Status.CANCELLED and sample.kind != "cytokine"  # a panel says what was not measured
    )
    stands, earlier = merge.lines.get(key), merge.earlier.get(key, [])
    said = None if withdrawn else KINDS[sample.kind].line(reading, stands)
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
    kind, before = KINDS[sample.kind], state.report if isinstance(state, Standing) else None
    measured = kind.measured or merge.lines.keys()
    if before is not None and not measured & merge.lines.keys():
        return kind.cancel(ground=merge.ground, reason=REASON)
    given = samples.report(sample, readings, before, merge.lines)
    if before is not None:
        return made(kind.correct, {**given, "reason": REASON})
    who = {"participant_id": sample.participant_id, kind.id_name: sample.result_id}
    return made(kind.record, {**given, **who})


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
