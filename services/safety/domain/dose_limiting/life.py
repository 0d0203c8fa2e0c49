"""The decisions about one participant's toxicities: proposed by rule or by hand, confirmed or refuted by an officer.

One stream per participant. Findings come in again whenever the record or the hour has changed; what has not changed
leads to no event. A decision is never edited: where its basis changes, an event says so, and it asks for a new look.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, assert_never
from uuid import UUID, uuid5

from pydantic import ConfigDict

from services.safety.domain.dose_limiting.findings import Findings
from shared.contracts.safety_dose_limiting import (
    DltBasis,
    DltBasisChanged,
    DltEvent,
    DltId,
    DoseLimitingToxicityDecided,
    DoseLimitingToxicityProposed,
    DoseLimitingToxicityWithdrawn,
    ToxicitySource,
    wants_a_look,
)
from shared.contracts.terms import ParticipantId, ProtocolRef, Reason
from shared.kernel.decider import Command, Decider
from shared.kernel.errors import Conflict, NotFound

_IDS = UUID("5f1c0a53-6c5e-5f0e-9a51-d0c1a5b7e3aa")  # the name space of DLT ids, made once at random
NOTHING = DltBasis(rules=(), grade=None, since=None)


class ReviewToxicities(Command):
    """Compare what the rules find now with what is on record. Said by the watch itself, never by people."""

    participant_id: ParticipantId


class DecideDoseLimitingToxicity(Command):
    """Confirm that a proposed toxicity limits the dose, or refute it. May be decided anew, with a new reason."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"decision": "confirmed", "reason": "Grade 4 in the window, no other cause found"}]
        }
    )

    decision: Literal["confirmed", "refuted"]
    reason: Reason


class DeclareDoseLimitingToxicity(Command):
    """Name a toxicity that no rule found, and confirm it in the same step."""

    source: ToxicitySource
    reason: Reason


DltCommand = ReviewToxicities | DecideDoseLimitingToxicity | DeclareDoseLimitingToxicity


@dataclass(frozen=True, slots=True)
class Facts:
    """What a decision needs beside the record. `dlt_id`: which toxicity an officer decides."""

    participant_id: UUID
    protocol: ProtocolRef
    findings: tuple[Findings, ...] = ()
    dlt_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Dlt:
    """One toxicity as it stands. `proposed` False: withdrawn. `decided_on`: the basis at the decision."""

    dlt_id: UUID
    source: ToxicitySource
    basis: DltBasis
    proposed: bool = True
    decision: Literal["confirmed", "refuted"] | None = None
    reason: str | None = None
    decided_on: DltBasis | None = None

    @property
    def wants_a_look(self) -> bool:
        return wants_a_look(self.basis, self.decided_on, self.decision, proposed=self.proposed)


@dataclass(frozen=True, slots=True)
class Toxicities:
    """All of one participant's, by id."""

    by_id: Mapping[UUID, Dlt] = field(default_factory=dict)

    @property
    def has_dlt(self) -> bool:
        return any(each.decision == "confirmed" for each in self.by_id.values())


class NoSuchDoseLimitingToxicity(NotFound):
    """No toxicity of this id has been proposed, or none at the caller's sites."""


class DoseLimitingToxicityWasWithdrawn(Conflict):
    """The proposal was withdrawn, since no rule holds any more. Declare the toxicity if it limits the dose even so."""


def id_of(source: ToxicitySource) -> UUID:
    """One toxicity has one id, whoever names it first and however often."""
    return uuid5(_IDS, f"{source.kind.value}:{source.id}")


def evolve(state: Toxicities, event: DltEvent) -> Toxicities:
    if isinstance(event, DoseLimitingToxicityProposed):
        after = Dlt(event.dlt_id, event.source, event.basis)
    elif event.dlt_id in state.by_id:
        after = _next(state.by_id[event.dlt_id], event)
    else:
        return state
    return Toxicities({**state.by_id, event.dlt_id: after})


def _next(known: Dlt, event: DoseLimitingToxicityDecided | DoseLimitingToxicityWithdrawn | DltBasisChanged) -> Dlt:
    match event:
        case DoseLimitingToxicityDecided():
            return replace(known, decision=event.decision, reason=event.reason, decided_on=event.basis)
        case DoseLimitingToxicityWithdrawn():
            return replace(known, basis=event.basis, proposed=False)
        case DltBasisChanged():
            return replace(known, basis=event.now)
        case _:
            assert_never(event)


def decide(command: DltCommand, state: Toxicities, facts: Facts) -> list[DltEvent]:
    match command:
        case ReviewToxicities():
            return [*_reviewed(state, facts)]
        case DecideDoseLimitingToxicity():
            return _decided(command, state, facts)
        case DeclareDoseLimitingToxicity():
            return _declared(command, state, facts)
        case _:
            assert_never(command)


def _reviewed(state: Toxicities, facts: Facts) -> Iterator[DltEvent]:
    found = {id_of(each.source): each for each in facts.findings}
    for dlt_id, finding in found.items():
        yield from _found(state.by_id.get(dlt_id), finding, facts)
    for dlt_id, known in state.by_id.items():
        if dlt_id not in found:  # its record was retracted
            yield from _changed(known, NOTHING, facts)


def _found(known: Dlt | None, finding: Findings, facts: Facts) -> Iterator[DltEvent]:
    if known is not None and known.proposed:
        yield from _changed(known, finding.basis, facts)
    elif finding.basis.rules:
        yield _proposed(finding.source, finding.basis, facts)


def _changed(known: Dlt, now: DltBasis, facts: Facts) -> Iterator[DltEvent]:
    if not known.proposed or now == known.basis:
        return
    if known.decision is None and not now.rules:
        yield DoseLimitingToxicityWithdrawn(
            dlt_id=known.dlt_id, participant_id=facts.participant_id, basis=now, protocol=facts.protocol
        )
        return
    yield DltBasisChanged(
        dlt_id=known.dlt_id,
        participant_id=facts.participant_id,
        was=known.basis,
        now=now,
        decision=known.decision,
        protocol=facts.protocol,
    )


def _proposed(source: ToxicitySource, basis: DltBasis, facts: Facts) -> DoseLimitingToxicityProposed:
    return DoseLimitingToxicityProposed(
        dlt_id=id_of(source),
        participant_id=facts.participant_id,
        source=source,
        basis=basis,
        protocol=facts.protocol,
    )


def _decided(command: DecideDoseLimitingToxicity, state: Toxicities, facts: Facts) -> list[DltEvent]:
    known = None if facts.dlt_id is None else state.by_id.get(facts.dlt_id)
    if known is None:
        raise NoSuchDoseLimitingToxicity("no dose-limiting toxicity has this id, or none at your sites")
    if not known.proposed:
        raise DoseLimitingToxicityWasWithdrawn("no rule holds any more; declare it if it limits the dose all the same")
    if (known.decision, known.reason, known.decided_on) == (command.decision, command.reason, known.basis):
        return []
    return [_decision(known.dlt_id, known.basis, command.decision, command.reason, facts)]


def _declared(command: DeclareDoseLimitingToxicity, state: Toxicities, facts: Facts) -> list[DltEvent]:
    dlt_id = id_of(command.source)
    known = state.by_id.get(dlt_id)
    if known is not None and known.proposed:
        again = DecideDoseLimitingToxicity(decision="confirmed", reason=command.reason)
        return _decided(again, state, replace(facts, dlt_id=dlt_id))
    proposed = _proposed(command.source, NOTHING, facts)
    return [proposed, _decision(dlt_id, NOTHING, "confirmed", command.reason, facts)]


def _decision(
    dlt_id: DltId, basis: DltBasis, decision: Literal["confirmed", "refuted"], reason: str, facts: Facts
) -> DoseLimitingToxicityDecided:
    return DoseLimitingToxicityDecided(
        dlt_id=dlt_id, participant_id=facts.participant_id, decision=decision, basis=basis, reason=reason
    )


DECIDER: Decider[DltCommand, Toxicities, Facts, DltEvent] = Decider(
    category="dose-limiting-toxicity", initial=Toxicities(), evolve=evolve, decide=decide
)
