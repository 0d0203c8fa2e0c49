"""Given the events of products, their chains and alerts over HTTP, within the sites, and as CSV."""

from typing import Any

import pytest

from shared.contracts import enrollment_product as told
from shared.http.paging import encode
from shared.kernel.actor import Role
from tests.services.projector.chronicle import Child, Chronicle, named
from tests.services.projector.house import House
from tests.services.projector.small_trial import at

PRODUCT = named("product")


def tell(child: Child, stream: str, kind: Any, **parts: Any) -> None:
    child.chronicle.tell(stream, kind.model_validate({"participant_id": child.id, **parts}))


def step(child: Child, kind: Any, **parts: Any) -> None:
    tell(child, f"product:{PRODUCT}", kind, product_id=PRODUCT, **parts)


def products(chronicle: Chronicle) -> None:
    child = chronicle.child("CU-001").screened()
    drawn = {"collected_at": at(1, 2), "collection_site": "CU-APH", "apheresis_id": "A9999-26-1"}
    step(child, told.LeukapheresisCollected, site_id="CU", collection=drawn)
    begun = {"started_at": at(1, 3), "lot": "CMD03-0007", "vector_lot": "LV-1"}
    step(child, told.ManufactureStarted, start=begun)
    step(child, told.ManufactureEnded, end={"ended_at": at(1, 20), "failed": "no-expansion"})
    right = {**begun, "started_at": at(1, 4)}
    corrected = {"step": 2, "details": right, "verdicts": (), "temperature": None, "reason": "Misread"}
    step(child, told.ProductStepCorrected, **corrected)
    step(child, told.ProductRejected, rejection={"decided_at": at(1, 21), "because": "other"})
    step(child, told.ProductStepRetracted, step=5, reason="Not decided yet")
    alert, stream = named("alert"), f"product-alert:{named('alert')}"
    scanned = {"point": "bedside", "at": at(1, 22), "lot": "CMD03-0008", "bag": None}
    found = {"site_id": "CU", "product_id": PRODUCT, "findings": ["lot-of-another-participant"]}
    tell(child, stream, told.ProductAlertRaised, alert_id=alert, **scanned, **found)
    tell(child, stream, told.ProductAlertAcknowledged, alert_id=alert, note="Bag returned")
    appraised: dict[str, Any] = {"product_id": None, "lot": "X1", "bags": (), "dose": None, "given_despite": "It was"}
    appraised["protocol"] = "CMD03@1.0.0"
    for number, findings in ((1, ["second-infusion-too-early"]), (2, ["bag-used"]), (2, [])):
        given = {"infusion_number": number, "findings": findings, **appraised}
        tell(child, f"appraisal:{child.id}", told.InfusionAppraised, **given)


async def listed(house: House, path: str, *sites: str) -> list[dict[str, Any]]:
    async with house.client(Role.QUALITY, sites=list(sites) or ["CU"]) as client:
        answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    rows: list[dict[str, Any]] = answer.json()["items"]
    return rows


async def test_a_chain_and_its_alerts_stand_as_they_were_last_told(house: House) -> None:
    chronicle = Chronicle()
    products(chronicle)
    await house.hears(chronicle.told)
    chain = await listed(house, "/v1/products")
    assert [(each["step"], each["status"]) for each in chain] == [
        *((1, "collected"), (2, "in-manufacture"), (3, "manufacture-failed")),
    ]
    assert chain[1]["at"] == "2026-01-04T02:00:00Z"
    alerts = await listed(house, "/v1/product-alerts")
    assert {each["point"]: each["findings"] for each in alerts} == {
        "bedside": ["lot-of-another-participant"],
        "given": ["second-infusion-too-early"],
    }
    assert next(each for each in alerts if each["point"] == "bedside")["note"] == "Bag returned"
    assert await listed(house, "/v1/products", "SI") == await listed(house, "/v1/product-alerts", "SI") == []


WARM = {
    "within": False,
    "why": "compared",
    "transport": "refrigerated",
    "allowed_lowest_c": "2",
    "allowed_highest_c": "8",
}


async def test_a_transport_out_of_its_limits_is_alerted_until_it_is_put_right(house: House) -> None:
    chronicle = Chronicle()
    child = chronicle.child("CU-001").screened()
    receipt = {"received_at": at(1, 3), "manufacturer": "CU-GMP", "condition": "acceptable"}
    step(child, told.ProductReceivedByManufacturer, receipt=receipt, temperature=WARM, protocol="CMD03@1.0.0")
    await house.hears(chronicle.told)
    [alert] = await listed(house, "/v1/product-alerts")
    assert (alert["point"], alert["findings"]) == ("transport", ["temperature-out-of-limits"])
    assert alert["at"] == "2026-01-03T02:00:00Z"
    right = {
        "step": 1,
        "details": receipt,
        "verdicts": (),
        "temperature": {**WARM, "within": True},
        "reason": "Misread",
    }
    step(child, told.ProductStepCorrected, **right)
    await house.hears(chronicle.told)
    assert await listed(house, "/v1/product-alerts") == []


async def test_a_receipt_that_is_judged_by_another_transport_is_alerted_until_its_shipment_is_put_right(
    house: House,
) -> None:
    chronicle = Chronicle()
    child = chronicle.child("CU-001").screened()
    shipped = {"shipped_at": at(1, 2), "shipper": "COURIER-2", "destination": "CU"}
    frozen, refrigerated = ({**shipped, "transport": transport} for transport in ("liquid-nitrogen", "refrigerated"))
    received = {"received_at": at(1, 3), "lot": "CMD03-0007", "condition": "acceptable", "highest_c": "-161"}
    cold = {**WARM, "within": True, "transport": "liquid-nitrogen"}
    step(child, told.ProductShipped, shipment=frozen)
    step(child, told.ProductReceivedAtSite, receipt=received, temperature=cold, protocol="CMD03@1.0.0")
    for shipment, temperature, found in ((refrigerated, WARM, [f"temperature-{PRODUCT}-2"]), (frozen, cold, [])):
        for number, details, judged in ((1, shipment, None), (2, received, temperature)):
            right = {"step": number, "details": details, "verdicts": (), "temperature": judged, "reason": "Misread"}
            step(child, told.ProductStepCorrected, **right)
        await house.hears(chronicle.told)
        assert [each["alert_id"] for each in await listed(house, "/v1/product-alerts")] == found
        assert [each["temperature"] for each in await listed(house, "/v1/products")] == [None, temperature]


async def test_chains_and_alerts_come_in_pages(house: House) -> None:
    chronicle = Chronicle()
    products(chronicle)
    await house.hears(chronicle.told)
    for path in ("/v1/products", "/v1/product-alerts"):
        whole = await listed(house, path)
        found: list[dict[str, Any]] = []
        cursor: str | None = ""
        async with house.client(Role.QUALITY, sites=["CU"]) as client:
            while cursor is not None:
                answer = await client.get(path, params={"limit": 1, **({"cursor": cursor} if cursor else {})})
                found += answer.json()["items"]
                cursor = answer.json()["next_cursor"]
            unreadable = await client.get(path, params={"cursor": "x"})
        assert found == whole
        assert len(whole) > 1
        assert unreadable.status_code == 422


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("/v1/products", ("CU-001", str(PRODUCT), 2**31)),
        ("/v1/products", ("CU-001", "no product", 1)),
        ("/v1/product-alerts", ("2026-01-03T02:00:00", "alert")),
        ("/v1/product-alerts", ("0001-01-01T00:00:00+14:00", "alert")),
    ],
)
async def test_a_cursor_that_nobody_was_given_is_refused(house: House, path: str, key: tuple[str | int, ...]) -> None:
    async with house.client(Role.QUALITY, sites=["CU"]) as client:
        answer = await client.get(path, params={"cursor": encode(*key)})
    assert answer.status_code == 422, answer.text
    assert answer.json()["type"].endswith("unreadable-cursor")
