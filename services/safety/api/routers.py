"""Every route of safety, in the order in which its API page shows them."""

from services.safety.api import adverse_events, alerts, ctcae
from services.safety.api.cases import cases, e2b, periodic_reports, reference_safety_information
from services.safety.api.laboratory import gradings as laboratory_gradings
from services.safety.api.laboratory import laboratories, participants, quarantine, results
from services.safety.api.toxicity import dose_limiting, episodes, stopping_rules
from services.safety.api.toxicity import gradings as toxicity_gradings

ROUTERS = (
    adverse_events.router,
    alerts.router,
    ctcae.router,
    toxicity_gradings.router,
    laboratory_gradings.router,
    laboratories.router,
    results.router,
    quarantine.router,
    participants.router,
    episodes.router,
    dose_limiting.router,
    stopping_rules.router,
    cases.router,
    e2b.router,
    reference_safety_information.router,
    periodic_reports.router,
)
