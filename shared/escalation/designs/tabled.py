"""What the designs with a table share: which levels are too toxic, where a table's word leads, and when it is over.

A table speaks of one level alone. "Escalate" at the highest level that may be treated means: fill it to six, then its
dose is the maximum tolerated one (MTD), which is the highest level with six treated and at most one DLT among them.
"De-escalate" rules out the level and all above it, for good: no level is entered again after it was too toxic.
"""

from collections.abc import Callable

from shared.escalation.designs.standing import (
    CountsContradict,
    Decided,
    Decision,
    LevelCount,
    NotOfThisDesign,
    Standing,
)

SIX = 6  # no table goes further, and no MTD is declared with fewer

Table = Callable[[LevelCount], Decision]


def decide(table: Table, at: Standing) -> Decided:
    """What a table says of the current level, carried out among all levels.

    Raises:
        CountsContradict: a level with more participants than the table knows.
        NotOfThisDesign: a parameter of BOIN.
    """
    _refuse_what_no_table_knows(at)
    return _Escalation(table, at).decided()


def _refuse_what_no_table_knows(at: Standing) -> None:
    asked = at.parameters
    of_boin = (asked.cohort_size, asked.max_per_level, asked.elimination_cutoff, asked.extra_safe)
    if any(each is not None for each in of_boin):
        raise NotOfThisDesign(
            "cohort_size, max_per_level, elimination_cutoff and extra_safe are parameters of BOIN: leave them out, "
            "or send design BOIN"
        )
    if any(each.enrolled > SIX for each in at.counts.values()):
        raise CountsContradict(
            "the table of this design ends at six of a level, those pending included: leave out who is not evaluable "
            "and was replaced"
        )


class _Escalation:
    """One escalation by one table."""

    def __init__(self, table: Table, at: Standing) -> None:
        self._table, self._at = table, at
        toxic = [level for level, each in at.counts.items() if table(each) is Decision.DE_ESCALATE]
        self._highest = min(toxic, default=at.parameters.levels + 1) - 1  # that may be treated; 0: none may

    def decided(self) -> Decided:
        if self._at.current_level > self._highest:
            return self._too_toxic()
        if self._at.is_full:
            return self._enrolled_as_planned()
        return self._tolerated()

    def _tolerated(self) -> Decided:
        here, level = self._at.current, self._at.current_level
        said = self._table(here)
        if said is not Decision.ESCALATE:
            return self._answer(said, None if said is Decision.WAIT else level, _OF[said])
        if level < self._highest:
            return self._answer(said, level + 1, "the table says escalate")
        last = "it is the highest level" if level == self._at.parameters.levels else "the level above is too toxic"
        if here.enrolled < SIX:
            return self._answer(Decision.EXPAND, level, f"the table says escalate, but {last}: fill it to six")
        return self._answer(Decision.DECLARE_MTD, None, f"at most one DLT among six, and {last}", level)

    def _too_toxic(self) -> Decided:
        """Two DLTs at the current level, or at one below it."""
        lower = self._highest
        if lower == 0:
            return self._answer(Decision.STOP, None, "two or more DLTs at the lowest level: no level is tolerated")
        here = self._at.at(lower)
        why = f"two or more DLTs; level {lower} has {here}"
        said = self._table(here)
        if said is Decision.WAIT:
            return self._answer(Decision.WAIT, None, f"{why}, and waits for them")
        if not self._at.parameters.allow_deescalation:
            return self._without_treating_lower(why)
        if here.enrolled >= SIX:
            return self._answer(Decision.DECLARE_MTD, None, f"{why}: at most one among six, so it is the MTD", lower)
        if self._at.is_full:
            return self._enrolled_as_planned()
        return self._answer(Decision.DE_ESCALATE, lower, f"{why}, and is filled to six")

    def _without_treating_lower(self, why: str) -> Decided:
        """Source: Lin & Shih, Biostatistics 2001;2:203-215, A + B designs without dose de-escalation."""
        why = f"{why}, and nobody is treated at a lower level again"
        lower = range(self._highest, 0, -1)
        tolerated = next((each for each in lower if self._table(self._at.at(each)) is Decision.ESCALATE), None)
        if tolerated is None:
            return self._answer(Decision.STOP, None, f"{why}: no level was found to be tolerated")
        return self._answer(Decision.DECLARE_MTD, None, f"{why}: level {tolerated} is the highest tolerated", tolerated)

    def _enrolled_as_planned(self) -> Decided:
        """No more are treated. An MTD is said only where the design found one."""
        planned = "as many are enrolled as were planned"
        if self._at.pending:
            return self._answer(Decision.WAIT, None, f"{planned}: wait until every window has closed")
        last = self._at.at(self._highest)
        if last.enrolled >= SIX:
            why = f"{planned}; level {last.level} has at most one DLT among six, and none above it may be treated"
            return self._answer(Decision.DECLARE_MTD, None, why, last.level)
        return self._answer(Decision.STOP, None, f"{planned}, and no MTD has been found")

    def _answer(self, decision: Decision, next_level: int | None, why: str, mtd: int | None = None) -> Decided:
        eliminated = tuple(range(self._highest + 1, self._at.parameters.levels + 1))
        here = f"Level {self._at.current_level}: {self._at.current}"
        return Decided(decision, next_level, mtd, eliminated, f"{here}. {decision.value.capitalize()}: {why}.")


_OF = {
    Decision.STAY: "the level takes more participants before anything is decided",
    Decision.EXPAND: "one DLT in the first cohort: the level is filled to six",
    Decision.WAIT: "what those pending show can still change the decision",
}
