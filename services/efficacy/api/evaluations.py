"""A calculator of tumour response by any sets of criteria: it keeps nothing, and is about nobody."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Annotated, Self
from uuid import NAMESPACE_OID, UUID, uuid5

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.efficacy.api.permissions import EfficacyDep
from services.efficacy.domain.criteria.course import judged
from services.efficacy.domain.criteria.readings import CriteriaEngine, Reading, Target, sum_of_measured
from shared.auth.permissions import ReadsTrialData
from shared.contracts.efficacy_terms import (
    Criteria,
    Diameter,
    LesionState,
    MeasuredLesion,
    NeuroblastomaFindings,
    NeuroOncologyFindings,
    NonTargetStatus,
    Response,
    Rule,
)
from shared.contracts.terms import Code, Flag, Measurement, PartialDate
from shared.http import problems
from shared.http.service_app import router as make_router
from shared.kernel.errors import Unacceptable

router = make_router("/v1/evaluations", "Evaluations")

MOST_ASSESSMENTS = 200
MOST_SIZES = 1_000  # over all assessments: each is compared with every one before it


_SEEN = (LesionState.MEASURED, LesionState.TOO_SMALL)


class NoSuchCriteria(Unacceptable):
    """There is no set of criteria of this name; the answer lists those there are."""


class _Given(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class EvaluatedTarget(MeasuredLesion):
    """One target lesion at one assessment: both diameters where it was measured, none where it was not."""

    lesion_id: Annotated[Code, Field(description="The caller's own name of the lesion", examples=["T1"])]
    node: Flag = Field(False, description="A lymph node: judged by its short axis, the perpendicular diameter")


class EvaluatedNewLesion(_Given):
    """An unequivocal lesion that was not there at baseline."""

    lesion_id: Annotated[Code, Field(description="The caller's own name of the lesion", examples=["N1"])]
    longest_mm: Diameter | None = Field(None, description="Where it was measured: iRECIST follows its growth")


class EvaluatedAssessment(_Given):
    """What was seen at one time point. `new_lesion`: an unequivocal one that was not there at baseline.

    Without `new_lesions` it is taken as another one at each assessment. With them, each named wherever it is seen, one
    that is still there as it was is no further progression, which decides between iUPD and iCPD.
    """

    on: PartialDate
    baseline: Flag = False
    targets: Annotated[tuple[EvaluatedTarget, ...], Field(max_length=50)] = ()
    non_target: NonTargetStatus
    new_lesion: Flag = False
    new_lesions: Annotated[tuple[EvaluatedNewLesion, ...], Field(max_length=50)] = ()
    equivocal_new_lesion: Flag = Field(False, description="A doubtful one is no progression")
    neuro_oncology: NeuroOncologyFindings | None = None
    neuroblastoma: NeuroblastomaFindings | None = None

    @model_validator(mode="after")
    def _each_lesion_once(self) -> Self:
        if len({each.lesion_id for each in self.targets}) != len(self.targets):
            raise ValueError("each target lesion is given once")
        if len({each.lesion_id for each in self.new_lesions}) != len(self.new_lesions):
            raise ValueError("each new lesion is given once")
        if self.new_lesions and "new_lesion" in self.model_fields_set and not self.new_lesion:
            raise ValueError("new_lesion is true, or left out, where new_lesions names one")
        return self

    def reading(self, known: Mapping[str, bool]) -> Reading:
        """As criteria read it: a target that is left out was not assessed; one that was not there before is new."""
        given = {each.lesion_id: each for each in self.targets}
        appeared = [each for key, each in given.items() if key not in known and each.state in _SEEN]
        new: list[EvaluatedNewLesion | EvaluatedTarget] = [*self.new_lesions, *appeared]
        return Reading(
            on=self.on,
            targets=tuple(
                Target.of(_id(key), given[key], node=node)
                if key in given
                else Target(_id(key), node, LesionState.NOT_ASSESSED)
                for key, node in known.items()
            ),
            non_target=self.non_target,
            new_lesion=self.new_lesion or bool(new),
            equivocal=self.equivocal_new_lesion,
            new_labels=frozenset(each.lesion_id for each in new),
            new_sum_mm=sum_of_measured(each.longest_mm for each in new),
            neuro_oncology=self.neuro_oncology or NeuroOncologyFindings(),
            neuroblastoma=self.neuroblastoma or NeuroblastomaFindings(),
        )


class AskedEvaluation(_Given):
    """One course of a tumour, in any order, and the sets of criteria to judge it by."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "criteria": ["SEED_V1", "RECIST_1_1"],
                    "assessments": [
                        {
                            "on": "2026-01-05",
                            "baseline": True,
                            "targets": [
                                {
                                    "lesion_id": "T1",
                                    "node": False,
                                    "state": "measured",
                                    "longest_mm": "60",
                                    "perpendicular_mm": "40",
                                }
                            ],
                            "non_target": "none",
                            "new_lesion": False,
                        },
                        {
                            "on": "2026-02-04",
                            "targets": [
                                {
                                    "lesion_id": "T1",
                                    "state": "measured",
                                    "longest_mm": "29",
                                    "perpendicular_mm": "20",
                                }
                            ],
                            "non_target": "none",
                        },
                    ],
                }
            ]
        }
    )

    criteria: Annotated[tuple[Criteria, ...], Field(min_length=1, max_length=20)]
    assessments: Annotated[tuple[EvaluatedAssessment, ...], Field(max_length=MOST_ASSESSMENTS)]

    @model_validator(mode="after")
    def _lesions_are_followed(self) -> Self:
        if sum(len(each.targets) for each in self.assessments) > MOST_SIZES:
            raise ValueError(f"one request holds at most {MOST_SIZES} sizes of target lesions over all assessments")
        baselines = [each for each in self.assessments if each.baseline]
        if len(baselines) > 1:
            raise ValueError("one assessment is the baseline, and only one")
        nodes: dict[str, bool] = {}
        for each in (lesion for assessment in self.assessments for lesion in assessment.targets):
            if nodes.setdefault(each.lesion_id, each.node) is not each.node:
                raise ValueError("a lesion is a node at each of its assessments or at none")
        if baselines and nodes.keys() - {each.lesion_id for each in baselines[0].targets}:
            raise ValueError("a target lesion is known at baseline; what appears later is a new_lesion")
        return self

    def known(self) -> dict[str, bool]:
        """The target lesions, and which of them are nodes. What is absent at baseline is no target."""
        absent = {
            each.lesion_id
            for assessment in self.assessments
            for each in assessment.targets
            if assessment.baseline and each.state is LesionState.ABSENT
        }
        given = (each for assessment in self.assessments for each in assessment.targets)
        return {each.lesion_id: each.node for each in given if each.lesion_id not in absent}


class Evaluated(BaseModel):
    """The response at one assessment. null: the criteria do not cover such disease, and the explanation says why."""

    on: PartialDate
    response: Response | None
    rule: Rule
    measure: str
    unit: str
    sum: Measurement | None = Field(description="null where a target was not assessed, or there is none")
    percent_from_baseline: Measurement | None
    percent_from_nadir: Measurement | None
    nadir_on: PartialDate | None
    explanation: str
    would_change: tuple[str, ...]
    unknown: tuple[str, ...] = Field(description="What the criteria ask beside diameters, and nobody gave")


class Evaluations(BaseModel):
    """By set of criteria: the responses in order of time. The baseline has none."""

    results: Mapping[Criteria, Sequence[Evaluated]]


@router.post("", responses=problems.of(NoSuchCriteria))
async def evaluate(asked: AskedEvaluation, efficacy: EfficacyDep, _: ReadsTrialData) -> Evaluations:
    """Judge a course of tumour measurements by any sets of criteria. Nothing is recorded."""
    if set(asked.criteria) - efficacy.engines.keys():
        raise NoSuchCriteria(f"send sets of criteria that there are: {', '.join(sorted(efficacy.engines))}")
    known = asked.known()
    readings = [(each.baseline, each.reading(known)) for each in asked.assessments]
    found = {name: await asyncio.to_thread(_by, efficacy.engines[name], readings) for name in asked.criteria}
    return Evaluations(results=found)


def _by(engine: CriteriaEngine, readings: Sequence[tuple[bool, Reading]]) -> list[Evaluated]:
    baseline = next((reading for is_baseline, reading in readings if is_baseline), None)
    others = sorted((reading for is_baseline, reading in readings if not is_baseline), key=lambda each: each.on)
    return [_evaluated(engine, baseline, others, each) for each in others]


def _evaluated(
    engine: CriteriaEngine, baseline: Reading | None, others: Sequence[Reading], current: Reading
) -> Evaluated:
    judgement = judged(engine, baseline, others, current)
    basis = judgement.basis
    return Evaluated(
        on=current.on,
        response=judgement.response,
        rule=judgement.rule,
        measure=basis.measure,
        unit=basis.unit,
        sum=basis.sum,
        percent_from_baseline=basis.percent_from_baseline,
        percent_from_nadir=basis.percent_from_nadir,
        nadir_on=basis.nadir_on,
        explanation=judgement.explanation,
        would_change=judgement.would_change,
        unknown=basis.unknown,
    )


def _id(lesion: str) -> UUID:
    return uuid5(NAMESPACE_OID, lesion)
