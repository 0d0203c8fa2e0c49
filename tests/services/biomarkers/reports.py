"""Reports of a laboratory, as builders: name only what matters."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from shared.protocol import load_protocol

PROTOCOL = load_protocol()
NOW = datetime(2026, 3, 20, 5, 0, tzinfo=UTC)
PARTICIPANT = UUID("018f3a52-0000-7000-8000-000000000001")
RESULT = UUID("018f3a52-0000-7000-8000-0000000000f1")
PANEL = UUID("018f3a52-0000-7000-8000-0000000000c1")
TRANSGENE = UUID("018f3a52-0000-7000-8000-0000000000a1")
DRAWN = "2026-03-09T08:30:00+07:00"

ALC = {"value": "1.2", "unit": "10*9/L", "drawn_at": DRAWN}


def a_flow_report(**given: Any) -> dict[str, Any]:
    """Day 7: 10 % of CD3+, ALC 1.2 x 10*9/L, 80 % of lymphocytes CD3+, so 96 CAR+ cells/uL."""
    report = {
        "specimen": {"type": "blood", "collected_at": DRAWN},
        "parent_population": "cd3",
        "percent": "10",
        "parent_events": 500000,
        "alc": ALC,
        "cd3_percent_of_lymphocytes": "80",
        "platform": "dual",
    }
    return {name: value for name, value in {**report, **given}.items() if value is not None}


def a_transgene_report(**given: Any) -> dict[str, Any]:
    """Day 7: 15 200 copies per ug of DNA by qPCR, counted from 50 on and seen from 10 on."""
    report = {
        "specimen": {"type": "blood", "collected_at": DRAWN},
        "method": "qpcr",
        "copies_per_ug": "15200",
        "lloq_copies_per_ug": "50",
        "lod_copies_per_ug": "10",
        "dna_input_ng": "200",
    }
    return {name: value for name, value in {**report, **given}.items() if value is not None}


def a_line(analyte: str = "IL6", **given: Any) -> dict[str, Any]:
    line = {"analyte": analyte, "value": "38.4", "unit": "pg/mL", "lloq": "2.5", "uloq": "10000"}
    return {name: value for name, value in {**line, **given}.items() if value is not None}


def a_cytokine_report(*lines: dict[str, Any], **given: Any) -> dict[str, Any]:
    report = {
        "specimen": {"type": "serum", "collected_at": DRAWN},
        "platform": "LUMINEX-200",
        "kit": "HCYTA-60K",
        "lot": "A1",
        "results": list(lines) or [a_line(analyte) for analyte in ("IL2", "IL4", "IL6", "IL10", "TNF", "IFNG")],
    }
    return {name: value for name, value in {**report, **given}.items() if value is not None}
