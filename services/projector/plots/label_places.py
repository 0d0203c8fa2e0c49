"""Where labels beside points stand so that none covers another."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Label:
    """A label of one line, in pixels: its left edge, the middle where it would stand best, and its width."""

    left: float
    middle: float
    width: float

    def beside(self, other: "Label") -> bool:
        """Whether the two stand clear of each other at any height."""
        return self.left >= other.left + other.width or other.left >= self.left + self.width


def spread(labels: Sequence[Label], *, height: float, bottom: float) -> list[float]:
    """A middle for each label, as near to its best as can be, within 0 and `bottom`, so that none covers another.

    Where there is no room for all of them the last ones stay at their best place.
    """
    placed: list[tuple[Label, float]] = []
    for label in sorted(labels, key=lambda each: (each.middle, each.left)):
        taken = [middle for other, middle in placed if not label.beside(other)]
        best = min(max(label.middle, height / 2), bottom - height / 2)
        options = [best, *(middle + side * height for middle in taken for side in (-1, 1))]
        free = [
            option
            for option in options
            if height / 2 <= option <= bottom - height / 2
            and all(abs(option - middle) >= height - 1e-9 for middle in taken)
        ]
        placed.append((label, min(free, key=lambda option: abs(option - label.middle), default=best)))
    found = {id(label): middle for label, middle in placed}
    return [found[id(label)] for label in labels]
