"""Lesions known at baseline: which may be targets, and how a wrong entry is mended."""

from collections.abc import Iterable
from uuid import UUID

from pydantic import ConfigDict

from services.efficacy.domain.burden import EfficacyEvent, Facts, Lesion, TumourBurden
from services.efficacy.domain.naming import AboutLesion
from shared.contracts.efficacy import LesionCorrected, LesionIdentified, LesionRetracted
from shared.contracts.efficacy_terms import LesionDescription, LesionRole, Organ
from shared.contracts.terms import Reason
from shared.kernel.errors import AlreadyExists, Conflict, NotFound


class IdentifyLesion(AboutLesion, LesionDescription):
    """Identify a lesion before the baseline assessment, as target or non-target."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "lesion_id": "0190a5b0-3c1e-7a52-9c4b-5b1f4f0c7a01",
                    "label": "T01",
                    "role": "target",
                    "organ": "adrenal-gland",
                    "laterality": "left",
                }
            ]
        }
    )

    @property
    def lesion(self) -> LesionDescription:
        return _described(self)


class CorrectLesion(AboutLesion, LesionDescription):
    """Correct the description of a lesion. What is given replaces all of it."""

    reason: Reason

    @property
    def lesion(self) -> LesionDescription:
        return _described(self)


class RetractLesion(AboutLesion):
    """Retract a lesion that was identified in error. Its measurements no longer count."""

    reason: Reason


class NoSuchLesion(NotFound):
    """The participant has no lesion of this id."""


class LesionAlreadyIdentified(AlreadyExists):
    """Another lesion is on record under this id; correct it, or take a new id."""


class LesionWasRetracted(Conflict):
    """A retracted lesion does not come back; identify it anew under a new id."""


class LabelTaken(Conflict):
    """Another lesion of this participant has this label; readers would confuse them."""


class BaselineAlreadyAssessed(Conflict):
    """Lesions are chosen before the baseline assessment; what appears later is a new lesion of an assessment."""


class TooManyTargets(Conflict):
    """The protocol allows no further target lesion; follow this one as non-target."""


class TooManyTargetsInOneOrgan(Conflict):
    """The protocol allows no further target lesion in this organ; follow this one as non-target."""


def identify(command: IdentifyLesion, burden: TumourBurden, facts: Facts) -> list[EfficacyEvent]:
    known = burden.lesions.get(command.which)
    if known is not None:
        if known.identified == command.lesion:
            return []
        raise LesionAlreadyIdentified(f"{command.which} is on record as another lesion; correct it, or take a new id")
    if burden.baseline is not None:
        raise BaselineAlreadyAssessed(
            "the baseline assessment is on record; list what appeared later under its new_lesions, or retract the "
            "baseline, identify the lesion and record the baseline again"
        )
    _ensure_allowed(command.lesion, burden, command.which, facts)
    return [
        LesionIdentified(
            participant_id=facts.participant_id,
            lesion_id=command.which,
            lesion=command.lesion,
            evaluator=facts.evaluator,
        )
    ]


def correct(command: CorrectLesion, burden: TumourBurden, facts: Facts) -> list[EfficacyEvent]:
    known = _standing(burden, command.which)
    if known.described == command.lesion:
        return []
    if known.described.role is not command.role and burden.baseline is not None:
        raise BaselineAlreadyAssessed(
            "the baseline assessment is on record, so the lesion keeps its role; retract the baseline first"
        )
    _ensure_allowed(command.lesion, burden, command.which, facts)
    return [
        LesionCorrected(
            participant_id=facts.participant_id,
            lesion_id=command.which,
            lesion=command.lesion,
            reason=command.reason,
            evaluator=facts.evaluator,
        )
    ]


def retract(command: RetractLesion, burden: TumourBurden, facts: Facts) -> list[EfficacyEvent]:
    known = burden.lesions.get(command.which)
    if known is None:
        raise _no_such(command.which)
    if known.retracted:
        return []
    return [
        LesionRetracted(
            participant_id=facts.participant_id,
            lesion_id=command.which,
            reason=command.reason,
            evaluator=facts.evaluator,
        )
    ]


def _described(command: IdentifyLesion | CorrectLesion) -> LesionDescription:
    return LesionDescription(**{name: getattr(command, name) for name in LesionDescription.model_fields})


def _standing(burden: TumourBurden, lesion_id: UUID) -> Lesion:
    known = burden.lesions.get(lesion_id)
    if known is None:
        raise _no_such(lesion_id)
    if known.retracted:
        raise LesionWasRetracted("the lesion was retracted; identify it anew under a new id")
    return known


def _no_such(lesion_id: UUID) -> NoSuchLesion:
    return NoSuchLesion(f"no lesion {lesion_id} of this participant")


def _ensure_allowed(lesion: LesionDescription, burden: TumourBurden, lesion_id: UUID, facts: Facts) -> None:
    others = [each for role in LesionRole for key, each in burden.of_role(role).items() if key != lesion_id]
    if any(other.label == lesion.label for other in others):
        raise LabelTaken("this label is taken by another lesion of the participant; take another")
    if lesion.role is LesionRole.TARGET:
        _ensure_room(lesion, [other for other in others if other.role is LesionRole.TARGET], facts)


def _ensure_room(lesion: LesionDescription, targets: Iterable[LesionDescription], facts: Facts) -> None:
    limits = facts.protocol.response
    in_all, organs = limits.maximum_targets.value, [_organ(each) for each in targets]
    if len(organs) >= in_all:
        raise TooManyTargets(
            f"{in_all} target lesions are on record, which is all the protocol allows; take non-target"
        )
    per_organ = limits.maximum_targets_per_organ.value
    if organs.count(_organ(lesion)) >= per_organ:
        raise TooManyTargetsInOneOrgan(
            f"{per_organ} target lesions of this organ are on record, which is all the protocol allows; take non-target"
        )


def _organ(lesion: LesionDescription) -> tuple[Organ, str]:
    """What counts as one organ: both of a pair, and all lymph nodes wherever they lie.

    Source: EORTC, RECIST 1.1 FAQ, "Paired" organs (recist.eortc.org/faq/paired-organs).
    """
    if lesion.node:
        return Organ.LYMPH_NODE, ""
    return lesion.organ, (lesion.organ_text or "").casefold()
