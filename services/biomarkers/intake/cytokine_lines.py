"""Cytokines of one sample on one platform: a panel, with a line for each analyte."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.biomarkers.domain.analytes import key_of
from services.biomarkers.domain.cytokine_panel import (
    DECIDER,
    CancelCytokinePanel,
    CorrectCytokinePanel,
    RecordCytokinePanel,
)
from services.biomarkers.intake.lines import Kind, first, made
from services.biomarkers.intake.observations import Status
from services.biomarkers.intake.readings import Reading, ReadingProblem, Unreadable
from shared.contracts.biomarkers import CytokineReport, NotMeasured, Qualifier, Replicate, ReportedCytokine
from shared.protocol.biomarkers import Cytokines


def _lines(report: CytokineReport, panel: Cytokines) -> dict[str, Any]:
    return {key_of(line.analyte, panel): line for line in report.results}


def _line(reading: Reading, _stands: Any) -> ReportedCytokine:
    if reading.status is Status.CANCELLED:
        return ReportedCytokine(analyte=reading.taken.key, not_measured=NotMeasured.NOT_PERFORMED)
    if reading.failed:
        return ReportedCytokine(analyte=reading.taken.key, not_measured=NotMeasured.ASSAY_FAILED)
    given = {"value": reading.value, "qualifier": reading.qualifier, "unit": reading.unit}
    limits = {"lloq": reading.lloq, "uloq": reading.uloq}
    dilution = {"dilution_factor": reading.dilution_factor, "dilution_corrected": reading.dilution_corrected}
    return made(ReportedCytokine, {"analyte": reading.taken.key, **given, **limits, **dilution, **_replicates(reading)})


def _replicates(reading: Reading) -> dict[str, Any]:
    """The wells, and the limits that they state: those of one sample on one plate are the same.

    Raises:
        Unreadable: they state several.
    """
    if not reading.replicates:
        return {}
    wells = [Replicate(value=value, qualifier=qualifier) for value, qualifier in reading.replicates]
    told: dict[str, Any] = {"replicates": tuple(wells)}
    for name, side in (("lloq", Qualifier.BELOW), ("uloq", Qualifier.ABOVE)):
        stated = {each.value for each in wells if each.qualifier is side and each.value is not None}
        if len(stated) > 1:
            raise Unreadable(ReadingProblem.BAD_VALUE, "wells of one sample state several limits: send one of them")
        if stated and getattr(reading, name) is None:
            told[name] = stated.pop()
    return told


def _report(readings: Sequence[Reading], _before: Mapping[str, Any], lines: Mapping[str, Any]) -> dict[str, Any]:
    said = {"kit": first(each.kit for each in readings), "lot": first(each.lot for each in readings)}
    told: dict[str, Any] = {name: value for name, value in said.items() if value is not None}
    if told:  # another kit or lot is another assay: what was known of the one before no longer holds
        told["assay_lot_id"] = next((each.assay_lot_id for each in readings if each.assay_lot_id), None)
    assayed_at = next((each.assayed_at for each in readings if each.assayed_at), None)
    if assayed_at is not None:
        told["assayed_at"] = assayed_at
    return {"platform": readings[0].platform, "results": tuple(lines.values()), **told}


KIND = Kind(
    decider=DECIDER,
    record=RecordCytokinePanel,
    correct=CorrectCytokinePanel,
    cancel=CancelCytokinePanel,
    id_name="cytokine_panel_id",
    measured=frozenset(),
    assay=lambda reading: reading.platform,
    lines=_lines,
    line=_line,
    report=_report,
)
