"""All read models of the projector, so that one worker can feed them and one migration make them."""

from services.projector.readmodels import (
    adverse_events,
    alerts,
    anticancer_therapies,
    candidates,
    case_clocks,
    cytokine_panels,
    dose_limiting,
    flow_results,
    lymphodepletions,
    participants,
    periodic_clocks,
    quarantined_rows,
    responses,
    timeline,
    toxicity_episodes,
    tumour_changes,
)

PROJECTIONS = (
    participants.PROJECTION,
    lymphodepletions.PROJECTION,
    anticancer_therapies.PROJECTION,
    adverse_events.PROJECTION,
    alerts.PROJECTION,
    case_clocks.PROJECTION,
    responses.PROJECTION,
    flow_results.PROJECTION,
    cytokine_panels.PROJECTION,
    timeline.PROJECTION,
    toxicity_episodes.PROJECTION,
    dose_limiting.PROJECTION,
    candidates.PROJECTION,
    tumour_changes.PROJECTION,
    quarantined_rows.PROJECTION,
    periodic_clocks.PROJECTION,
)
