"""Commands, facts and readings for the specs: each names only what matters."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid5

from services.efficacy.domain.assessments import CorrectAssessment, RecordAssessment
from services.efficacy.domain.burden import Facts
from services.efficacy.domain.criteria import TrialCriteria
from services.efficacy.domain.lesions import IdentifyLesion
from shared.contracts.efficacy_terms import LesionState, TargetMeasurement
from shared.protocol import load_protocol

PROTOCOL = load_protocol()
PARTICIPANT = UUID("0190a5b0-0000-7000-8000-000000000001")
CRITERIA = TrialCriteria(PROTOCOL)
FACTS = Facts(PARTICIPANT, PROTOCOL, CRITERIA.of(None).deciding, date(2026, 12, 31))


def an_id(name: str) -> UUID:
    return uuid5(PARTICIPANT, name)


def a_lesion(label: str = "T01", **given: Any) -> IdentifyLesion:
    given = {"role": "target", "organ": "liver"} | given
    return IdentifyLesion(lesion_id=an_id(label), label=label, **given)


def sizes(text: str) -> tuple[TargetMeasurement, ...]:
    """Target measurements as the case file writes them: `T1=60x40|T2=NE`, 0x0 absent, TSTM too small."""
    return tuple(_size(*each.split("=")) for each in text.split("|") if each)


def _size(label: str, size: str) -> TargetMeasurement:
    states = {"NE": LesionState.NOT_ASSESSED, "TSTM": LesionState.TOO_SMALL, "0x0": LesionState.ABSENT}
    if size in states:
        return TargetMeasurement(lesion_id=an_id(label), state=states[size])
    longest, perpendicular = map(Decimal, size.split("x"))
    return TargetMeasurement(
        lesion_id=an_id(label), state=LesionState.MEASURED, longest_mm=longest, perpendicular_mm=perpendicular
    )


def findings(targets: str = "T01=60x40", **given: Any) -> dict[str, Any]:
    return {"assessed_on": "2026-02-01", "modality": "ct", "non_target": "none", "targets": sizes(targets)} | given


def an_assessment(name: str = "month 1", targets: str = "T01=60x40", **given: Any) -> RecordAssessment:
    return RecordAssessment(assessment_id=an_id(name), **findings(targets, **given))


def a_baseline(targets: str = "T01=60x40", **given: Any) -> RecordAssessment:
    return an_assessment("baseline", targets, **{"baseline": True, "assessed_on": "2026-01-05"} | given)


def a_correction(name: str = "month 1", targets: str = "T01=60x40", **given: Any) -> CorrectAssessment:
    given = {"reason": "Transcription error"} | given
    return CorrectAssessment(assessment_id=an_id(name), **findings(targets, **given))


def a_new_lesion(label: str = "NEW01", certainty: str = "unequivocal") -> dict[str, Any]:
    return {"label": label, "organ": "lung", "certainty": certainty}
