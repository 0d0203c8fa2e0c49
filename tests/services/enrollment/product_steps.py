"""The steps of a product's chain, as they are sent: what matters to a test replaces the usual."""

from typing import Any

LOT, BAG = "CMD03-0007", "CMD03-0007-B1"


def collection(**given: Any) -> dict[str, Any]:
    usual = {
        "collected_at": "2026-02-02T09:00:00+07:00",
        "collection_site": "CU-APH",
        "apheresis_id": "A9999-26-000123",
        "volume_ml": "120",
    }
    return usual | given


def manufacturer_receipt(**given: Any) -> dict[str, Any]:
    usual = {
        "received_at": "2026-02-02T14:00:00+07:00",
        "manufacturer": "CU-GMP",
        "condition": "acceptable",
        "transport": "refrigerated",
        "lowest_c": "3",
        "highest_c": "6",
    }
    return usual | given


def start(**given: Any) -> dict[str, Any]:
    return {"started_at": "2026-02-02T16:00:00+07:00", "lot": LOT, "vector_lot": "LV-2025-11"} | given


def bag(code: str = BAG, **given: Any) -> dict[str, Any]:
    """25 million viable cells, 38 % of them CAR+: 9.5 million."""
    usual = {
        "bag": code,
        "volume_ml": "20",
        "viable_cells": "25000000",
        "viability_percent": "95",
        "car_positive_percent": "38",
    }
    return usual | given


def end(**given: Any) -> dict[str, Any]:
    return {"ended_at": "2026-02-14T12:00:00+07:00", "expires_on": "2027-02-13", "bags": [bag()]} | given


MEASURED = {
    "viability": ("92", "%"),
    "car-positive": ("38", "%"),
    "vector-copy-number": ("2.1", "{copies}/{cell}"),
    "endotoxin": ("0.5", "[EU]/kg/h"),
}
FOUND = {
    "sterility": "negative",
    "mycoplasma": "negative",
    "identity": "positive",
    "replication-competent-virus": "negative",
}


def result(test: str, **given: Any) -> dict[str, Any]:
    said = (
        dict(zip(("value", "unit"), MEASURED[test], strict=True)) if test in MEASURED else {"finding": FOUND.get(test)}
    )
    return {"test": test, "tested_on": "2026-02-14", **said} | given


def tests(*results: dict[str, Any]) -> dict[str, Any]:
    """Those given, and everything else passed."""
    told = {each["test"]: each for each in results}
    return {
        "reported_at": "2026-02-20T15:00:00+07:00",
        "results": [told.get(test, result(test)) for test in (*MEASURED, *FOUND)],
    }


def release(**given: Any) -> dict[str, Any]:
    return {"decided_at": "2026-02-21T10:00:00+07:00"} | given


def shipment(**given: Any) -> dict[str, Any]:
    usual = {
        "shipped_at": "2026-03-02T08:00:00+07:00",
        "shipper": "COURIER-2",
        "destination": "CU",
        "transport": "liquid-nitrogen",
        "logger": "TL-0588",
    }
    return usual | given


def site_receipt(**given: Any) -> dict[str, Any]:
    usual = {
        "received_at": "2026-03-02T15:00:00+07:00",
        "lot": LOT,
        "condition": "acceptable",
        "lowest_c": "-188",
        "highest_c": "-161",
    }
    return usual | given


def thaw(**given: Any) -> dict[str, Any]:
    return {"thawed_at": "2026-03-16T09:40:00+07:00", "lot": LOT, "bag": BAG} | given


def verification(**given: Any) -> dict[str, Any]:
    usual = {
        "scanned_at": "2026-03-16T09:50:00+07:00",
        "point": "bedside",
        "lot": LOT,
        "bag": BAG,
        "subject_number": "CU-001",
    }
    return usual | given
