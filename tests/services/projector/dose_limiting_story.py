"""Tells of dose-limiting toxicities and of halts of dosing, as the watch and officers would."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from shared.contracts.safety_dose_limiting import (
    DltBasis,
    DltBasisChanged,
    DoseLimitingToxicityDecided,
    DoseLimitingToxicityProposed,
    DoseLimitingToxicityWithdrawn,
    StoppingBasisChanged,
    StoppingReviewed,
    StoppingRuleTriggered,
    ToxicityKind,
    ToxicitySource,
)
from tests.services.projector.chronicle import PROTOCOL, Child, Chronicle, named

EXCESSIVE, DEATH = "excessive-dose-limiting-toxicity", "treatment-related-death"
GRADE_3, GRADE_4 = "organ-toxicity-grade-3-beyond-72-h", "organ-toxicity-grade-4"
NOTHING = DltBasis(rules=(), grade=None, since=None)


def basis(*rules: str, grade: int = 4, since: str = "2026-01-13") -> DltBasis:
    return DltBasis(rules=rules, grade=grade, since=since)


class Dlt:
    """One toxicity of a child, from its proposal on."""

    def __init__(self, child: Child, source: UUID, found: DltBasis, kind: str = "adverse-event") -> None:
        self.child = child
        self.id = named(f"dlt of {source}")
        self.source = ToxicitySource(kind=ToxicityKind(kind), id=source)
        self.basis = found
        self.proposed(found)

    def _tell(self, kind: type[Any], actor: str = "toxicity-watch", **told: Any) -> "Dlt":
        event = kind(dlt_id=self.id, participant_id=self.child.id, **told)
        self.child.chronicle.tell(f"dose-limiting-toxicity:{self.child.id}", event, actor=actor)
        return self

    def proposed(self, found: DltBasis) -> "Dlt":
        self.basis = found
        return self._tell(DoseLimitingToxicityProposed, source=self.source, basis=found, protocol=PROTOCOL.ref)

    def decided(self, decision: Literal["confirmed", "refuted"]) -> "Dlt":
        told = {"decision": decision, "basis": self.basis, "reason": f"Looked at, and {decision}"}
        return self._tell(DoseLimitingToxicityDecided, actor="so-nok", **told)

    def withdrawn(self) -> "Dlt":
        return self._tell(DoseLimitingToxicityWithdrawn, basis=NOTHING, protocol=PROTOCOL.ref)

    def found(self, now: DltBasis) -> "Dlt":
        was, self.basis = self.basis, now
        return self._tell(DltBasisChanged, was=was, now=now, decision=None, protocol=PROTOCOL.ref)


class Halt:
    """One firing of a stopping rule."""

    def __init__(self, chronicle: Chronicle, rule: str, who: Sequence[Child], evaluable: int, number: int = 1) -> None:
        self.chronicle, self.rule, self.number = chronicle, rule, number
        self.counted = tuple(each.id for each in who)
        posterior = Decimal("0.916300") if rule == EXCESSIVE else None
        told: dict[str, Any] = {"participants": self.counted, "evaluable": evaluable, "posterior": posterior}
        self._tell(StoppingRuleTriggered, **told, protocol=PROTOCOL.ref)

    def _tell(self, kind: type[Any], actor: str = "toxicity-watch", **told: Any) -> "Halt":
        event = kind(rule=self.rule, number=self.number, **told)
        self.chronicle.tell("stopping-rules:CMD03", event, actor=actor)
        return self

    def counts(self, *who: Child, holds: bool) -> "Halt":
        was, self.counted = self.counted, tuple(each.id for each in who)
        return self._tell(StoppingBasisChanged, was=was, now=self.counted, holds=holds, protocol=PROTOCOL.ref)

    def reviewed(self, decision: Literal["resume", "stop"]) -> "Halt":
        return self._tell(StoppingReviewed, actor="so-nok", decision=decision, reason="The committee has met")
