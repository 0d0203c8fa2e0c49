"""A run of a multiplex or plate instrument: wells of samples, and the observations that they come to.

Wells of one sample are its replicates. What a well says of a limit (`<3.2`, `OOR >`) stays a limit, and a well without
a number (`NaN`, `***`) is none: it is never 0.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from services.biomarkers.domain.analytes import usual_key
from services.biomarkers.intake.observations import (
    MOST_OBSERVATIONS,
    SentObservation,
    accession_numbers,
    code_text,
    codes_of,
    number_text,
    subject_numbers,
)
from services.biomarkers.intake.readings import ReadingProblem
from services.biomarkers.intake.taking import Fate, Outcome
from shared.contracts.biomarkers import CytokineSpecimenType, Unit
from shared.contracts.saying import Says
from shared.contracts.terms import Code, Flag
from shared.kernel.errors import Unacceptable

NO_NUMBER = re.compile(r"^(?:|nan|n/?a|\*+|-+|no data|not analy[sz]ed)$", re.IGNORECASE)
_BEYOND = re.compile(r"^(?:oor\s*)?([<>])$", re.IGNORECASE)
_EXTRAPOLATED = re.compile(r"^\*\s*\d")
_CALIBRATOR = re.compile(r"^(?:standard|std|calibrator|cal|control|ctrl|qc|background|blank)[ _-]?\d*$", re.IGNORECASE)
_REGION = re.compile(r"\s*\(\d{1,3}\)$")  # `IL-6 (57)`: the bead's region
UNDILUTED = frozenset({None, "", "1", "1.0", "0"})

SampleText = Annotated[
    str,
    StringConstraints(strip_whitespace=True, pattern=r"^[^\x00-\x1f\x7f]{1,64}$"),
    Says("what the file has, of 1 to 64 printable characters"),
]


class SampleNamed(BaseModel):
    """Whose sample bears a name in the file: a specimen on record, or a subject with the instant of collection."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: SampleText = Field(description="As the file has it", examples=["Unknown1"])
    specimen: SampleText | None = Field(None, description="The specimen's id, or the number on its tube")
    subject_number: SampleText | None = None
    collected_at: AwareDatetime | None = None
    specimen_type: CytokineSpecimenType | None = None


class AboutRun(BaseModel):
    """What is told of a run beside its file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    samples: Annotated[tuple[SampleNamed, ...], Field(max_length=MOST_OBSERVATIONS)] = ()
    platform: Code | None = None
    kit: Code | None = None
    lot: Code | None = None
    unit: Unit | None = Field(None, description="Of the concentrations, where the file names none")
    dilution_corrected: Flag | None = Field(
        None, description="true: concentrations are multiplied by the dilution factor already; false: not yet"
    )


class TooManyWells(Unacceptable):
    """The run holds more results than one request may."""


@dataclass(frozen=True, slots=True)
class WellResult:
    """One analyte in one well. `text` is what stands for its concentration; None: nothing does."""

    location: str
    sample: str
    analyte: str
    text: str | None
    unit: str | None = None
    dilution: str | None = None
    beads: int | None = None
    is_calibrator: bool = False


@dataclass(frozen=True, slots=True)
class Run:
    """What a file holds of a run. `has_results` False: fluorescence or luminescence alone."""

    wells: tuple[WellResult, ...]
    has_results: bool
    kit: str | None = None
    lot: str | None = None
    run_at: str | None = None  # without an offset
    fewest_beads: int | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One analyte of one sample. `fate`: what is clear without reading it."""

    sent: SentObservation
    wells: tuple[WellResult, ...]
    few_beads: bool
    fate: Fate | None = None

    @property
    def note(self) -> str | None:
        without = sum(1 for each in self.wells if _holds_nothing(each))
        if without and without < len(self.wells):
            return f"{without} of {len(self.wells)} wells hold no number"
        return None


def lines(run: Run, about: AboutRun) -> list[Line]:
    """The observations of a run, in the order of the file.

    Raises:
        TooManyWells.
    """
    named = {each.name: each for each in about.samples}
    groups: dict[tuple[str, str], list[WellResult]] = {}
    for well in run.wells:
        groups.setdefault((well.sample, well.analyte), []).append(well)
    if len(groups) > MOST_OBSERVATIONS:
        raise TooManyWells(f"at most {MOST_OBSERVATIONS} results of samples in one file")
    return [_line(run, about, named.get(sample), wells) for (sample, _), wells in groups.items()]


def _line(run: Run, about: AboutRun, named: SampleNamed | None, wells: Sequence[WellResult]) -> Line:
    first = wells[0]
    analyte = _REGION.sub("", first.analyte)
    places = ", ".join(each.location for each in wells[:12])
    sent = SentObservation(
        place=f"{places}: {code_text(first.analyte) or 'analyte'}",
        codes=codes_of([first.analyte, analyte, usual_key(analyte)]),
        unit=code_text(first.unit) or about.unit,
        platform=about.platform,
        kit=about.kit or code_text(run.kit),
        lot=about.lot or code_text(run.lot),
        assayed=run.run_at,
        **_sample(first.sample, named),
    )
    beads = [each.beads for each in wells if each.beads is not None]
    few = run.fewest_beads is not None and any(each < run.fewest_beads for each in beads)
    clear = _clear(run, named, wells)
    if clear is not None:
        return Line(sent, tuple(wells), few, Fate(sent, clear[0], problem=clear[1], says=clear[2]))
    told = {**_dilution(first, about), **_numbers(wells)}
    sent = sent.model_copy(update=told)
    unclear = _unclear(wells, sent)
    fate = None if unclear is None else Fate(sent, Outcome.UNREADABLE, problem=ReadingProblem.BAD_VALUE, says=unclear)
    return Line(sent, tuple(wells), few, fate)


def _sample(name: str, named: SampleNamed | None) -> dict[str, object]:
    if named is None:
        return {"accessions": accession_numbers([name])}
    told: dict[str, object] = {
        "subjects": subject_numbers([named.subject_number]),
        "collected": None if named.collected_at is None else named.collected_at.isoformat(),
        "specimen": None if named.specimen_type is None else named.specimen_type.value,
    }
    if is_uuid(named.specimen):
        return {**told, "specimen_id": named.specimen}
    return {**told, "accessions": accession_numbers([named.specimen])}


def _clear(
    run: Run, named: SampleNamed | None, wells: Sequence[WellResult]
) -> tuple[Outcome, ReadingProblem | None, str] | None:
    """What becomes of wells that hold no result of a sample."""
    if named is None and (_CALIBRATOR.match(wells[0].sample) or wells[0].is_calibrator):
        return Outcome.NOT_TAKEN, None, "a standard, control or blank of the run"
    if not run.has_results:
        says = "the file holds signals and counts, no concentrations: analyse the run, and export it with its results"
        return Outcome.UNREADABLE, ReadingProblem.BAD_VALUE, says
    return None


def _unclear(wells: Sequence[WellResult], sent: SentObservation) -> str | None:
    """What is wrong with a group of wells, which no mapping will mend."""
    if any(_EXTRAPOLATED.match(each.text or "") for each in wells):
        return "a value marked * lies beyond the standard curve: send it as `<` or `>` with its limit"
    if len({each.dilution for each in wells}) > 1:
        return "the sample was measured in several dilutions: record the one that counts by hand"
    if sent.dilution_factor is not None and sent.dilution_corrected is None:
        return (
            "the file tells a dilution, and not whether its results are multiplied by it already: send "
            "dilution_corrected"
        )
    return None


def _dilution(well: WellResult, about: AboutRun) -> dict[str, object]:
    if well.dilution in UNDILUTED:
        return {}
    return {"dilution_factor": number_text(well.dilution), "dilution_corrected": about.dilution_corrected}


def _numbers(wells: Sequence[WellResult]) -> dict[str, object]:
    found = [text for each in wells if (text := _text(each)) is not None]
    if not found:
        return {"failed": all(_holds_nothing(each) for each in wells)}
    if len(found) > 1:
        return {"replicates": tuple(found)}
    return {"beyond": found[0]} if found[0] in {"<", ">"} else {"value": found[0]}


def _text(well: WellResult) -> str | None:
    plain = (well.text or "").strip()
    beyond = _BEYOND.match(plain)
    return beyond.group(1) if beyond else number_text(plain)


def _holds_nothing(well: WellResult) -> bool:
    return NO_NUMBER.match((well.text or "").strip()) is not None


def is_uuid(text: str | None) -> bool:
    try:
        return text is not None and bool(UUID(text))
    except ValueError:
        return False


def recordable(found: Sequence[Line]) -> Iterator[SentObservation]:
    return (each.sent for each in found if each.fate is None)
