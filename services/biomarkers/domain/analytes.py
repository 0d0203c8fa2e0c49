"""Which analyte of the protocol a laboratory means: by key, LOINC code, or a usual name (`analyte_names.csv`)."""

import csv
import re
from functools import cache
from importlib.resources import files

from shared.kernel.errors import Unacceptable
from shared.protocol.biomarkers import Cytokines


class AnalyteNotInPanel(Unacceptable):
    """The protocol's cytokine panel has no such analyte."""


def key_of(name: str, panel: Cytokines) -> str:
    """`IL6`, `IL-6`, `il 6` and `26881-3` are all the key `IL6`."""
    by_loinc = {analyte.loinc: analyte.key for analyte in panel.analytes}
    if name in by_loinc:
        return by_loinc[name]
    key = usual_key(name)
    if key not in by_loinc.values():
        known = ", ".join(f"{key} ({loinc})" for loinc, key in by_loinc.items())
        raise AnalyteNotInPanel(f"an analyte is not in the protocol's panel; send a key or LOINC code of {known}")
    return key


def usual_key(name: str) -> str:
    """The key that a usual name stands for, whether or not any panel has it."""
    plain = re.sub(r"[^A-Z0-9]", "", name.upper())
    return _usual_names().get(plain, plain)


@cache
def _usual_names() -> dict[str, str]:
    text = files(__package__).joinpath("analyte_names.csv").read_text(encoding="utf-8")
    return {row["name"]: row["key"] for row in csv.DictReader(text.splitlines())}
