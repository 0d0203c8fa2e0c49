"""Episodes of the child of the builders: what was seen, as JSON, naming only what matters."""

from typing import Any
from uuid import UUID

from tests.services.safety.builders import CHILD

EPISODE = UUID("018f2b6e-7a11-7c31-9d2e-0c7a5b1e4d77")
EVENT = UUID("90875692-c5d1-55bc-b51f-7f12c96ad335")  # of the episode, by the rule of `episode_log`
ONSET = "2026-03-15T21:00:00+07:00"


def at(time: str) -> str:
    """`16T06:00` of March 2026 in Bangkok."""
    return f"2026-03-{time}:00+07:00"


def crs(time: str, **seen: Any) -> dict[str, Any]:
    """An observation of CRS: fever and nothing else, but for what is named."""
    usual = {
        "kind": "crs",
        "temperature_c": "38.5",
        "fever_has_other_cause": False,
        "antipyretic_or_anticytokine": None,
        "hypotension": "none",
        "oxygen_device": "room-air",
        "oxygen_need_due_to_crs": True,
        "death": False,
    }
    return {"observed_at": at(time) if time else ONSET, "observation": {**usual, **seen}}


def icans(**seen: Any) -> dict[str, Any]:
    usual = {
        "kind": "icans",
        "consciousness": "awake",
        "seizure": "none",
        "motor_weakness": False,
        "oedema": "none",
        "death": False,
    }
    return {**usual, **seen}


def opening(**changed: Any) -> dict[str, Any]:
    """An episode of CRS that began with a fever on the evening of 15 March."""
    return {
        "episode_id": str(EPISODE),
        "participant_id": str(CHILD),
        "kind": "crs",
        "onset": ONSET,
        "became_aware_at": ONSET,
        **crs(""),
        **changed,
    }
