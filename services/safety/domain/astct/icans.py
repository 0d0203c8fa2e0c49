"""Immune effector cell-associated neurotoxicity syndrome (ICANS), graded by the ASTCT, and as CTCAE v5.0 records it.

CTCAE v5.0 has no term for it. It is recorded under an "Other, specify" term, whose grades are the generic scale (mild,
moderate, severe, life-threatening, death), onto which the ASTCT grade is mapped one to one. Grade 0 means: none.

Source: Lee et al., Biol Blood Marrow Transplant 2019;25:625, tables of ICANS, of ICE and of CAPD under 12 years.
"""

from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from services.safety.domain.astct.scale import Axis, Graded, graded, known, unknown, worst
from shared.contracts.safety_episodes import Consciousness, Oedema, Seizure
from shared.contracts.terms import Flag, Measurement

MAPPING = "ASTCT grade of ICANS as the generic severity scale of CTCAE"
DEATH = 5

# The lowest score of a grade, from the best score on.
ICE_BANDS = ((10, 0), (7, 1), (3, 2), (0, 3))  # 10 is normal; 0 of a child who cannot be roused is grade 4
# From the worst score on. 1 to 8 is grade 1 or 2: how the child awakens tells which.
CAPD_BANDS = ((9, 3), (1, 1), (0, 0))
WORST_SCORE = 3  # what the score alone can amount to, of a child who can be tested


_CONSCIOUSNESS = {
    Consciousness.AWAKE: (0, "awakens spontaneously"),
    Consciousness.VOICE: (2, "awakens to voice"),
    Consciousness.TOUCH: (3, "awakens only to touch"),
    Consciousness.VIGOROUS: (4, "awakens only to vigorous or repeated touch"),
    Consciousness.UNAROUSABLE: (4, "cannot be roused"),
}
_SEIZURE = {
    Seizure.NONE: (0, "no seizure"),
    Seizure.BRIEF: (3, "seizure that resolves fast"),
    Seizure.EEG_ONLY: (3, "seizure on EEG that resolves with treatment"),
    Seizure.PROLONGED: (4, "seizure of more than 5 min"),
    Seizure.REPETITIVE: (4, "repetitive seizures without return to baseline"),
}
_OEDEMA = {
    Oedema.NONE: (0, "no cerebral oedema"),
    Oedema.FOCAL: (3, "focal oedema"),
    Oedema.DIFFUSE: (4, "diffuse oedema or signs of raised pressure"),
}


class Instrument(StrEnum):
    """ICE needs a child who reads, writes and counts; CAPD is what an observer sees."""

    ICE = "ice"
    CAPD = "capd"


class IcansFindings(BaseModel):
    """What grades ICANS at one instant, as far as nothing else explains it. None: not known, which is not "none".

    A score that could not be taken because the child cannot be roused is None: `consciousness` says why.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    age_years: Annotated[Measurement, Field(ge=0, le=130)] | None = Field(None, description="Age at the assessment")
    developmental_delay: Flag | None = Field(None, description="true: CAPD at any age")
    ice: Annotated[int, Field(strict=True, ge=0, le=10)] | None = Field(None, description="ICE score; 10 is normal")
    capd: Annotated[int, Field(strict=True, ge=0, le=32)] | None = Field(None, description="CAPD score; 0 is normal")
    consciousness: Consciousness | None = None
    seizure: Seizure | None = None
    motor_weakness: Flag | None = Field(None, description="Deep focal weakness, such as hemiparesis")
    oedema: Oedema | None = None
    death: Flag | None = Field(None, description="Death due to ICANS, with no other main cause")


def astct(findings: IcansFindings, ice_from_age: Decimal) -> Graded:
    """The ASTCT grade, 0 to 5: the worst domain. `ice_from_age`: from this age in years on ICE takes CAPD's place."""
    return graded("ASTCT", _severity(findings, ice_from_age))


def ctcae(findings: IcansFindings, ice_from_age: Decimal) -> Graded:
    """The grade under CTCAE's "Other, specify": that of the ASTCT, mapped onto the generic scale."""
    found = graded("CTCAE (Other, specify)", _severity(findings, ice_from_age))
    if found.grade is None:
        return found
    return Graded(found.grade, f"CTCAE (Other, specify) {found.grade}: {MAPPING}.")


def instrument(age_years: Decimal | None, developmental_delay: bool | None, ice_from_age: Decimal) -> Instrument | None:
    """The instrument that fits the child; None where age or development leave it open."""
    if developmental_delay or (age_years is not None and age_years < ice_from_age):
        return Instrument.CAPD
    return None if age_years is None or developmental_delay is None else Instrument.ICE


def _severity(findings: IcansFindings, ice_from_age: Decimal) -> Axis:
    if findings.death:
        return known(DEATH, "death due to ICANS")
    domains = [
        _by_score(findings, ice_from_age),
        _by_consciousness(findings),
        _by_seizure(findings),
        _by_weakness(findings),
        _by_oedema(findings),
    ]
    axis = worst(domains)
    return axis if findings.death is False else worst([axis, unknown(0, DEATH, "death")])


def _by_score(findings: IcansFindings, ice_from_age: Decimal) -> Axis:
    match instrument(findings.age_years, findings.developmental_delay, ice_from_age):
        case Instrument.ICE:
            return _by_ice(findings.ice)
        case Instrument.CAPD:
            return _by_capd(findings.capd)
        case _:
            return _by_either(findings)


def _by_ice(score: int | None) -> Axis:
    if score is None:
        return unknown(0, WORST_SCORE, "ice")
    return known(next(grade for lowest, grade in ICE_BANDS if score >= lowest), f"ICE {score}")


def _by_capd(score: int | None) -> Axis:
    if score is None:
        return unknown(0, WORST_SCORE, "capd")
    return known(next(grade for lowest, grade in CAPD_BANDS if score >= lowest), f"CAPD {score}")


def _by_either(findings: IcansFindings) -> Axis:
    """Which instrument fits is open: the score may mean whatever either makes of it."""
    both: Sequence[Axis] = (_by_ice(findings.ice), _by_capd(findings.capd))
    asked = [name for name in ("age_years", "developmental_delay") if getattr(findings, name) is None]
    if findings.ice is None and findings.capd is None:
        asked.append("ice or capd")
    return unknown(min(each.lowest for each in both), max(each.highest for each in both), *asked)


def _by_consciousness(findings: IcansFindings) -> Axis:
    if findings.consciousness is None:
        return unknown(0, 4, "consciousness")
    return known(*_CONSCIOUSNESS[findings.consciousness])


def _by_seizure(findings: IcansFindings) -> Axis:
    return unknown(0, 4, "seizure") if findings.seizure is None else known(*_SEIZURE[findings.seizure])


def _by_weakness(findings: IcansFindings) -> Axis:
    if findings.motor_weakness is None:
        return unknown(0, 4, "motor_weakness")
    return known(4, "deep focal weakness") if findings.motor_weakness else known(0, "no focal weakness")


def _by_oedema(findings: IcansFindings) -> Axis:
    return unknown(0, 4, "oedema") if findings.oedema is None else known(*_OEDEMA[findings.oedema])
