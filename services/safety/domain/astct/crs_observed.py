"""From what was seen at the bedside to what grades a cytokine release syndrome.

Fever opens the episode. Once a drug holds it down, it is no longer needed (Lee 2019): a fever earlier in the episode
and an antipyretic or anticytokine drug since keep the syndrome.
"""

from collections.abc import Sequence

from services.safety.domain.astct.crs import (
    FEVER_FROM_CELSIUS,
    LOW_FLOW_UNTIL_L_PER_MIN,
    CrsFindings,
    Hypotension,
    Hypoxia,
)
from shared.contracts.safety_episodes import CrsObservation, HypotensionSupport, OxygenDevice

_HYPOTENSION = {
    HypotensionSupport.NONE: Hypotension.NONE,
    HypotensionSupport.FLUIDS: Hypotension.NO_VASOPRESSOR,
    HypotensionSupport.ONE_VASOPRESSOR: Hypotension.ONE_VASOPRESSOR,
    HypotensionSupport.ONE_VASOPRESSOR_AND_VASOPRESSIN: Hypotension.ONE_VASOPRESSOR,
    HypotensionSupport.VASOPRESSIN_ALONE: Hypotension.ONE_VASOPRESSOR,  # a convention, to be confirmed
    HypotensionSupport.MULTIPLE_VASOPRESSORS: Hypotension.MULTIPLE_VASOPRESSORS,
}
_HYPOXIA = {
    OxygenDevice.ROOM_AIR: Hypoxia.NONE,
    OxygenDevice.LOW_FLOW_CANNULA: Hypoxia.LOW_FLOW,
    OxygenDevice.BLOW_BY: Hypoxia.LOW_FLOW,
    OxygenDevice.HIGH_FLOW_CANNULA: Hypoxia.HIGH_FLOW,
    OxygenDevice.FACE_MASK: Hypoxia.HIGH_FLOW,
    OxygenDevice.VENTURI_MASK: Hypoxia.HIGH_FLOW,
    OxygenDevice.NON_REBREATHER: Hypoxia.HIGH_FLOW,
    OxygenDevice.CPAP: Hypoxia.POSITIVE_PRESSURE,
    OxygenDevice.BIPAP: Hypoxia.POSITIVE_PRESSURE,
    OxygenDevice.VENTILATION: Hypoxia.POSITIVE_PRESSURE,
}


def fever(seen: CrsObservation) -> bool | None:
    """Whether there is a fever of the syndrome; None where temperature or cause are not known."""
    if seen.temperature_c is None:
        return None
    if seen.temperature_c < FEVER_FROM_CELSIUS:
        return False
    return None if seen.fever_has_other_cause is None else not seen.fever_has_other_cause


def findings(seen: CrsObservation, earlier: Sequence[CrsObservation], *, drug_before: bool) -> CrsFindings:
    """What grades the syndrome at this instant, after the `earlier` observations of its episode.

    `drug_before`: whether the episode's treatments hold a drug given by then that masks fever.
    """
    drug = drug_before or seen.antipyretic_or_anticytokine
    return CrsFindings(
        fever=fever(seen),
        fever_masked=_both(_fever_before(seen, earlier), drug),
        hypotension=None if seen.hypotension is None else _HYPOTENSION[seen.hypotension],
        hypoxia=_hypoxia(seen),
        fio2=seen.fio2_percent,
        life_threatening=seen.life_threatening,
        death=seen.death,
    )


def _fever_before(seen: CrsObservation, earlier: Sequence[CrsObservation]) -> bool | None:
    """Whether the episode had a fever before; None where one may have been, or the first observation says nothing."""
    measured = [fever(each) for each in earlier]
    told = [each.fever_earlier for each in (*earlier, seen) if each.fever_earlier is not None]
    if True in measured or True in told:
        return True
    return None if None in measured or not (earlier or told) else False


def _hypoxia(seen: CrsObservation) -> Hypoxia | None:
    if seen.oxygen_need_due_to_crs is False or seen.oxygen_device is OxygenDevice.ROOM_AIR:
        return Hypoxia.NONE
    if seen.oxygen_device is None or seen.oxygen_need_due_to_crs is None:
        return None
    hypoxia = _HYPOXIA[seen.oxygen_device]
    if seen.oxygen_device is OxygenDevice.LOW_FLOW_CANNULA and (seen.flow_l_per_min or 0) > LOW_FLOW_UNTIL_L_PER_MIN:
        return Hypoxia.HIGH_FLOW
    return hypoxia


def _both(one: bool | None, other: bool | None) -> bool | None:
    """False if one of them is; else None if one of them may be."""
    if one is False or other is False:
        return False
    return None if one is None or other is None else True
