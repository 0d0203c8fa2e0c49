"""Whether a response was confirmed by a later one.

CR needs a CR the minimum time later, with nothing but CR and at most so many NE between. PR needs a PR or CR, with
nothing worse between than at most so many NE and, where that is accepted, one SD; and no PR after a CR. MR needs MR
or better, by the rules of PR [D]; between two PR it stands as an SD does. An assessment that was not done, and
progression, even unconfirmed, break a confirmation.

Source: admiralonco, derive_param_confirmed_bor, "Details"; for iRECIST its vignette.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.response.readings import Merit, Reading, days_for_certain

CONFIRMABLE = frozenset({Merit.CR, Merit.PR, Merit.MR})


@dataclass(frozen=True, slots=True)
class ConfirmationRule:
    """`accept_sd`: one stable reading may lie between two partial responses."""

    days: int
    max_ne: int
    accept_sd: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """By what a response was confirmed; else why it was not."""

    by: Reading | None
    why_not: str = ""


def confirmation(readings: Sequence[Reading], place: int, rule: ConfirmationRule) -> Verdict:
    """Look for the confirmation of one of the readings, which are in order of time and end with progression."""
    first = readings[place]
    unseen = stable = 0
    complete: Reading | None = None
    for later in readings[place + 1 :]:
        if later.merit is Merit.NE:
            unseen += 1
            if unseen > rule.max_ne:
                return Verdict(None, f"more than {rule.max_ne} NE followed")
        elif later.merit <= first.merit:
            if complete is not None and later.merit is Merit.PR:
                return Verdict(None, f"{later} came after {complete}")
            if days_for_certain(first.on, later.on) >= rule.days:
                return Verdict(later)
            if later.merit is Merit.CR:
                complete = later
        elif first.merit is not Merit.CR and later.merit in {Merit.MR, Merit.SD}:
            stable += 1
            if stable > rule.accept_sd:
                return Verdict(None, f"{later} came between")
        else:
            return Verdict(None, f"{later} came between")
    return Verdict(None, f"none followed that confirms it {rule.days} days later or more")
