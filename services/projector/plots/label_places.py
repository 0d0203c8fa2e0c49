"""Where labels beside points stand so that none covers another, nor a mark."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

MARK, FARTHEST = 4.0, 40.0  # pixels: half of a mark; how far a label moves to uncover one


@dataclass(frozen=True, slots=True)
class Label:
    """A label of one line, in pixels: its left edge, the middle where it would stand best, and its width."""

    left: float
    middle: float
    width: float

    def beside(self, other: "Label") -> bool:
        """Whether the two stand clear of each other at any height."""
        return self.left >= other.left + other.width or other.left >= self.left + self.width


def spread(
    labels: Sequence[Label], *, height: float, bottom: float, marks: Sequence[tuple[float, float]] = ()
) -> list[float]:
    """A middle for each label, as near to its best as can be, within 0 and `bottom`, so that none covers another.

    A label moves a little farther rather than cover one of the `marks` (across and down, in pixels). Where there is no
    room for all of them the last ones stay at their best place. Of labels above each other the higher best is higher.
    """
    placed: list[tuple[Label, float]] = []
    for label in sorted(labels, key=lambda each: (each.middle, each.left)):
        taken = [middle for other, middle in placed if not label.beside(other)]
        covered = [down for across, down in marks if label.left - MARK <= across <= label.left + label.width + MARK]
        best = min(max(label.middle, height / 2), bottom - height / 2)
        aside = [*((middle, height) for middle in taken), *((down, height / 2 + MARK) for down in covered)]
        options = [best, *(middle + side * away for middle, away in aside for side in (-1, 1))]
        free = [
            option
            for option in options
            if height / 2 <= option <= bottom - height / 2 and _clear(option, taken, height)
        ]
        uncovering = [
            option
            for option in free
            if abs(option - label.middle) <= FARTHEST and _clear(option, covered, height / 2 + MARK)
        ]
        placed.append((label, min(uncovering or free, key=lambda option: abs(option - label.middle), default=best)))
    return _in_order(labels, placed)


def _clear(option: float, middles: Iterable[float], away: float) -> bool:
    return all(abs(option - middle) >= away - 1e-9 for middle in middles)


def _in_order(labels: Sequence[Label], placed: Iterable[tuple[Label, float]]) -> list[float]:
    """The places that labels of one left edge and width have, given to them in the order of their best places."""
    places: dict[tuple[float, float], list[float]] = defaultdict(list)
    for label, middle in placed:
        places[label.left, label.width].append(middle)
    free = {column: iter(sorted(middles)) for column, middles in places.items()}
    ordered = sorted(range(len(labels)), key=lambda number: labels[number].middle)
    found = {number: next(free[labels[number].left, labels[number].width]) for number in ordered}
    return [found[number] for number in range(len(labels))]
