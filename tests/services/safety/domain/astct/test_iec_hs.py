"""IEC-HS is what the physician says it is, with its grounds listed."""

import pytest

from services.safety.domain.astct import iec_hs
from shared.contracts.safety_episodes import IecHsFinding, IecHsObservation


@pytest.mark.parametrize("severity", range(6))
def test_the_severity_is_the_physicians(severity: int) -> None:
    seen = IecHsObservation(severity=severity, findings=(IecHsFinding.FERRITIN, IecHsFinding.CYTOPENIA))
    found = iec_hs.graded(seen)
    assert found.grade == severity
    assert found.explanation == f"IEC-HS {severity} by the physician's judgement: cytopenia, ferritin."


def test_findings_alone_make_no_diagnosis() -> None:
    found = iec_hs.graded(IecHsObservation(findings=tuple(IecHsFinding)))
    assert (found.grade, found.missing) == (None, ("severity",))


def test_a_severity_without_the_required_ferritin_says_so() -> None:
    assert iec_hs.graded(IecHsObservation(severity=2)).explanation == (
        "IEC-HS 2 by the physician's judgement: no findings listed; the required ferritin criterion is not among them."
    )
