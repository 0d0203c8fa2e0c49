"""The 3+3 design, as in `three_plus_three.csv`: cohorts of three, two DLTs among up to six are too many.

While windows are open nothing is decided, except what they can no longer change: what the table says is the same
whether each of those pending has a DLT or none has. Two DLTs so decide at once.
"""

import csv
from functools import cache
from pathlib import Path
from types import MappingProxyType

from shared.escalation.designs import tabled
from shared.escalation.designs.standing import Decided, Decision, LevelCount, Standing

_FILE = Path(__file__).with_suffix(".csv")


def decide(at: Standing) -> Decided:
    return tabled.decide(says, at)


def says(count: LevelCount) -> Decision:
    """What the table says of one level."""
    best, worst = (_row(count.closed(with_dlt=with_dlt)) for with_dlt in (False, True))
    return best if best is worst else Decision.WAIT


def _row(count: LevelCount) -> Decision:
    return _table()[count.evaluable, count.dlt]


@cache
def _table() -> MappingProxyType[tuple[int, int], Decision]:
    """By evaluable participants and DLTs."""
    with _FILE.open(encoding="utf-8", newline="") as file:
        return MappingProxyType(
            {
                (int(row["evaluable"]), dlt): Decision(row["decision"])
                for row in csv.DictReader(file)
                for dlt in range(int(row["dlt_min"]), int(row["dlt_max"]) + 1)
            }
        )
