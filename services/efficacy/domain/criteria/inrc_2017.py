"""INRC_2017: the international neuroblastoma response criteria.

Three components, then one overall response:

- **soft tissue**, primary and metastatic, by diameters as RECIST 1.1 measures them, together with the primary's uptake:
  complete below 10 mm with no uptake, partial at a fall of 30 % or more with uptake stable or better, progression at
  a rise of **more than** 20 % and at least 5 mm over the smallest sum, or a new lesion;
- **metastases by MIBG or FDG**: score over the baseline's: 0 complete, to 0.5 partial, from 1.2 progression; so is any
  score after one of 0, for that is a new site;
- **marrow**: none found is complete, up to 5 % minimal disease, progression from none to over 5 %, or where it has
  more than doubled to over 20 %, each over the smallest so far.

Overall: any PD is PD; all complete is CR; complete, partial, minimal marrow or not involved with at least one complete
or partial is PR; at least one complete or partial beside another that is stable is MR; else SD. A participant who had
no soft tissue disease at baseline is judged by the other two; else there is no response without the uptake but PD.
Limits of the MIBG score and of the marrow are general knowledge, unchecked.

Source: Park, J Clin Oncol 2017;35:2580; composition checked in PMC5676955.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from services.efficacy.domain.criteria.limits import LONGEST_DIAMETERS, Confirmation, Confirmed, Limit, Reference
from services.efficacy.domain.criteria.percent_change import PercentChange
from services.efficacy.domain.criteria.readings import Judgement, Reading
from services.efficacy.domain.criteria.recist_1_1 import LEAST_GROWTH_MM, MINIMUM, TARGETS
from shared.contracts.efficacy_terms import LesionState, NonTargetStatus, Response, Uptake

NAME = "INRC_2017"
UPTAKE = "uptake"
RESIDUE_BELOW_MM = Decimal(10)
MIBG_PARTIAL_TO = Decimal("0.5")
MIBG_PROGRESSION_FROM = Decimal("1.2")
MARROW_MINIMAL_TO_PERCENT = Decimal(5)
MARROW_PROGRESSION_ABOVE_PERCENT = Decimal(20)

_DIAMETERS = PercentChange(
    name=NAME,
    measure=LONGEST_DIAMETERS,
    response=Limit(Decimal(30), strict=False, reference=Reference.BASELINE),
    progression=Limit(Decimal(20), strict=True, reference=Reference.NADIR, least_mm=LEAST_GROWTH_MM),
    targets=TARGETS,
    confirmation=Confirmation(Confirmed.NOT_STATED),
    source="Park, J Clin Oncol 2017;35:2580",
    minimum=MINIMUM,
    node_normal_below_mm=Decimal(10),
    too_small_mm=Decimal(5),
)


class Component(StrEnum):
    """What one component amounts to. `minimal`: marrow with up to 5 % of tumour cells, first found or still."""

    CR = "CR"
    PR = "PR"
    MINIMAL = "minimal"
    SD = "SD"
    PD = "PD"
    NOT_INVOLVED = "not-involved"
    NE = "NE"


@dataclass(frozen=True, slots=True)
class Inrc:
    """The three components and what they amount to together."""

    name: str = NAME

    @property
    def diameters(self) -> PercentChange:
        return _DIAMETERS

    @property
    def asks(self) -> tuple[str, ...]:
        return UPTAKE, "mibg-score", "marrow"

    @property
    def vocabulary(self) -> frozenset[Response]:
        return frozenset({*_DIAMETERS.vocabulary, Response.MR})

    def judge(self, baseline: Reading | None, earlier: Sequence[Reading], current: Reading) -> Judgement:
        measured = _DIAMETERS.judge(baseline, earlier, current)
        if baseline is None:
            return measured if measured.response is Response.PD else _without_uptake(measured, current)
        others = {
            "metastases by uptake": _metastases([baseline, *earlier], current),
            "marrow": _marrow([baseline, *earlier], current),
        }
        if _has_no_soft_tissue(baseline, current) and set(others.values()) != {Component.NOT_INVOLVED}:
            return _overall({"soft tissue": Component.NOT_INVOLVED, **others}, replace(measured, explanation=""))
        components = {"soft tissue": _soft_tissue(measured, current), **others}
        judgement = _overall(components, measured)
        return judgement if judgement.response is Response.PD else _without_uptake(judgement, current)


INRC_2017 = Inrc()


def _without_uptake(judgement: Judgement, current: Reading) -> Judgement:
    """The same where the uptake of the primary is known: what is no progression needs it."""
    if current.neuroblastoma.primary_uptake is not None:
        return judgement
    basis = judgement.basis.model_copy(update={"unknown": (UPTAKE,)})
    why = "INRC judges size and uptake together, and nobody has given the uptake of the primary tumour."
    return Judgement(None, "uptake-unknown", why, basis)


def _has_no_soft_tissue(baseline: Reading, current: Reading) -> bool:
    """Whether there was none at baseline and is none now: disease of the marrow or of bones alone."""
    if current.new_lesion or current.neuroblastoma.primary_uptake not in (None, Uptake.NEGATIVE):
        return False
    return all(not each.targets and each.non_target is NonTargetStatus.NONE for each in (baseline, current))


def _soft_tissue(measured: Judgement, current: Reading) -> Component:
    uptake = current.neuroblastoma.primary_uptake
    if measured.response is Response.PD:
        return Component.PD
    if measured.response is Response.NE:
        return Component.NE
    if uptake is Uptake.NEGATIVE and _is_residue(current):
        return Component.CR
    shrunk = measured.response in (Response.CR, Response.PR)
    return Component.PR if shrunk and uptake is not Uptake.INCREASED else Component.SD


def _is_residue(current: Reading) -> bool:
    """Whether nothing of 10 mm or more is left of any target, and no other disease."""
    if current.non_target not in (NonTargetStatus.NONE, NonTargetStatus.CR) or current.new_lesion:
        return False
    for target in current.targets:
        if target.state in (LesionState.ABSENT, LesionState.TOO_SMALL):
            continue
        axis = target.perpendicular_mm if target.node else target.longest_mm
        if axis is None or axis >= RESIDUE_BELOW_MM or target.further_parts:
            return False
    return True


def _metastases(so_far: Sequence[Reading], current: Reading) -> Component:
    scores = [each.neuroblastoma.mibg_score for each in so_far]
    before, now = scores[0], current.neuroblastoma.mibg_score
    if before is None and now is None:
        return Component.NOT_INVOLVED
    if before is None or now is None:
        return Component.NE
    if now == 0:
        return Component.CR if before else Component.NOT_INVOLVED
    if 0 in scores:
        return Component.PD
    relative = Decimal(now) / before
    if relative <= MIBG_PARTIAL_TO:
        return Component.PR
    return Component.PD if relative >= MIBG_PROGRESSION_FROM else Component.SD


def _marrow(so_far: Sequence[Reading], current: Reading) -> Component:
    found = [each.neuroblastoma.marrow_percent for each in so_far]
    before, now = found[0], current.neuroblastoma.marrow_percent
    if before is None and now is None:
        return Component.NOT_INVOLVED
    if before is None or now is None:
        return Component.NE
    if now == 0:
        return Component.CR if before else Component.NOT_INVOLVED
    smallest = min(each for each in found if each is not None)
    grown_from = MARROW_PROGRESSION_ABOVE_PERCENT if smallest else MARROW_MINIMAL_TO_PERCENT
    if now > 2 * smallest and now > grown_from:
        return Component.PD
    return Component.MINIMAL if now <= MARROW_MINIMAL_TO_PERCENT else Component.SD


def _overall(components: dict[str, Component], measured: Judgement) -> Judgement:
    found = set(components.values()) - {Component.NOT_INVOLVED}
    better = found & {Component.CR, Component.PR}
    words = "; ".join(f"{name}: {component}" for name, component in components.items())
    why = f"{words}. {measured.explanation}".rstrip()
    answer = replace(measured, explanation=why, would_change=())
    if Component.PD in found:
        return replace(answer, response=Response.PD, rule=_progression(components, measured.rule))
    if Component.NE in found:
        return replace(answer, response=Response.NE, rule="component-not-evaluated")
    if found == {Component.CR}:
        return replace(answer, response=Response.CR, rule="all-components-complete")
    if better and Component.SD not in found:
        return replace(answer, response=Response.PR, rule="complete-or-partial-in-all-components")
    if better:
        return replace(answer, response=Response.MR, rule="one-component-better-another-stable")
    return replace(answer, response=Response.SD, rule="no-component-better")


def _progression(components: dict[str, Component], rule: str) -> str:
    if components["soft tissue"] is Component.PD:
        return rule
    return "metastases-by-uptake" if components["metastases by uptake"] is Component.PD else "marrow"
