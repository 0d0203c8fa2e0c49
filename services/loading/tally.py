"""What became of the rows of a load, as it goes and at the end."""

from collections import Counter
from dataclasses import dataclass, field
from enum import IntEnum

from services.loading.client import Answer
from services.loading.steps import Step


class Fate(IntEnum):
    """What became of a row. A row that became several commands fared as the worst of them."""

    UNCHANGED = 0  # it was there already
    RECORDED = 1
    REFUSED = 2


@dataclass
class Tally:
    """Rows by kind, with a line for each that was refused and for each group that was left out."""

    fates: dict[tuple[str, str], Fate] = field(default_factory=dict)
    weights: dict[tuple[str, str], int] = field(default_factory=dict)
    commands: Counter[Fate] = field(default_factory=Counter)
    refusals: list[str] = field(default_factory=list)
    left_out: dict[str, tuple[int, str]] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    def note(self, step: Step, answer: Answer) -> str | None:
        """Take in one answer; gives the line that says why, where it refuses."""
        if not answer.accepted:
            return self.refuse(step, answer.reason)
        self._fared(step, Fate.UNCHANGED if answer.replayed else Fate.RECORDED)
        return None

    def refuse(self, step: Step, why: str) -> str:
        """A command that was refused, or not sent for the reason given."""
        self._fared(step, Fate.REFUSED)
        return self._say(step.row, why)

    def refuse_row(self, kind: str, row: str, why: str, rows: int = 1) -> str:
        """A row, or so many that belong together, that no command could be made of."""
        self._row(kind, row, rows, Fate.REFUSED)
        return self._say(row, why)

    def leave_out(self, what: str, rows: int, why: str) -> None:
        """Rows that nothing was sent for, knowingly."""
        if rows:
            before, _ = self.left_out.get(what, (0, why))
            self.left_out[what] = (before + rows, why)

    def _fared(self, step: Step, fate: Fate) -> None:
        self.commands[fate] += 1
        self._row(step.kind, step.row, step.rows, fate)
        for kind, row in step.beside:
            self._row(kind, row, 1, fate)

    def _row(self, kind: str, row: str, lines: int, fate: Fate) -> None:
        self.fates[kind, row] = max(fate, self.fates.get((kind, row), fate))
        self.weights[kind, row] = max(lines, self.weights.get((kind, row), 0))

    def _say(self, row: str, why: str) -> str:
        line = f"{row}: {why}"
        self.refusals.append(line)
        return line

    def kinds(self) -> tuple[str, ...]:
        """In the order in which they first came."""
        return tuple(dict.fromkeys(kind for kind, _ in self.fates))

    def rows(self, kind: str, fate: Fate) -> int:
        return sum(self.weights[key] for key, fared in self.fates.items() if key[0] == kind and fared is fate)

    @property
    def changed_nothing(self) -> bool:
        return self.commands[Fate.RECORDED] == 0
