"""Dose escalation: designs that say, from the counts of every dose level, where the next participant is treated.

A design is a pure function from a `Standing` to a `Decided`. `DESIGNS` holds them by the names that the API takes;
another one is a module and a line there. The tables of 3+3 and of the rolling six are data files with their sources.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from shared.escalation.designs import boin, rolling_six, three_plus_three
from shared.escalation.designs.standing import Decided, Standing

Design = Callable[[Standing], Decided]

DESIGNS: Mapping[str, Design] = MappingProxyType(
    {"3+3": three_plus_three.decide, "rolling-6": rolling_six.decide, "BOIN": boin.decide}
)
