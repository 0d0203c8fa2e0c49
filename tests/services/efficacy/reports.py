"""DICOM structured reports of measurements (TID 1500), made as a reading room's workstation makes them."""

from collections.abc import Mapping
from datetime import date
from io import BytesIO
from typing import Any

from highdicom import sr
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.sr.codedict import codes
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

NAME = "Somchai^Jaidee"


def an_image(kind: str = CTImageStorage, day: str = "20260204") -> Dataset:
    image = Dataset()
    image.SOPClassUID, image.SOPInstanceUID = kind, generate_uid()
    image.StudyInstanceUID, image.SeriesInstanceUID = generate_uid(), generate_uid()
    image.PatientID, image.PatientName, image.PatientBirthDate, image.PatientSex = "HN123456", NAME, "20170314", "M"
    image.StudyID, image.AccessionNumber, image.StudyDate, image.StudyTime = "1", "1", day, "101500"
    image.ReferringPhysicianName, image.Modality, image.Rows, image.Columns = "", "CT", 512, 512
    image.file_meta = FileMetaDataset()
    image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return image


def group(
    image: Dataset, label: str, long_axis: float, short_axis: float | None, unit: Any, again: float | None
) -> Any:
    sizes = [(codes.SCT.LongAxis, long_axis), (codes.SCT.ShortAxis, short_axis), (codes.SCT.LongAxis, again)]
    return sr.MeasurementsAndQualitativeEvaluations(
        tracking_identifier=sr.TrackingIdentifier(uid=generate_uid(), identifier=label),
        source_images=[sr.SourceImageForMeasurementGroup(image.SOPClassUID, image.SOPInstanceUID)],
        measurements=[sr.Measurement(name=name, value=size, unit=unit) for name, size in sizes if size is not None],
    )


def a_report(
    *sizes: tuple[str, float, float | None],
    unit: Any = codes.UCUM.Millimeter,
    image: Dataset,
    again: float | None = None,
    ids: Mapping[str, str] = {},
) -> bytes:
    """`again`: the long axis of each lesion as it was measured once more. `ids`: elements of the file by keyword."""
    observer = sr.ObserverContext(
        observer_type=codes.DCM.Person,
        observer_identifying_attributes=sr.PersonObserverIdentifyingAttributes(name="Reader^One"),
    )
    report = sr.MeasurementReport(
        observation_context=sr.ObservationContext(observer_person_context=observer),
        procedure_reported=codes.LN.CTUnspecifiedBodyRegion,
        imaging_measurements=[group(image, *size, unit, again) for size in sizes],
    )
    document = sr.ComprehensiveSR(
        evidence=[image],
        content=report,
        series_instance_uid=generate_uid(),
        series_number=1,
        sop_instance_uid=generate_uid(),
        instance_number=1,
        manufacturer="Reading room",
        content_date=date(2026, 2, 5),
    )
    for keyword, value in ids.items():
        setattr(document, keyword, value)
    file = BytesIO()
    document.save_as(file)
    return file.getvalue()
