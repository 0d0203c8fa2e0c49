"""Asks the trial for its outcomes, once everything that was sent has arrived in them."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from services.loading.client import TrialClient
from services.loading.sending import Sent
from shared.kernel.actor import Role

Json = dict[str, Any]

PARTICIPANTS = "/trial/v1/participants"
WORKLIST = "/trial/v1/sae-worklist"
ADVERSE_EVENTS, RESPONSES, PERSISTENCE, CYTOKINES = (
    f"/trial/v1/outcomes/{name}" for name in ("adverse-events", "response-rate", "persistence", "cytokines")
)

# The question that rests on the read model of each kind of stream, and costs least.
SHOWS = {
    "participant": (PARTICIPANTS, {"limit": "1"}),
    "adverse-event": ("/trial/v1/adverse-events", {"limit": "1"}),
    # An episode and its adverse event are written, and arrive, together.
    "toxicity-episode": ("/trial/v1/adverse-events", {"limit": "1"}),
    "alert": (WORKLIST, {}),
    "tumour-burden": (RESPONSES, {}),
    "flow-result": (PERSISTENCE, {}),
    "cytokine-panel": (CYTOKINES, {}),
}


@dataclass(frozen=True, slots=True)
class Outcomes:
    """The answers of the trial, as JSON."""

    participants: Json
    adverse_events: Json
    responses: Json
    persistence: Json
    cytokines: Json
    worklist: Json


async def wait_until_shown(client: TrialClient, sent: Iterable[Sent]) -> None:
    """Return once every read model has the last write of every course.

    Events of one participant reach a read model in order, so the last of each kind of stream stands for all.
    """
    for each in sent:
        for kind, position in each.positions.items():
            path, params = SHOWS[kind]
            await client.get(path, role=Role.SPONSOR, params={**params, "wait_for": position})


async def ask(client: TrialClient) -> Outcomes:
    """The outcome tables, the list of serious events and the participants, as a sponsor sees them."""
    questions = (
        (PARTICIPANTS, {"limit": "200"}),
        (ADVERSE_EVENTS, None),
        (RESPONSES, None),
        (PERSISTENCE, None),
        (CYTOKINES, None),
        (WORKLIST, {"show": "all"}),
    )
    asked = (client.get(path, role=Role.SPONSOR, params=params) for path, params in questions)
    return Outcomes(*await asyncio.gather(*asked))
