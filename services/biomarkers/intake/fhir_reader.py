"""FHIR R4 Observations, alone, in a DiagnosticReport or in a Bundle, read to observations of our own form."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from services.biomarkers.intake.fhir_models import (
    Bundle,
    Clinical,
    Component,
    Device,
    DiagnosticReport,
    Observation,
    Person,
    Reference,
    Specimen,
)
from services.biomarkers.intake.observations import (
    MOST_OBSERVATIONS,
    SentObservation,
    Status,
    accession_numbers,
    code_text,
    codes_of,
    number_beside,
    number_text,
    specimen_types,
    subject_numbers,
    unit_text,
)
from shared.kernel.errors import Unacceptable

# FHIR R4 observation-status and diagnostic-report-status.
_STATUSES = {
    "preliminary": Status.PRELIMINARY,
    "partial": Status.PRELIMINARY,
    "final": Status.FINAL,
    "appended": Status.FINAL,
    "amended": Status.CORRECTED,
    "corrected": Status.CORRECTED,
    "cancelled": Status.CANCELLED,
    "entered-in-error": Status.ENTERED_IN_ERROR,
}
_NO_RESULT = frozenset({"registered", "unknown"})
_BUNDLES = frozenset({"transaction", "batch", "collection"})
_WITHDRAWN = frozenset({Status.CANCELLED, Status.ENTERED_IN_ERROR})
_REFERRED = frozenset({"Patient", "ResearchSubject", "Specimen", "Device", "Organization", "Practitioner"})
Model = TypeVar("Model", bound=BaseModel)


class NotReadableFhir(Unacceptable):
    """The body is no resource that is taken here. `issue` is FHIR's code of why, `expression` where."""

    def __init__(self, says: str, issue: str = "structure", expression: str | None = None) -> None:
        super().__init__(says)
        self.issue = issue
        self.expression = expression


@dataclass(frozen=True, slots=True)
class Sent:
    """What a resource holds: its observations, each under its place, and the type of its Bundle (None: it is none).

    `entries` is how many entries the Bundle has, `passed_over` the places of those that are not taken.
    """

    observations: tuple[SentObservation, ...]
    bundle: str | None = None
    entries: int = 0
    passed_over: tuple[str, ...] = ()


@dataclass(slots=True)
class _Reader:
    """The resources of one body by what references call them."""

    known: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    reports: dict[int, DiagnosticReport] = field(default_factory=dict)  # by id() of the observation's own resource


def read(body: Any) -> Sent:
    """Read a resource.

    Raises:
        NotReadableFhir: it is of another type, or a field that is needed cannot be read.
    """
    if not isinstance(body, dict):
        raise NotReadableFhir("send one FHIR R4 resource as a JSON object")
    kind = body.get("resourceType")
    if kind == "Bundle":
        return _bundle(body)
    if kind not in ("Observation", "DiagnosticReport"):  # a tuple: what was sent may have no hash
        raise NotReadableFhir("Observation, DiagnosticReport and Bundle are taken here", "not-supported")
    reader = _Reader()
    found = _within_limit(list(_resource(reader, body, str(kind))))
    if not found:
        raise NotReadableFhir("the resource holds no observation with a value", "required", str(kind))
    return Sent(tuple(found))


def _bundle(body: Mapping[str, Any]) -> Sent:
    bundle = _as(Bundle, body, "Bundle")
    if bundle.type not in _BUNDLES:
        raise NotReadableFhir("a Bundle is a transaction, a batch or a collection", "not-supported", "Bundle.type")
    reader = _Reader()
    for entry in bundle.entry:
        resource = entry.resource or {}
        named = (entry.full_url, f"{resource.get('resourceType')}/{resource.get('id')}")
        reader.known |= {name: resource for name in named if isinstance(name, str)}
    found: list[SentObservation] = []
    passed_over: list[str] = []
    resources = [(f"Bundle.entry[{number}].resource", entry.resource) for number, entry in enumerate(bundle.entry)]
    for place, each in resources:  # reports first: they tell of their results what these leave out
        resource = each or {}
        if resource.get("resourceType") == "DiagnosticReport":
            found += _resource(reader, resource, place)
    for place, each in resources:
        resource = each or {}
        kind = resource.get("resourceType")
        if kind == "Observation":
            found += _resource(reader, resource, place)
        elif kind != "DiagnosticReport" and str(kind) not in _REFERRED:
            passed_over.append(place)
    if not found:
        raise NotReadableFhir("the Bundle holds no observation with a value", "required", "Bundle.entry")
    return Sent(tuple(_within_limit(found)), bundle.type, len(bundle.entry), tuple(passed_over))


def _resource(reader: _Reader, body: Mapping[str, Any], place: str) -> Iterator[SentObservation]:
    contained = _contained(body, place)
    if body.get("resourceType") == "Observation":
        yield from _observation(reader, body, contained, place, reader.reports.get(id(body)))
        return
    report = _as(DiagnosticReport, body, place)
    for number, reference in enumerate(report.result):
        within = contained.get(reference.reference or "")
        if within is not None and within.get("resourceType") == "Observation":
            yield from _observation(reader, within, contained, f"{place}.result[{number}]", report)
        elif (beside := reader.known.get(reference.reference or "")) is not None:
            reader.reports[id(beside)] = report


def _contained(body: Mapping[str, Any], place: str) -> dict[str, Mapping[str, Any]]:
    listed = body.get("contained", [])
    if not isinstance(listed, list):
        raise NotReadableFhir("contained is a list of resources", "structure", f"{place}.contained")
    return {f"#{each.get('id')}": each for each in listed if isinstance(each, dict)}


def _observation(
    reader: _Reader,
    body: Mapping[str, Any],
    contained: Mapping[str, Mapping[str, Any]],
    place: str,
    report: DiagnosticReport | None,
) -> Iterator[SentObservation]:
    seen = _as(Observation, body, place)
    status = _status(seen, report, place)
    measured: list[tuple[str, Component]] = [(f"{place}.component[{n}]", c) for n, c in enumerate(seen.component)]
    if seen.has_value or (not measured and status in _WITHDRAWN):
        measured.insert(0, (place, seen))
    if status is None or not measured:
        return  # registered and not measured yet, or a panel whose members stand beside it
    resolve = _Resolving(reader.known, contained)
    specimen = seen.specimen or (report.specimen[0] if report and report.specimen else None)
    about = _about_specimen(resolve, specimen, place)
    device = seen.device.identifier.value if seen.device and seen.device.identifier else None
    method = [*(seen.method.codes if seen.method else ()), device]
    common = {
        "subjects": _subjects(resolve, seen.subject or (report.subject if report else None), place),
        "status": status,
        "collected": code_text(
            seen.effective or about.pop("collected", None) or (report.effective if report else None)
        ),
        "platform": next(iter(_platforms(method)), None),
        **_assay(resolve(seen.device), place),
        **{name: value for name, value in about.items() if name != "collected"},
    }
    for at, each in measured:
        yield SentObservation.model_validate(
            {"place": at, "codes": codes_of(each.code.codes), **common, **_value(each)}
        )


def _status(seen: Observation, report: DiagnosticReport | None, place: str) -> Status | None:
    """The report's withdrawal holds for its results too."""
    texts: list[Clinical] = [seen, *([report] if report else [])]
    for each in texts:
        if each.status not in _STATUSES and each.status not in _NO_RESULT:
            raise NotReadableFhir("a status that FHIR R4 does not have", "code-invalid", f"{place}.status")
    if report and report.status in _STATUSES and _STATUSES[report.status] in _WITHDRAWN:
        return _STATUSES[report.status]
    return _STATUSES.get(seen.status)


def _value(each: Component) -> dict[str, str | None]:
    quantity = each.value_quantity
    if quantity is not None:
        number = None if quantity.value is None else str(quantity.value)
        value, comparator = number_beside(quantity.comparator, number)
        return {"value": value, "comparator": comparator, "unit": unit_text(quantity.code or quantity.unit)}
    text = each.value_string if each.value_integer is None else str(each.value_integer)
    return {"value": number_text(text)}


def _platforms(texts: list[str | None]) -> Iterator[str]:
    for text in texts:
        plain = re.sub(r"[^A-Za-z0-9 ._/+:-]", "-", (text or "").strip())
        if plain and plain[0].isalnum() and len(plain) <= 64:
            yield plain


@dataclass(frozen=True, slots=True)
class _Resolving:
    """References led to the resources that they name, as far as the body has them."""

    known: Mapping[str, Mapping[str, Any]]
    contained: Mapping[str, Mapping[str, Any]]

    def __call__(self, reference: Reference | None) -> Mapping[str, Any] | None:
        name = (reference.reference if reference else None) or ""
        return self.contained.get(name) or self.known.get(name)


def _subjects(resolve: _Resolving, reference: Reference | None, place: str) -> tuple[str, ...]:
    """Subject numbers of a reference: its identifier, its id, those of the person it leads to, or of their subject."""
    if reference is None:
        return ()
    name = reference.reference or ""
    found: list[str | None] = [reference.identifier.value if reference.identifier else None, name.rpartition("/")[2]]
    person = resolve(reference)
    if person is not None:
        found += [each.value for each in _as(Person, person, f"{place}.subject").identifier]
    for body in resolve.known.values():
        if body.get("resourceType") == "ResearchSubject":
            subject = _as(Person, body, "ResearchSubject")
            if name and subject.individual and subject.individual.reference == name:
                found += [each.value for each in subject.identifier]
    return subject_numbers(found)


def _assay(device: Mapping[str, Any] | None, place: str) -> dict[str, str | None]:
    """Kit and lot of the assay, where the device is the kit that was used."""
    if device is None or device.get("resourceType") != "Device":
        return {}
    kit = _as(Device, device, f"{place}.device")
    return {"kit": next(_platforms([kit.model_number]), None), "lot": next(_platforms([kit.lot_number]), None)}


def _about_specimen(resolve: _Resolving, reference: Reference | None, place: str) -> dict[str, Any]:
    if reference is None:
        return {}
    named = reference.identifier.value if reference.identifier else None
    body = resolve(reference)
    if body is None:
        tail = (reference.reference or "").rpartition("/")[2]
        return {"specimen_id": code_text(named or tail), "accessions": accession_numbers([named, tail])}
    specimen = _as(Specimen, body, f"{place}.specimen")
    collection, codes = specimen.collection, codes_of(specimen.type.codes if specimen.type else ())
    period = collection.collected_period.start if collection and collection.collected_period else None
    own = next((each.value for each in specimen.identifier if each.value), None)
    accession = specimen.accession_identifier.value if specimen.accession_identifier else None
    numbers = [accession, named, *(each.value for each in specimen.identifier)]
    return {
        "specimen": next((code for code in codes if code.upper() in specimen_types()), codes[0] if codes else None),
        "specimen_id": code_text(named or own),
        "accessions": accession_numbers(numbers),
        "collected": code_text(collection.collected_date_time or period) if collection else None,
    }


def _as(model: type[Model], body: Mapping[str, Any], place: str) -> Model:
    try:
        return model.model_validate(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        path = ".".join(str(part) for part in first["loc"])
        issue = "required" if first["type"] == "missing" else "structure"
        raise NotReadableFhir(f"{path}: {first['msg']}", issue, f"{place}.{path}") from error


def _within_limit(found: list[SentObservation]) -> list[SentObservation]:
    if len(found) > MOST_OBSERVATIONS:
        raise NotReadableFhir(f"at most {MOST_OBSERVATIONS} observations at once", "too-long")
    return found
