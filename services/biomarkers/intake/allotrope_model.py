"""Runs of other instruments, by way of the Allotrope Simple Model that allotropy makes of their files.

Two shapes of it hold concentrations: multi-analyte profiling (Luminex, Bio-Plex), where a measurement is a well with
its analytes, and plate readers (MSD), where it is one spot. Both calculate data of what they measured, and point at it.
"""

import re
from collections.abc import Iterator, Mapping
from math import copysign
from pathlib import Path
from typing import Any

from services.biomarkers.intake.apart import FileUnreadable
from services.biomarkers.intake.observations import code_text
from services.biomarkers.intake.runs import Run, WellResult

# Vendors by allotropy's names (0.1.150): multiplex immunoassays and plate readers; and what their files are called.
VENDORS: Mapping[str, tuple[str, ...]] = {
    "AGILENT_GEN5": ("txt",),
    "BIORAD_BIOPLEX": ("xml",),
    "BMG_LABTECH_SMART_CONTROL": ("xlsx",),
    "BMG_MARS": ("csv",),
    "LUMINEX_INTELLIFLEX": ("csv", "xlsx"),
    "LUMINEX_XPONENT": ("csv", "xlsx"),
    "METHODICAL_MIND": ("txt",),
    "MOLDEV_SOFTMAX_PRO": ("txt",),
    "MSD_WORKBENCH": ("csv", "txt", "xlsx"),
    "PERKIN_ELMER_ENVISION": ("csv",),
    "REVVITY_KALEIDO": ("csv",),
    "TECAN_MAGELLAN": ("xlsx",),
    "THERMO_SKANIT": ("xlsx",),
}
# What software calls the concentration of one well; means of wells are left to our own rule of replicates.
FEWEST_LINES = 3  # a heading, columns, and a row
_CONCENTRATIONS = frozenset({"calc. concentration", "result", "concentration", "obs conc", "observed concentration"})
_BEYOND = {"below": "<", "above": ">"}
_NO_UNITS = frozenset({"(unitless)", "unitless", "rfu", "rlu", "#"})
_CALIBRATORS = frozenset({"standard sample role", "control sample role", "blank role", "calibration sample role"})
# allotropy tells the role of an MSD sample by its first letter. That holds for default names (S001), not for CU-001.
_DEFAULT = re.compile(r"^[A-Za-z]{1,10}[ _]?\d{0,3}$")
_WORD = re.compile(r"^(below|above) ", re.IGNORECASE)


def named_as(path: Path, vendor: str) -> Path:
    """The file under a name that allotropy takes: that of a workbook, or of one of the vendor's kinds of text.

    Raises:
        FileUnreadable: it is neither, or has hardly any line. No library has to be loaded to see that.
    """
    with path.open("rb") as file:
        start = file.read(4096)
    kinds = VENDORS[vendor]
    if start.startswith(b"PK") and "xlsx" in kinds:
        return path.rename(path.with_suffix(".xlsx"))
    texts = [each for each in kinds if each != "xlsx"]
    is_text = b"\0" not in start or start.startswith((b"\xff\xfe", b"\xfe\xff"))  # UTF-16
    if not texts or not is_text or len(start.splitlines()) < FEWEST_LINES:
        raise FileUnreadable(
            "the file is no export of this instrument's software: it has hardly any line, or is no text"
        )
    wanted = "txt" if b"\t" in start and "txt" in texts else texts[0]
    return path.rename(path.with_suffix(f".{wanted}"))


def run_of(model: Any) -> Run:
    """The wells of a model."""
    document = _document(model)
    calculated = _concentrations(document)
    found = [well for each in _measurements(document) for well in _wells(each, calculated)]
    return Run(wells=tuple(found), has_results=any(each.text is not None for each in found))


def _document(model: Any) -> Mapping[str, Any]:
    return next((each for name, each in model.items() if name.endswith(" aggregate document")), {})


def _concentrations(document: Mapping[str, Any]) -> dict[str, tuple[str, str | None]]:
    """Concentrations by what they were calculated from."""
    found: dict[str, tuple[str, str | None]] = {}
    for each in _list(document, "calculated data"):
        name, result = str(each.get("calculated data name", "")).strip().lower(), each.get("calculated result", {})
        sources = _list(each, "data source")
        if name in _CONCENTRATIONS and len(sources) == 1 and isinstance(result, dict):
            unit = str(result.get("unit", ""))
            known = None if unit.lower() in _NO_UNITS else unit
            found[str(sources[0].get("data source identifier"))] = (_number(result.get("value")), known)
    return found


def _number(value: Any) -> str:
    """As short as the number is; allotropy writes -0.0 where the file has none."""
    if not isinstance(value, int | float) or isinstance(value, bool) or (value == 0 and copysign(1, value) < 0):
        return "NaN"
    return str(value)


def _measurements(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for name, each in document.items():
        if isinstance(each, list) and name.endswith(" document"):
            for run in each:
                yield from _list(run, "measurement")


def _wells(measurement: Mapping[str, Any], calculated: Mapping[str, tuple[str, str | None]]) -> Iterator[WellResult]:
    sample = measurement.get("sample document", {})
    well = str(sample.get("well location identifier") or sample.get("location identifier") or "")
    name = str(sample.get("sample identifier", ""))
    name = name.removesuffix(f"_{well}") if well else name  # MSD: allotropy adds the well
    about: dict[str, Any] = {
        "location": code_text(well) or "well",
        "sample": name,
        "dilution": _dilution(measurement, sample),
        "is_calibrator": sample.get("sample role type") in _CALIBRATORS and bool(_DEFAULT.match(name)),
    }
    analytes = _list(measurement, "analyte")
    for each in analytes:
        text, unit = calculated.get(str(each.get("analyte identifier")), (None, None))
        beads = each.get("assay bead count", {}).get("value")
        yield WellResult(
            analyte=str(each.get("analyte name", "")),
            text=text,
            unit=unit,
            beads=int(beads) if isinstance(beads, int | float) and 0 <= beads < 10**9 else None,
            **about,
        )
    custom = measurement.get("custom information document", {})
    analyte = custom.get("assay identifier") or measurement.get("analyte name")
    if not analytes and analyte:
        text, unit = calculated.get(str(measurement.get("measurement identifier")), (None, None))
        if beyond := _WORD.match(str(custom.get("detection range", ""))):
            text = _BEYOND[beyond.group(1).lower()]  # an instrument extrapolates there: the side alone is kept
        yield WellResult(analyte=str(analyte), text=text, unit=unit, **about)


def _dilution(measurement: Mapping[str, Any], sample: Mapping[str, Any]) -> str | None:
    settings = [sample.get("custom information document", {}).get("dilution factor setting")]
    settings += [
        (each.get("dilution factor setting") or {}).get("value") for each in _list(measurement, "device control")
    ]
    told = next((each for each in settings if isinstance(each, int | float) and each > 0), None)
    return None if told is None else f"{told:g}"


def _list(within: Any, name: str) -> list[Mapping[str, Any]]:
    """`name aggregate document` holds a list, `name document`."""
    found = within.get(f"{name} aggregate document", {}).get(f"{name} document", [])
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
