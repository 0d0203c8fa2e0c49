"""IEC-HS, the haemophagocytic syndrome of effector cells: a physician's diagnosis with its grounds listed.

It is never diagnosed here. The severity is what the physician says, 1 to 5; it is CTCAE's generic scale by its very
words (mild, moderate, severe, life-threatening, death), under an "Other, specify" term.

Source: Hines et al., Transplant Cell Ther 2023, as far as it is generally known; its table was not at hand.
"""

from services.safety.domain.astct.scale import Graded
from shared.contracts.safety_episodes import IecHsFinding, IecHsObservation

MAPPING = "Severity of IEC-HS as the generic severity scale of CTCAE"


def graded(seen: IecHsObservation) -> Graded:
    """The severity as it was given, with what it rests on; None where none was given."""
    if seen.severity is None:
        return Graded(None, "IEC-HS not graded: missing severity.", ("severity",))
    grounds = ", ".join(sorted(seen.findings)) or "no findings listed"
    required = "" if IecHsFinding.FERRITIN in seen.findings else "; the required ferritin criterion is not among them"
    return Graded(seen.severity, f"IEC-HS {seen.severity} by the physician's judgement: {grounds}{required}.")
