"""Dose-limiting toxicity and reconciliation as flat tables. Columns bear the names of the JSON."""

from collections.abc import Iterator

from services.projector.domain.dose_limiting_table import (
    DosedParticipant,
    DoseLevelToxicity,
    DoseLimitingToxicityTable,
    ToxicityOfParticipant,
)
from services.projector.domain.reconciliation import OpenItem, OpenKind, SafetyReconciliation
from services.projector.domain.stopping_rules import Firing, StoppingRuleState
from services.projector.exports.csv_text import Sheet

Line = tuple[object, ...]


def dose_levels(answer: DoseLimitingToxicityTable) -> Sheet:
    """A line per dose level."""
    columns = tuple(DoseLevelToxicity.model_fields)
    rows = (
        tuple(_reasons(level) if name == "reasons" else getattr(level, name) for name in columns)
        for level in answer.levels
    )
    return Sheet("dose-limiting-toxicity", columns, rows)


def _reasons(level: DoseLevelToxicity) -> list[str]:
    return [f"{each.reason}: {each.n}" for each in level.reasons]


_OF_PARTICIPANT = tuple(name for name in DosedParticipant.model_fields if name != "toxicities")
_OF_TOXICITY = tuple(name for name in ToxicityOfParticipant.model_fields if name != "source")


def dosed_participants(answer: DoseLimitingToxicityTable) -> Sheet:
    """A line per toxicity with its participant; one for who has none."""
    columns = (*_OF_PARTICIPANT, "source_kind", "source_id", *_OF_TOXICITY)
    return Sheet("dose-limiting-toxicity-participants", columns, _toxicity_lines(answer))


def _toxicity_lines(answer: DoseLimitingToxicityTable) -> Iterator[Line]:
    for who in answer.participants:
        place = tuple(getattr(who, name) for name in _OF_PARTICIPANT)
        for each in who.toxicities:
            yield *place, each.source.kind, each.source.id, *(getattr(each, name) for name in _OF_TOXICITY)
        if not who.toxicities:
            yield *place, *[None] * (len(_OF_TOXICITY) + 2)


_OF_RULE = tuple(name for name in StoppingRuleState.model_fields if name != "firings")
_OF_FIRING = tuple(Firing.model_fields)


def stopping_rules(answer: DoseLimitingToxicityTable) -> Sheet:
    """A line per firing with its rule; one for a rule that never fired."""
    return Sheet("stopping-rules", (*_OF_RULE, *_OF_FIRING), _rule_lines(answer))


def _rule_lines(answer: DoseLimitingToxicityTable) -> Iterator[Line]:
    for rule in answer.stopping_rules:
        place = tuple(getattr(rule, name) for name in _OF_RULE)
        for each in rule.firings:
            yield *place, *(getattr(each, name) for name in _OF_FIRING)
        if not rule.firings:
            yield *place, *[None] * len(_OF_FIRING)


_OPEN = ("participant_id", "subject_number", "site_id")
_OF_ITEM = tuple(OpenItem.model_fields)


def reconciliation(answer: SafetyReconciliation) -> Sheet:
    """A line per open item; then what is about no participant: a line per row in quarantine, and per report."""
    return Sheet("safety-reconciliation", (*_OPEN, *_OF_ITEM), _open_lines(answer))


def _open_lines(answer: SafetyReconciliation) -> Iterator[Line]:
    for who in answer.participants:
        place = tuple(getattr(who, name) for name in _OPEN)
        for item in who.items:
            yield *place, *(getattr(item, name) for name in _OF_ITEM)
    for row in answer.quarantine:
        told: dict[str, object] = {"kind": OpenKind.ROW_QUARANTINED, "about": row.quarantine_id, "since": row.since}
        told["detail"] = f"{row.problem} from {row.laboratory_id}"
        yield None, None, row.site_id, *(told.get(name) for name in _OF_ITEM)
    for report in answer.periodic_reports:
        told = {"kind": report.kind, "about": report.clock_id, "since": report.since, "due_at": report.due_at}
        told["detail"] = f"{report.clock} to {report.to}"
        yield None, None, None, *(told.get(name) for name in _OF_ITEM)
