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
DOSE_LIMITING = "/trial/v1/dose-limiting-toxicity"
COHORT_BOARD = "/trial/v1/cohort-board"
WATERFALL = "/trial/v1/figures/waterfall"
SURVIVAL = "/trial/v1/outcomes/survival"
SPECIMENS = "/trial/v1/specimens"
REVIEW = "/efficacy/v1/independent-reads/{participant}/review"
ADVERSE_EVENTS, RESPONSES, PERSISTENCE, CYTOKINES = (
    f"/trial/v1/outcomes/{name}" for name in ("adverse-events", "response-rate", "persistence", "cytokines")
)
TRANSGENE = {"series": "transgene"}

# The question that rests on the read model of each kind of stream, and costs least.
SHOWS = {
    "escalation": (COHORT_BOARD, {}),
    "participant": (PARTICIPANTS, {"limit": "1"}),
    "adverse-event": ("/trial/v1/adverse-events", {"limit": "1"}),
    "toxicity-episode": (DOSE_LIMITING, {}),
    "dose-limiting-toxicity": (DOSE_LIMITING, {}),
    "alert": (WORKLIST, {}),
    "case": (WORKLIST, {}),
    "tumour-burden": (WATERFALL, {}),
    "tumour-burden-reader-1": (WATERFALL, {}),
    "tumour-burden-reader-2": (WATERFALL, {}),
    "independent-review": (WATERFALL, {}),
    "specimen": (SPECIMENS, {"limit": "1"}),
    "flow-result": (PERSISTENCE, {}),
    "transgene-result": (PERSISTENCE, TRANSGENE),
    "cytokine-panel": (CYTOKINES, {}),
}


@dataclass(frozen=True, slots=True)
class Outcomes:
    """The answers of the trial, as JSON."""

    participants: Json
    adverse_events: Json
    responses: Json
    progression_free: Json
    overall: Json
    reviews: tuple[Json, ...]  # of the independent readers, one answer per participant
    persistence: Json
    transgene: Json
    cytokines: Json
    specimens: Json
    worklist: Json
    dose_limiting: Json
    cohort_board: Json
    courses: tuple[Json, ...]  # of CRS and ICANS, one answer per participant that there is


async def wait_until_shown(client: TrialClient, sent: Iterable[Sent]) -> None:
    """Return once every read model has the last write of every course.

    Events of one participant reach a read model in order, so the last of each kind of stream stands for all.
    """
    for each in sent:
        for kind, position in each.positions.items():
            path, params = SHOWS[kind]
            await client.get(path, role=Role.SPONSOR, params={**params, "wait_for": position})


async def ask(client: TrialClient) -> Outcomes:
    """The outcome tables, the safety of the trial and the participants, as a sponsor sees them."""
    questions: dict[str, tuple[str, dict[str, str] | None]] = {
        "participants": (PARTICIPANTS, {"limit": "200"}),
        "adverse_events": (ADVERSE_EVENTS, None),
        "responses": (RESPONSES, None),
        "progression_free": (SURVIVAL, {"endpoint": "pfs"}),
        "overall": (SURVIVAL, {"endpoint": "os"}),
        "persistence": (PERSISTENCE, None),
        "transgene": (PERSISTENCE, TRANSGENE),
        "cytokines": (CYTOKINES, None),
        "specimens": (SPECIMENS, {"limit": "200"}),
        "worklist": (WORKLIST, {"show": "all"}),
        "dose_limiting": (DOSE_LIMITING, None),
        "cohort_board": (COHORT_BOARD, None),
    }
    asked = (client.get(path, role=Role.SPONSOR, params=params) for path, params in questions.values())
    answers = dict(zip(questions, await asyncio.gather(*asked), strict=True))
    people = [who["participant_id"] for who in answers["participants"]["items"]]
    courses = await asyncio.gather(*(_of(client, f"{PARTICIPANTS}/{who}/crs-icans-course") for who in people))
    reviews = await asyncio.gather(*(_of(client, REVIEW.format(participant=who)) for who in people))
    return Outcomes(**answers, courses=tuple(courses), reviews=tuple(reviews))


async def _of(client: TrialClient, path: str) -> Json:
    return await client.get(path, role=Role.SPONSOR)
