"""What became of the rows of a load, as it goes and at the end."""

from collections import Counter
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from services.loading.client import Answer
from services.loading.steps import Step


class Fate(IntEnum):
    """What became of a row. A row that became several commands fared as the worst of them."""

    UNCHANGED = 0  # it was there already
    RECORDED = 1
    REFUSED = 2


_OUTCOMES = {"repeated": Fate.UNCHANGED, "recorded": Fate.RECORDED, "corrected": Fate.RECORDED}


@dataclass
class Tally:
    """Rows by kind, with a line for each that was refused and for each group that was left out."""

    fates: dict[tuple[str, str], Fate] = field(default_factory=dict)
    weights: dict[tuple[str, str], int] = field(default_factory=dict)
    commands: Counter[Fate] = field(default_factory=Counter)
    refusals: list[str] = field(default_factory=list)
    left_out: dict[str, tuple[int, str]] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    grading: Counter[str] = field(default_factory=Counter)

    def note(self, step: Step, answer: Answer) -> str | None:
        """Take in one answer; gives the line that says why, where it refuses."""
        if not answer.accepted:
            return self.refuse(step, answer.reason)
        if step.batch:
            return self._rows(step, answer.body["rows"])
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

    def _rows(self, step: Step, answers: list[dict[str, Any]]) -> str | None:
        """Take in the answers to a batch; gives the lines of those that were not taken."""
        fates = [_OUTCOMES.get(answer["outcome"], Fate.REFUSED) for answer in answers]
        self.commands[Fate.RECORDED if Fate.RECORDED in fates else Fate.UNCHANGED] += 1
        lines = []
        for row, fate, answer in zip(step.batch, fates, answers, strict=True):
            self._row(step.kind, row, 1, fate)
            if fate is Fate.REFUSED:
                lines.append(self._say(row, f"{answer['outcome']}: {answer['problem'] or ''} {answer['says'] or ''}"))
            self.grading[_graded(answer)] += 1
        return "\n".join(lines) or None

    def graded_lines(self) -> list[str]:
        """Results by whether they could be graded, and why not."""
        return [f"lb: {rows} rows {what}" for what, rows in self.grading.most_common()]

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


def _graded(answer: dict[str, Any]) -> str:
    """Whether a result could be graded; a result of several terms counts as graded where one of them could."""
    if answer["outcome"] not in _OUTCOMES:
        return str(answer["outcome"])
    grades = answer["grades"]
    if any(grade["grade"] is not None for grade in grades):
        return "graded"
    why = grades[0]["explanation"].partition(": ")[2] if grades else answer["says"]
    return f"not gradable: {why}"
