"""Every published event, gathered: importing this module registers them all."""

from shared.contracts import (
    biomarkers,
    biomarkers_assays,
    biomarkers_intake,
    biomarkers_specimens,
    biomarkers_transgene,
    efficacy,
    efficacy_review,
    enrollment,
    enrollment_anticancer_therapy,
    enrollment_consent,
    enrollment_escalation,
    enrollment_exceptions,
    enrollment_follow_up,
    enrollment_lymphodepletion,
    enrollment_product,
    safety,
    safety_cases,
    safety_clock_notices,
    safety_dose_limiting,
    safety_episodes,
    safety_laboratory,
    safety_periodic_reports,
)
from shared.kernel.events import Event, registered

MODULES = (
    enrollment,
    enrollment_anticancer_therapy,
    enrollment_consent,
    enrollment_escalation,
    enrollment_exceptions,
    enrollment_follow_up,
    enrollment_lymphodepletion,
    enrollment_product,
    safety,
    safety_cases,
    safety_clock_notices,
    safety_dose_limiting,
    safety_episodes,
    safety_laboratory,
    safety_periodic_reports,
    efficacy,
    efficacy_review,
    biomarkers,
    biomarkers_assays,
    biomarkers_intake,
    biomarkers_specimens,
    biomarkers_transgene,
)


def published() -> dict[str, type[Event]]:
    """All published events by their stored name, in alphabetical order."""
    names = {module.__name__ for module in MODULES}
    return {name: event for name, event in sorted(registered().items()) if event.__module__ in names}
