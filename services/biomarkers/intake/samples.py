"""Observations of one sample put together: the panel or flow result that they make, merged with what stands."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID, uuid5

from pydantic import BaseModel, ValidationError

from services.biomarkers.domain import cytokine_panel, flow_result
from services.biomarkers.domain.analytes import key_of
from services.biomarkers.domain.life import Standing
from services.biomarkers.domain.units import to_cells_per_ul
from services.biomarkers.intake.observations import Status
from services.biomarkers.intake.readings import Reading, ReadingProblem, Unreadable
from shared.contracts.biomarkers import (
    CytokineReport,
    FlowReport,
    LymphocyteCount,
    NotMeasured,
    Qualifier,
    Replicate,
    ReportedCytokine,
)
from shared.kernel.errors import TrialError
from shared.protocol.biomarkers import Cytokines

_NAMESPACE = UUID("3f1d9f4a-6f0e-5b52-9c57-2a4b8a1c7d31")  # of this rule; never changes
WITHDRAWN = frozenset({Status.CANCELLED, Status.ENTERED_IN_ERROR})
_COUNTS = frozenset({"parent_events", "car_events"})
Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Sample:
    """Whose sample, of what, taken when, measured on which platform: one sample has one result of each kind."""

    participant_id: UUID
    kind: str
    collected_at: datetime
    specimen: str
    platform: str | None

    @classmethod
    def of(cls, reading: Reading) -> "Sample":
        platform = reading.platform if reading.taken.kind == "cytokine" else None
        at = reading.collected_at.astimezone(UTC)
        return cls(reading.participant_id, reading.taken.kind, at, reading.specimen, platform)

    @property
    def result_id(self) -> UUID:
        """The same sample has the same result, whoever sends it and however often."""
        words = (self.participant_id, self.kind, self.collected_at.isoformat(), self.specimen, self.platform or "")
        return uuid5(_NAMESPACE, "\n".join(map(str, words)))

    def command_id(self, version: int, command: Any) -> UUID:
        """The same change of the same version is the same command."""
        return uuid5(self.result_id, f"{version}\n{command.fingerprint()}")

    @property
    def decider(self) -> Any:
        return cytokine_panel.DECIDER if self.kind == "cytokine" else flow_result.DECIDER


def lines_of(report: CytokineReport | FlowReport, panel: Cytokines) -> dict[str, Any]:
    """What a report says, by the keys of the observations that say it."""
    if isinstance(report, CytokineReport):
        return {key_of(line.analyte, panel): line for line in report.results}
    fields = ("percent", "cells_per_ul", "parent_events", "car_events", "cd3_percent_of_lymphocytes", "alc")
    return {name: value for name in fields if (value := getattr(report, name)) is not None}


def line(reading: Reading) -> Any:
    """What one observation says, as it stands in a report.

    Raises:
        Unreadable: the number does not fit what it measures.
    """
    if reading.taken.kind == "cytokine":
        return _cytokine(reading)
    field, value, unit = reading.taken.field, reading.value, reading.unit
    if field in _COUNTS:
        if reading.qualifier or value is None or value != value.to_integral_value():
            raise Unreadable(ReadingProblem.BAD_VALUE, "events are counted: send a whole number")
        return int(value)
    if field == "alc":
        if unit is None or reading.qualifier:
            raise Unreadable(
                ReadingProblem.BAD_VALUE, "the lymphocyte count needs its unit, such as 10*9/L, and no comparator"
            )
        return made(LymphocyteCount, {"value": value, "unit": unit, "drawn_at": reading.collected_at})
    if field == "cells_per_ul":
        if unit is None or value is None:
            raise Unreadable(ReadingProblem.BAD_VALUE, "a cell count needs its unit, such as /uL")
        return _domain(lambda: to_cells_per_ul(value, unit))
    if unit != "%":
        raise Unreadable(ReadingProblem.BAD_VALUE, "the unit of a percentage is %")
    return value


def _cytokine(reading: Reading) -> ReportedCytokine:
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


def report(sample: Sample, readings: Sequence[Reading], before: Any, lines: dict[str, Any]) -> dict[str, Any]:
    """The whole report of a sample: what stands, where `lines` say nothing else."""
    first = readings[0]
    given: dict[str, Any] = {} if before is None else before.model_dump()
    named = next((each.specimen_id for each in readings if each.specimen_id), None)
    specimen = {"type": sample.specimen, "collected_at": first.collected_at, "specimen_id": named}
    if before is not None:
        specimen = {**given["specimen"], **({"specimen_id": named} if named else {})}
    given |= {"specimen": specimen}
    if sample.kind == "cytokine":
        given |= {"platform": sample.platform, "results": tuple(lines.values())}
        said = {"kit": _first(each.kit for each in readings), "lot": _first(each.lot for each in readings)}
        told: dict[str, Any] = {name: value for name, value in said.items() if value is not None}
        if told:  # another kit or lot is another assay: what was known of the one before no longer holds
            told["assay_lot_id"] = next((each.assay_lot_id for each in readings if each.assay_lot_id), None)
        assayed_at = next((each.assayed_at for each in readings if each.assayed_at), None)
        return given | told | ({} if assayed_at is None else {"assayed_at": assayed_at})
    fields = ("percent", "cells_per_ul", "parent_events", "car_events", "cd3_percent_of_lymphocytes", "alc")
    given |= {name: lines.get(name) for name in fields}
    qualified = [each for each in readings if each.qualifier and each.status not in WITHDRAWN]
    about = [each for each in readings if each.taken.field in {"percent", "cells_per_ul"}]
    if about:
        given["qualifier"] = qualified[0].qualifier if qualified else None
    for each in readings:
        if each.lloq is not None and each.taken.field in {"percent", "cells_per_ul"}:
            given[f"lloq_{each.taken.field}"] = each.lloq
    given.setdefault("parent_population", "cd3")  # CARPCT is in percent of CD3+ (taken_codes.csv)
    return given


def _first(texts: Iterable[str | None]) -> str | None:
    return next((text for text in texts if text), None)


def made(model: type[Model], given: dict[str, Any]) -> Model:
    """A model of what was read.

    Raises:
        Unreadable: it does not fit.
    """
    try:
        return model.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise Unreadable(ReadingProblem.BAD_VALUE, f"{place}: {first['msg'].removeprefix('Value error, ')}") from error


def _domain(work: Any) -> Any:
    try:
        return work()
    except TrialError as error:
        raise Unreadable(ReadingProblem.BAD_VALUE, str(error)) from error


def standing(state: Any) -> Standing[Any, Any] | None:
    return state if isinstance(state, Standing) else None
