"""DICOM structured reports of imaging measurements (template TID 1500): linear measurements by lesion.

A measurement group belongs to the lesion whose label is its tracking identifier (TID 1501 or 1410). Taken are the long
and the short axis, or the length and its perpendicular, in millimetres or centimetres. Everything else of the file,
names and dates of birth above all, is read by nobody and kept nowhere.

Whose report it is, its sender says. Where its Clinical Trial Subject ID or its Patient ID is the subject number of
another participant, it is that one's. A hospital number, or none, as a file without identity has it, tells nothing and
is not kept.

Source: DICOM PS3.16, TID 1500 Measurement Report, CID 7470 Linear Measurements; PS3.3, C.7.1.3 Clinical Trial Subject.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from io import BytesIO
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from services.efficacy.intake.visit_sheet import Row, RowOutcome
from shared.contracts.efficacy_terms import LesionDescription, LesionState, Modality, TargetMeasurement
from shared.kernel.errors import Unacceptable

# CID 7470, by scheme and value. SNOMED CT's codes and the retired ones of SNOMED RT, which many systems still send.
LONGEST = {("SCT", "103339001"), ("SRT", "G-A185"), ("SCT", "410668003"), ("SRT", "G-D7FE")}
PERPENDICULAR = {("SCT", "103340004"), ("SRT", "G-A186")}
TO_MILLIMETRES = {"mm": Decimal(1), "cm": Decimal(10)}
MODALITIES = {  # by the first word of the SOP class
    "CT": Modality.CT,
    "MR": Modality.MRI,
    "Ultrasound": Modality.ULTRASOUND,
    "Computed": Modality.X_RAY,
    "Digital": Modality.X_RAY,
}
SUBJECT_IDS = ("ClinicalTrialSubjectID", "PatientID")
SCREENING = re.compile(r"-S\d+$")  # what makes a screening number of a subject number
PREAMBLE = 128
UNDEFINED_LENGTH = 0xFFFFFFFF
DELIMITER = b"\xfe\xff\xdd\xe0\0\0\0\0"  # of a sequence of undefined length, PS3.5 section 7.5.2


class NoMeasurementReport(Unacceptable):
    """The file is no DICOM structured report of imaging measurements (TID 1500)."""


class LesionsNotMatched(Unacceptable):
    """The tracking identifiers of the report and the labels of the participant's target lesions do not agree."""


class ReportOfAnother(Unacceptable):
    """The report bears the subject number of another participant of the trial."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a report says: the day of the images, how they were made, and both diameters of each lesion it measures.

    `subject_numbers` are what may name a participant of the trial; most likely they name nobody.
    """

    assessed_on: str
    modality: Modality
    targets: tuple[TargetMeasurement, ...]
    rows: tuple[Row, ...]
    subject_numbers: frozenset[str]


def read(content: bytes, targets: Mapping[UUID, LesionDescription]) -> Report:
    """Read a report against the target lesions that are on record; a target that it leaves out was not assessed.

    Raises:
        NoMeasurementReport: it is no such report, is cut off, or measures no lesion in both axes.
        LesionsNotMatched: it tracks a lesion of another name, or one twice.
    """
    try:
        return _read(content, targets)
    except (NoMeasurementReport, LesionsNotMatched):
        raise
    except Exception as error:  # whatever the packages make of foreign bytes, element by element as it is asked for
        raise NoMeasurementReport(
            "the file is no Enhanced, Comprehensive or Comprehensive 3D structured report, or is cut off"
        ) from error


def _read(content: bytes, targets: Mapping[UUID, LesionDescription]) -> Report:
    report, content_tree = _report(content)
    by_label = {lesion.label: key for key, lesion in targets.items()}
    found: dict[str, TargetMeasurement] = {}
    for group in _groups(content_tree):
        label = str(group.tracking_identifier or "")
        if label not in by_label:
            raise LesionsNotMatched(
                "the report tracks a lesion that is no target of this participant; its targets are "
                f"{', '.join(sorted(by_label)) or 'none'}"
            )
        if label in found:
            raise LesionsNotMatched("the report measures one lesion twice; send a report of one time point")
        found[label] = _measurement(by_label[label], group)
    if not found:
        raise NoMeasurementReport("the report holds no measurement group with a tracking identifier")
    rows = tuple(Row(number, label, RowOutcome.TARGET) for number, label in enumerate(found, start=1))
    left_out = tuple(
        TargetMeasurement(lesion_id=key, state=LesionState.NOT_ASSESSED)
        for label, key in by_label.items()
        if label not in found
    )
    return Report(_day(report), _modality(report), (*found.values(), *left_out), rows, _subject_numbers(report))


def _report(content: bytes) -> tuple[Any, Any]:
    """The data set, and its content as highdicom reads it. Loaded here: no other request needs these packages."""
    from highdicom.sr import MeasurementReport, srread  # noqa: PLC0415

    if content[PREAMBLE : PREAMBLE + 4] != b"DICM":
        raise NoMeasurementReport("the file does not begin as DICOM files do; send the .dcm file itself")
    _ensure_whole(content)
    report = srread(BytesIO(content))
    tree = report.content
    if not isinstance(tree, MeasurementReport):
        raise NoMeasurementReport("the structured report does not follow TID 1500, Measurement Report")
    return report, tree


def _ensure_whole(content: bytes) -> None:
    """Every element is as long as it says, to the end of the file: pydicom would take what is left of a cut one."""
    from pydicom import dcmread  # noqa: PLC0415
    from pydicom.dataelem import RawDataElement  # noqa: PLC0415

    elements = list(dcmread(BytesIO(content)).elements())
    raw = [each for each in elements if isinstance(each, RawDataElement)]
    whole = all(len(each.value or b"") == each.length for each in raw if each.length != UNDEFINED_LENGTH)
    last = elements[-1]
    if isinstance(last, RawDataElement) and last.length != UNDEFINED_LENGTH:
        ends = last.value_tell + last.length <= len(content)
    else:
        ends = content.rstrip(b"\0").endswith(DELIMITER.rstrip(b"\0"))
    if not (whole and ends):
        raise NoMeasurementReport("the file is cut off; send it again, whole")


def _groups(tree: Any) -> Iterable[Any]:
    yield from tree.get_image_measurement_groups()
    yield from tree.get_planar_roi_measurement_groups()
    yield from tree.get_volumetric_roi_measurement_groups()


def _measurement(lesion_id: UUID, group: Any) -> TargetMeasurement:
    sizes: dict[str, Decimal] = {}
    for each in group.get_measurements():
        code = (str(each.name.scheme_designator), str(each.name.value))
        axis = "longest_mm" if code in LONGEST else "perpendicular_mm" if code in PERPENDICULAR else None
        unit = TO_MILLIMETRES.get(str(each.unit.value))
        if axis is not None and unit is not None:
            size = round(Decimal(str(each.value)) * unit, 3)
            if sizes.setdefault(axis, size) != size:
                raise NoMeasurementReport("a measurement group gives one axis two sizes; send the one that counts")
    if len(sizes) != len(("longest", "perpendicular")):
        raise NoMeasurementReport(
            "a measurement group lacks its long or its short axis in mm or cm; measure both, at right angles"
        )
    longest, perpendicular = max(sizes.values()), min(sizes.values())
    try:
        return TargetMeasurement(
            lesion_id=lesion_id, state=LesionState.MEASURED, longest_mm=longest, perpendicular_mm=perpendicular
        )
    except ValidationError as error:
        raise NoMeasurementReport("a measurement is no diameter of a lesion: above 0, to 1000 mm") from error


def _day(report: Any) -> str:
    given = str(report.get("StudyDate") or report.get("ContentDate") or "")
    try:
        return datetime.strptime(given, "%Y%m%d").date().isoformat()  # noqa: DTZ007 - a day, of no time zone
    except ValueError as error:
        raise NoMeasurementReport("the report has no StudyDate") from error


def _subject_numbers(report: Any) -> frozenset[str]:
    """Its two ids as subject numbers are written; of a screening number (`CU-001-S1`) the subject number in it."""
    given = (str(report.get(keyword) or "").strip().upper() for keyword in SUBJECT_IDS)
    return frozenset(SCREENING.sub("", each) for each in given if each)


def _modality(report: Any) -> Modality:
    """From the images it refers to (their SOP classes name the modality); `other` where they are of several kinds."""
    found = {MODALITIES.get(kind, Modality.OTHER) for kind in _kinds(report)}
    return found.pop() if len(found) == 1 else Modality.OTHER


def _kinds(report: Any) -> Sequence[str]:
    from pydicom.uid import UID  # noqa: PLC0415

    return [
        UID(image.ReferencedSOPClassUID).name.removeprefix("Enhanced ").partition(" ")[0]
        for study in report.get("CurrentRequestedProcedureEvidenceSequence") or ()
        for series in study.ReferencedSeriesSequence
        for image in series.ReferencedSOPSequence
    ]
