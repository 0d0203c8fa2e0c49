"""A calculator of cell kinetics: it looks at the values it is given, keeps nothing, and is about nobody."""

from collections.abc import Iterator
from decimal import Decimal
from itertools import groupby
from typing import Annotated, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, model_validator

from services.biomarkers.api.permissions import BiomarkersDep
from shared.auth.permissions import ReadsTrialData
from shared.contracts.terms import Flag, Measurement
from shared.http import problems
from shared.http.service_app import router as make_router
from shared.kinetics.noncompartmental import KineticRule, Kinetics, kinetics
from shared.kinetics.points import BlqRule, CurveRule, Point, TwoValuesAtOneTime
from shared.protocol import AucMethod, Protocol

router = make_router("/v1/evaluations", "Evaluations")

MOST_POINTS = 1000
BY_THE_PROTOCOL = "left out: as the protocol has it"

T = TypeVar("T")

NotNegative = Annotated[Measurement, Field(ge=0)]
Limit = Annotated[Measurement, Field(gt=0)]
Plain = Annotated[
    Decimal,
    PlainSerializer(lambda number: format(number.normalize(), "f"), return_type=str, when_used="json"),
    Field(description="A decimal, as a string; computed ones have 15 significant digits", examples=["12.5"]),
]


class _Given(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class KineticPoint(_Given):
    """One sample. A `value` below `lloq`, and 0, are below the limit whatever `qualifier` says; null is missing."""

    time_d: Annotated[Measurement, Field(description="Since the infusion; a plain number, in days or any other unit")]
    value: Annotated[NotNegative | None, Field(description="With `<`: null, or the limit")] = None
    qualifier: Annotated[Literal["<"] | None, Field(description="`<`: below the limit of quantification")] = None
    lloq: Annotated[Limit | None, Field(description="Lower limit of quantification; null: not known")] = None

    def point(self) -> Point:
        if self.qualifier is None:
            return Point(self.time_d, self.value, self.lloq)
        return Point(self.time_d, None, self.lloq or self.value or None, below=True)


class KineticOptions(_Given):
    """How a curve is read. What is left out is as the protocol has it."""

    auc_method: AucMethod | None = Field(None, description=f"{BY_THE_PROTOCOL}")
    interval_d: tuple[NotNegative, NotNegative] | None = Field(
        None, description=f"From when to when `auc_interval` is, in the unit of `time_d`; {BY_THE_PROTOCOL}"
    )
    blq_before_first: BlqRule | None = Field(None, description=f"What stands for it; {BY_THE_PROTOCOL}")
    blq_between: BlqRule | None = Field(None, description=f"What stands for it; {BY_THE_PROTOCOL}")
    blq_after_last: Literal["drop"] | None = Field(None, description="A curve ends with its last quantifiable value")
    predose_zero: Flag | None = Field(
        None, description=f"Whether the curve begins with 0 at 0 where nothing was measured then; {BY_THE_PROTOCOL}"
    )
    lambda_z_min_adjusted_r2: Annotated[Measurement, Field(ge=0, le=1)] | None = Field(
        None, description=f"Below it `lambda_z` is not reported; {BY_THE_PROTOCOL}"
    )

    @model_validator(mode="after")
    def _interval_begins_before_it_ends(self) -> Self:
        if self.interval_d is not None and self.interval_d[0] >= self.interval_d[1]:
            raise ValueError("interval_d is a beginning and a later end")
        return self

    def rule(self, protocol: Protocol) -> KineticRule:
        usual = KineticRule.of(protocol)
        return KineticRule(
            auc_method=_or(self.auc_method, usual.auc_method),
            interval=_or(self.interval_d, usual.interval),
            blq=CurveRule(
                before_first=_or(self.blq_before_first, usual.blq.before_first),
                between=_or(self.blq_between, usual.blq.between),
                predose_zero=_or(self.predose_zero, usual.blq.predose_zero),
            ),
            lambda_z_points=usual.lambda_z_points,
            lambda_z_adjusted_r2=_or(self.lambda_z_min_adjusted_r2, usual.lambda_z_adjusted_r2),
        )


def _or(asked: T | None, by_the_protocol: T) -> T:
    return by_the_protocol if asked is None else asked


class AskedKinetics(_Given):
    """The values of one participant after one infusion, in any order, and how to read them."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "points": [
                        {"time_d": "7", "value": "12.5", "qualifier": None, "lloq": "0.1"},
                        {"time_d": "14", "value": "40", "qualifier": None, "lloq": "0.1"},
                        {"time_d": "21", "value": "18", "qualifier": None, "lloq": "0.1"},
                        {"time_d": "30", "value": "6.5", "qualifier": None, "lloq": "0.1"},
                        {"time_d": "60", "value": "0.7", "qualifier": None, "lloq": "0.1"},
                        {"time_d": "90", "value": None, "qualifier": "<", "lloq": "0.1"},
                    ],
                    "options": {
                        "auc_method": "linear-up-log-down",
                        "interval_d": ["0", "28"],
                        "blq_before_first": "zero",
                        "blq_between": "half-lloq",
                        "blq_after_last": "drop",
                        "predose_zero": True,
                    },
                }
            ]
        },
    )

    points: Annotated[tuple[KineticPoint, ...], Field(max_length=MOST_POINTS)]
    options: KineticOptions | None = None


class EvaluatedKinetics(BaseModel):
    """What the values amount to. null: it cannot be had, and `explanation` names it and says why."""

    cmax: Plain | None = Field(description="The highest quantifiable value")
    tmax_d: Plain | None = Field(description="Its time, the first if tied")
    clast: Plain | None = Field(description="The last quantifiable value")
    tlast_d: Plain | None
    auc_last: Plain | None = Field(description="From 0, or the first value that is known, to Tlast")
    auc_interval: Plain | None = Field(description="Over `interval_d`, interpolated at its ends, never extrapolated")
    auc_inf: Plain | None = Field(description="`auc_last` + Clast / `lambda_z`")
    lambda_z: Plain | None = Field(description="Of the fit with the best adjusted R2, per unit of `time_d`")
    half_life_d: Plain | None = Field(description="ln 2 / `lambda_z`")
    lambda_z_points: int | None
    adjusted_r2: Plain | None
    explanation: str

    @classmethod
    def of(cls, found: Kinetics) -> Self:
        return cls(
            cmax=found.cmax,
            tmax_d=found.tmax,
            clast=found.clast,
            tlast_d=found.tlast,
            auc_last=found.auc_last,
            auc_interval=found.auc_interval,
            auc_inf=found.auc_inf,
            lambda_z=found.lambda_z,
            half_life_d=found.half_life,
            lambda_z_points=found.lambda_z_points,
            adjusted_r2=found.adjusted_r2,
            explanation=" ".join((*found.remarks, *_reasons(found))),
        )


_TIMES = {"tmax": "tmax_d", "tlast": "tlast_d", "half_life": "half_life_d"}


def _reasons(found: Kinetics) -> Iterator[str]:
    """Why what is null cannot be had, once for all that share the reason."""
    by_reason = sorted(found.missing.items(), key=lambda each: each[1])
    for why, same in groupby(by_reason, key=lambda each: each[1]):
        yield f"{', '.join(_TIMES.get(name, name) for name, _ in same)}: null, as {why}."


@router.post("/kinetics", responses=problems.of(TwoValuesAtOneTime))
async def evaluate_kinetics(asked: AskedKinetics, biomarkers: BiomarkersDep, _: ReadsTrialData) -> EvaluatedKinetics:
    """Non-compartmental kinetics of one curve: peak, last value, areas, terminal half-life, and why what is missing is.

    Nothing is recorded. Sampled at visits alone, a peak between two of them is not seen: Cmax and Tmax are those
    observed.
    """
    options = asked.options or KineticOptions()
    return EvaluatedKinetics.of(kinetics((each.point() for each in asked.points), options.rule(biomarkers.protocol)))
