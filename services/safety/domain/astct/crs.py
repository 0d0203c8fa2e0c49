"""Cytokine release syndrome, graded by the ASTCT and by CTCAE v5.0 side by side.

The two differ: high flow at FiO2 35 % is ASTCT 3 and CTCAE 2, low flow at FiO2 44 % is ASTCT 2 and CTCAE 3. The height
of the fever and the toxicity of organs change neither grade. Grade 0 means: not a cytokine release syndrome.

Sources: Lee et al., Biol Blood Marrow Transplant 2019;25:625, table of CRS; CTCAE v5.0, "Cytokine release syndrome".
"""

from dataclasses import replace
from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from services.safety.domain.astct.scale import Axis, Graded, graded, known, unknown, worst
from shared.contracts.terms import Flag, Measurement

FEVER_FROM_CELSIUS = Decimal("38.0")  # Lee 2019: 38.0 or more, with no other cause
LOW_FLOW_UNTIL_L_PER_MIN = Decimal(6)  # Lee 2019: up to 6 L/min is low flow
CTCAE_3_FROM_FIO2_PERCENT = Decimal(40)  # CTCAE v5.0: grade 2 is hypoxia that responds to less than 40 % O2
DEATH = 5


class Hypotension(StrEnum):
    """The support that blood pressure needs. Vasopressin is not counted beside another vasopressor."""

    NONE = "none"
    NO_VASOPRESSOR = "no-vasopressor"
    ONE_VASOPRESSOR = "one-vasopressor"
    MULTIPLE_VASOPRESSORS = "multiple-vasopressors"


class Hypoxia(StrEnum):
    """The support that oxygenation needs because of the syndrome; a tube that protects the airway is none."""

    NONE = "none"
    LOW_FLOW = "low-flow"  # cannula up to 6 L/min, blow-by
    HIGH_FLOW = "high-flow"  # cannula above 6 L/min, face mask, non-rebreather, Venturi
    POSITIVE_PRESSURE = "positive-pressure"  # CPAP, BiPAP, ventilation


_HYPOTENSION = {
    Hypotension.NONE: (1, "no hypotension"),
    Hypotension.NO_VASOPRESSOR: (2, "hypotension without a vasopressor"),
    Hypotension.ONE_VASOPRESSOR: (3, "hypotension on one vasopressor"),
    Hypotension.MULTIPLE_VASOPRESSORS: (4, "hypotension on more than one vasopressor"),
}
_HYPOXIA = {
    Hypoxia.NONE: (1, "no hypoxia"),
    Hypoxia.LOW_FLOW: (2, "hypoxia on low flow or blow-by"),
    Hypoxia.HIGH_FLOW: (3, "hypoxia on high flow or a mask"),
    Hypoxia.POSITIVE_PRESSURE: (4, "hypoxia on positive pressure"),
}


def _as_percent(given: Decimal) -> Decimal:
    """FiO2 is written as a fraction (0.35) or in percent (35); nothing breathed can be either."""
    percent = given * 100 if given <= 1 else given
    if not 20 <= percent <= 100:
        raise ValueError("FiO2 is a fraction from 0.2 to 1, or a percentage from 20 to 100")
    return percent


Fio2 = Annotated[
    Measurement,
    AfterValidator(_as_percent),
    Field(description="FiO2 as a fraction (0.35) or in percent (35)", examples=["0.35", "35"]),
]


class CrsFindings(BaseModel):
    """What grades a cytokine release syndrome at one instant. None: not known, which is not "none"."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fever: Flag | None = Field(None, description="38.0 C or more with no other cause")
    fever_masked: Flag | None = Field(
        None, description="Fever earlier in this episode, held down since by an antipyretic or anticytokine drug"
    )
    hypotension: Hypotension | None = None
    hypoxia: Hypoxia | None = None
    fio2: Fio2 | None = None
    life_threatening: Flag | None = Field(
        None, description="The physician's judgement, CTCAE grade 4; null: the protocol's convention stands in for it"
    )
    death: Flag | None = Field(None, description="Death due to the syndrome, with no other main cause")


def astct(findings: CrsFindings) -> Graded:
    """The ASTCT grade, 0 to 5: the worse of hypotension and hypoxia once there is fever, measured or masked."""
    severity = worst([_by_hypotension(findings), _by_hypoxia(findings)])
    return graded("ASTCT", _of_an_episode(findings, severity))


def ctcae(findings: CrsFindings, life_threatening_from_fio2: Decimal) -> Graded:
    """The CTCAE v5.0 grade, 0 to 5.

    Grade 4 is a judgement: life-threatening, urgent intervention. Where nobody gave it, the protocol's convention
    does: positive pressure beside a vasopressor, or at an FiO2 in percent of `life_threatening_from_fio2` or more.
    More than one vasopressor is past what grade 3 describes.
    """
    severity = worst(
        [_by_hypotension(findings), _by_oxygen(findings), _by_judgement(findings, life_threatening_from_fio2)]
    )
    return graded("CTCAE", _of_an_episode(findings, severity))


def _of_an_episode(findings: CrsFindings, severity: Axis) -> Axis:
    """The severity, if there is a fever to open the episode, and unless the child died of it."""
    if findings.death:
        return known(DEATH, "death due to the syndrome")
    axis = _with_fever(findings, severity)
    return axis if findings.death is False else worst([axis, unknown(0, DEATH, "death")])


def _with_fever(findings: CrsFindings, severity: Axis) -> Axis:
    if findings.fever or findings.fever_masked:
        fever = "fever" if findings.fever else "fever masked by treatment"
        return replace(severity, says=f"{fever}; {severity.says}")
    missing = [name for name in ("fever", "fever_masked") if getattr(findings, name) is None]
    if missing:
        return unknown(0, severity.highest, *missing, *severity.missing)
    return known(0, "no fever of this cause, and none masked by treatment: not a cytokine release syndrome")


def _by_hypotension(findings: CrsFindings) -> Axis:
    if findings.hypotension is None:
        return unknown(1, 4, "hypotension")
    return known(*_HYPOTENSION[findings.hypotension])


def _by_hypoxia(findings: CrsFindings) -> Axis:
    return unknown(1, 4, "hypoxia") if findings.hypoxia is None else known(*_HYPOXIA[findings.hypoxia])


def _by_oxygen(findings: CrsFindings) -> Axis:
    if findings.hypoxia is None:
        return unknown(1, 3, "hypoxia")
    if findings.hypoxia is Hypoxia.NONE:
        return known(1, "no hypoxia")
    if findings.fio2 is None:
        return unknown(2, 3, "fio2")
    grade = 3 if findings.fio2 >= CTCAE_3_FROM_FIO2_PERCENT else 2
    return known(grade, f"hypoxia at FiO2 {findings.fio2.normalize():f} %")


def _by_judgement(findings: CrsFindings, from_fio2: Decimal) -> Axis:
    if findings.life_threatening is not None:
        return known(4, "judged life-threatening") if findings.life_threatening else known(1, "")
    if findings.hypoxia is None:
        return unknown(1, 4, "hypoxia")
    if findings.hypoxia is not Hypoxia.POSITIVE_PRESSURE:
        return known(1, "")
    return _by_convention(findings, from_fio2)


def _by_convention(findings: CrsFindings, from_fio2: Decimal) -> Axis:
    if findings.hypotension in {Hypotension.ONE_VASOPRESSOR, Hypotension.MULTIPLE_VASOPRESSORS}:
        return known(4, "positive pressure beside a vasopressor counts as life-threatening by convention")
    if findings.fio2 is None:
        return unknown(1, 4, "fio2")
    if findings.fio2 >= from_fio2:
        return known(4, f"positive pressure at FiO2 {findings.fio2.normalize():f} % counts as such by convention")
    return known(1, "") if findings.hypotension is not None else unknown(1, 4, "hypotension")
