"""The rolling six design, as in `rolling_six.csv`: up to six of a level are watched at once, and the table knows them.

Source: Skolnik et al., J Clin Oncol 2008;26:190-195. Its table was checked against the republished one, Table 2 of
PMC7221509 (JAMA Netw Open 2020;3:e204787), row by row.
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
    return _table()[count.enrolled, count.dlt, count.pending]


@cache
def _table() -> MappingProxyType[tuple[int, int, int], Decision]:
    """By participants enrolled, DLTs, and those pending."""
    with _FILE.open(encoding="utf-8", newline="") as file:
        return MappingProxyType(
            {
                (int(row["enrolled"]), dlt, pending): Decision(row["decision"])
                for row in csv.DictReader(file)
                for dlt in range(int(row["dlt_min"]), int(row["dlt_max"]) + 1)
                for pending in range(int(row["pending_min"]), int(row["pending_max"]) + 1)
                if dlt + pending <= int(row["enrolled"])
            }
        )
