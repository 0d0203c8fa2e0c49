"""What RANO and RAPNO ask beside diameters: T2/FLAIR, clinical state, and the dose of steroids.

Complete and partial response need all of imaging, T2/FLAIR, clinical state and steroids; progression needs any one of
imaging, T2/FLAIR and clinical state. More steroids than at baseline are no progression, and forbid a response. What
nobody has told is no reason for either: the response is then that of imaging alone, and names what is missing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from services.efficacy.domain.criteria.percent_change import PercentChange
from services.efficacy.domain.criteria.readings import Judgement, Reading
from shared.contracts.efficacy_terms import Course, Response

T2_FLAIR, CLINICAL_STATE, STEROIDS = "t2-flair", "clinical-state", "steroids"
RESPONSES = (Response.CR, Response.PR, Response.MR)


@dataclass(frozen=True, slots=True)
class NeuroOncology:
    """Criteria for tumours of the brain: limits on what enhances, and what else has to agree."""

    imaging: PercentChange

    @property
    def name(self) -> str:
        return self.imaging.name

    @property
    def diameters(self) -> PercentChange:
        return self.imaging

    @property
    def asks(self) -> tuple[str, ...]:
        return T2_FLAIR, CLINICAL_STATE, STEROIDS

    @property
    def vocabulary(self) -> frozenset[Response]:
        return self.imaging.vocabulary

    def judge(self, baseline: Reading | None, earlier: Sequence[Reading], current: Reading) -> Judgement:
        judged = self.imaging.judge(baseline, earlier, current)
        if judged.response is None or baseline is None:
            return judged
        told = replace(judged, basis=judged.basis.model_copy(update={"unknown": _unknown(baseline, current)}))
        return _with_what_else_is_known(told, baseline, current)


def _with_what_else_is_known(judged: Judgement, baseline: Reading, current: Reading) -> Judgement:
    worse = [
        words
        for words, course in (
            ("T2/FLAIR is worse", current.neuro_oncology.t2_flair),
            ("the clinical state is worse", current.neuro_oncology.clinical),
        )
        if course is Course.WORSE
    ]
    if worse and judged.response is not Response.PD:
        instead = f"{judged.response} by imaging of what enhances alone."
        return _instead(judged, Response.PD, "worse-beside-imaging", f"{' and '.join(worse)}.", instead)
    if judged.response in RESPONSES:
        return _by_steroids(judged, baseline, current)
    return _naming_the_unknown(judged)


def _by_steroids(judged: Judgement, baseline: Reading, current: Reading) -> Judgement:
    dose, before = (
        current.neuro_oncology.dexamethasone_mg_per_day,
        baseline.neuro_oncology.dexamethasone_mg_per_day,
    )
    if _is_more(dose, before):
        why = f"Steroids are above the baseline's dose, which forbids a response ({dose} over {before} mg/d)."
        return _instead(judged, Response.SD, "steroids-above-baseline", why, f"{judged.response} at the baseline dose.")
    if judged.response is Response.CR and dose:
        why = f"A complete response needs the patient off steroids; the dose is {dose} mg/d."
        return _instead(judged, Response.PR, "complete-on-steroids", why, "CR off steroids.")
    return _naming_the_unknown(judged)


def _is_more(dose: Decimal | None, before: Decimal | None) -> bool:
    return dose is not None and before is not None and dose > before


def _unknown(baseline: Reading, current: Reading) -> tuple[str, ...]:
    found, before = current.neuro_oncology, baseline.neuro_oncology
    steroids = found.dexamethasone_mg_per_day is None or (
        found.dexamethasone_mg_per_day > 0 and before.dexamethasone_mg_per_day is None
    )
    asked = ((T2_FLAIR, found.t2_flair is None), (CLINICAL_STATE, found.clinical is None), (STEROIDS, steroids))
    return tuple(name for name, unknown in asked if unknown)


def _naming_the_unknown(judged: Judgement) -> Judgement:
    if not judged.basis.unknown or judged.response is Response.PD:
        return judged
    what = ", ".join(judged.basis.unknown)
    return replace(judged, explanation=f"{judged.explanation} By imaging of diameters alone: nobody has given {what}.")


def _instead(judged: Judgement, response: Response, rule: str, why: str, change: str) -> Judgement:
    sentence = why[0].upper() + why[1:]
    return Judgement(response, rule, f"{sentence} {judged.explanation}", judged.basis, (change, *judged.would_change))
