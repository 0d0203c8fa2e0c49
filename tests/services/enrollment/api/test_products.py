"""A product over HTTP: from the leukapheresis to the infusion, and what is refused on the way."""

import asyncio
import json
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import text

from shared.db import Database
from shared.kernel.actor import Role
from tests.services.enrollment import builders, product_steps
from tests.services.enrollment.api.requests import UNTIL_ENROLLED, a_screening, body_of
from tests.services.enrollment.builders import WHO
from tests.services.enrollment.conftest import Caller, do

PRODUCT, OTHER_PRODUCT = uuid4(), uuid4()
OTHER = uuid4()
APHERESIS, OTHERS_APHERESIS = "A9999-26-000123", "A9999-26-000124"

STEPS: tuple[tuple[Role, str, dict[str, Any]], ...] = (
    (Role.MANUFACTURING, "receive-at-manufacturer", product_steps.manufacturer_receipt()),
    (Role.MANUFACTURING, "start-manufacture", product_steps.start()),
    (Role.MANUFACTURING, "end-manufacture", product_steps.end()),
    (Role.QUALITY, "record-release-tests", product_steps.tests()),
    (Role.QUALITY, "release", product_steps.release()),
    (Role.MANUFACTURING, "ship", product_steps.shipment()),
    (Role.COORDINATOR, "receive-at-site", product_steps.site_receipt()),
    (Role.COORDINATOR, "thaw", product_steps.thaw()),
)
INFUSION = body_of(builders.infusion())


async def enrolled(caller: Caller, who: UUID = WHO) -> None:
    async with caller() as client:
        assert (await client.post("/v1/participants", json=a_screening(who))).status_code == 201
        for verb, body in UNTIL_ENROLLED:
            assert (await do(client, who, verb, body)).status_code == 200


def collection(product: UUID = PRODUCT, who: UUID = WHO, **given: Any) -> dict[str, Any]:
    """Each participant's cells under a number of their own."""
    number = {} if who == WHO else {"apheresis_id": OTHERS_APHERESIS}
    return product_steps.collection(product_id=str(product), participant_id=str(who), **number) | given


async def collected(caller: Caller, product: UUID = PRODUCT, who: UUID = WHO) -> None:
    async with caller() as client:
        body = collection(product, who)
        answer = await client.post("/v1/products", json=body)
        assert answer.status_code == 201, answer.text


async def take(caller: Caller, role: Role, verb: str, body: Any, product: UUID = PRODUCT) -> httpx.Response:
    async with caller(role) as client:
        seen = await client.get(f"/v1/products/{product}") if role is not Role.SYSTEM else None
        headers = {} if seen is None else {"If-Match": seen.headers["ETag"]}
        return await client.post(f"/v1/products/{product}/{verb}", json=body, headers=headers)


async def made(caller: Caller, until: str = "thaw") -> None:
    """The usual product, up to a step."""
    await collected(caller)
    for role, verb, body in STEPS:
        answer = await take(caller, role, verb, body)
        assert answer.status_code == 200, answer.text
        if verb == until:
            return


async def others_lot(caller: Caller, lot: str = "CMD03-0008") -> None:
    await enrolled(caller, OTHER)
    await collected(caller, OTHER_PRODUCT, OTHER)
    for role, verb, body in STEPS[:5]:
        given: dict[str, Any] = {"lot": lot} if verb == "start-manufacture" else {}
        given = {"bags": [product_steps.bag(f"{lot}-B1")]} if verb == "end-manufacture" else given
        answer = await take(caller, role, verb, body | given, OTHER_PRODUCT)
        assert answer.status_code == 200, answer.text


async def infuse(caller: Caller, **given: Any) -> httpx.Response:
    async with caller() as client:
        return await do(client, WHO, "record-infusion", INFUSION | given)


async def test_a_chain_is_told_step_by_step_and_ends_in_the_infusion(caller: Caller) -> None:
    await enrolled(caller)
    await made(caller)
    scanned = await take(caller, Role.COORDINATOR, "verify-identity", product_steps.verification())
    assert scanned.status_code == 200, scanned.text
    answer = await infuse(caller)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert told["product_id"] == str(PRODUCT)
    assert told["findings"] == []
    assert told["dose"]["viable_car_positive_cells"] == "9500000"
    assert (told["dose"]["cells_per_kg"], told["dose"]["percent_of_planned"]) == ("513514", "102.7")
    assert (told["dose"]["dose_level"], told["dose"]["within"]) == ("DL1", True)
    async with caller() as client:
        shown = (await client.get(f"/v1/products/{PRODUCT}")).json()
    assert [step["step"] for step in shown["chain"]] == [
        *("collected", "at-manufacturer", "in-manufacture", "manufactured", "tested", "released"),
        *("shipped", "at-site", "thawed", "infused"),
    ]
    assert shown["status"] == "infused"
    assert shown["chain"][1]["temperature"]["within"] is shown["chain"][7]["temperature"]["within"] is True
    assert {step["role"] for step in shown["chain"]} == {"coordinator", "manufacturing", "quality"}


async def test_a_lot_that_is_no_product_is_recorded_as_it_ever_was(caller: Caller) -> None:
    await enrolled(caller)
    told = (await infuse(caller)).json()
    assert (told["product_id"], told["dose"], told["findings"]) == (None, None, [])


async def test_a_scan_of_anothers_lot_is_refused_and_on_record(caller: Caller) -> None:
    await enrolled(caller)
    await made(caller, "receive-at-site")
    await others_lot(caller)
    async with caller() as client:
        path, body = f"/v1/products/{PRODUCT}/verify-identity", product_steps.verification(lot="CMD03-0008", bag=None)
        key = {"Idempotency-Key": "scan-1"}
        refused = [await client.post(path, json=body, headers=key) for _ in range(2)]
        assert [each.status_code for each in refused] == [409, 409]
        assert refused[0].json()["type"].endswith("product-refused")
        assert "the lot is not this participant's" in refused[0].json()["detail"]
        assert not {str(OTHER), str(OTHER_PRODUCT), "CU-002", "CMD03-0008"} & set(refused[0].text.split('"'))
        shown = (await client.get(f"/v1/products/{PRODUCT}")).json()
    assert shown["verifications"] == []


async def test_whose_lot_was_scanned_for_another_is_told_so_once_and_not_for_whom(
    caller: Caller, sqlite: Database
) -> None:
    await enrolled(caller)
    await made(caller, "receive-at-site")
    await others_lot(caller)
    async with caller() as client:
        wrong = product_steps.verification(lot="CMD03-0008", bag=None, scan_id=str(uuid4()))
        for _ in range(2):
            assert (await client.post(f"/v1/products/{PRODUCT}/verify-identity", json=wrong)).status_code == 409
    async with sqlite.connect() as connection:
        raised = text("select subject, data from events where type = 'enrollment.product-alert-raised'")
        told = {row.subject: json.loads(row.data) for row in (await connection.execute(raised)).all()}
    assert {who: each["findings"] for who, each in told.items()} == {
        str(WHO): ["lot-of-another-participant"],
        str(OTHER): ["scanned-for-another-participant"],
    }
    assert (told[str(OTHER)]["product_id"], told[str(OTHER)]["lot"]) == (str(OTHER_PRODUCT), "CMD03-0008")
    assert str(WHO) not in json.dumps(told[str(OTHER)])
    async with caller() as client:
        path = f"/v1/product-alerts/{told[str(OTHER)]['alert_id']}/acknowledge"
        assert (await client.post(path, json={"note": "Our bag is in the store"})).status_code == 200


async def test_a_refused_scan_that_is_sent_again_is_refused_though_more_is_wrong_by_now(caller: Caller) -> None:
    await enrolled(caller)
    await made(caller, "receive-at-site")
    wrong = product_steps.verification(bag="CMD03-0007-B9", scan_id=str(uuid4()))
    async with caller() as client:
        first = await client.post(f"/v1/products/{PRODUCT}/verify-identity", json=wrong)
        rejection = {"decided_at": "2026-03-16T09:45:00+07:00", "because": "other"}
        rejected = await take(caller, Role.QUALITY, "reject", rejection)
        assert rejected.status_code == 200, rejected.text
        again = await client.post(f"/v1/products/{PRODUCT}/verify-identity", json=wrong)
    for refused in (first, again):
        assert refused.json()["type"].endswith("product-refused"), refused.text
    assert first.json()["detail"] != again.json()["detail"]


async def test_of_two_infusions_at_once_of_one_bag_one_is_on_record(caller: Caller) -> None:
    await enrolled(caller)
    await made(caller)
    async with caller() as client:
        path = f"/v1/participants/{WHO}"
        headers = {"If-Match": (await client.get(path)).headers["ETag"]}
        weights = ("18.5", "18.6")  # so that neither repeats the other
        given = [{**INFUSION, "bags": [{"bag": product_steps.BAG}], "weight_kg": weight} for weight in weights]
        answers = await asyncio.gather(
            *(client.post(f"{path}/record-infusion", json=body, headers=headers) for body in given)
        )
        shown = (await client.get(path)).json()
    first, second = sorted(each.status_code for each in answers)
    assert (first, second in {409, 412}) == (200, True)  # refused as a used bag, or as a change of what is past
    assert len(shown["infusions"]) == 1


async def test_a_release_and_a_failing_test_at_once_leave_no_release_of_what_failed(caller: Caller) -> None:
    await enrolled(caller)
    await made(caller, "record-release-tests")
    failed = product_steps.tests(product_steps.result("sterility", finding="positive"))
    path = f"/v1/products/{PRODUCT}"
    async with caller(Role.QUALITY) as client:
        headers = {"If-Match": (await client.get(path)).headers["ETag"]}
        answers = await asyncio.gather(
            client.post(f"{path}/record-release-tests", json=failed, headers=headers),
            client.post(f"{path}/release", json=product_steps.release(), headers=headers),
        )
    assert sorted(each.status_code for each in answers) == [200, 412], [each.text for each in answers]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"lot": "CMD03-9999"}, "no product has this lot"),
        ({"bag": "CMD03-0007-B9"}, "the lot has no such bag"),
        ({"subject_number": "CU-002"}, "the wristband is not that of the product's participant"),
        ({"scanned_at": "2027-02-14T00:00:00+07:00"}, "the lot has expired"),
    ],
)
async def test_a_scan_that_does_not_fit_says_what_is_wrong(caller: Caller, given: Any, says: str) -> None:
    await enrolled(caller)
    await made(caller, "receive-at-site")
    refused = await take(caller, Role.COORDINATOR, "verify-identity", product_steps.verification(**given))
    assert refused.status_code == 409
    assert says in refused.json()["detail"]


async def test_a_lot_is_one_products_alone(caller: Caller) -> None:
    await enrolled(caller)
    await made(caller, "start-manufacture")
    await enrolled(caller, OTHER)
    await collected(caller, OTHER_PRODUCT, OTHER)
    begun = {**product_steps.start(), "lot": "cmd03-0007"}
    refused = await take(caller, Role.MANUFACTURING, "start-manufacture", begun, OTHER_PRODUCT)
    assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (409, "lot-taken")
    freed = await take(caller, Role.MANUFACTURING, "retract", {"step": 3, "reason": "Another product's label"})
    assert freed.status_code == 200
    taken = await take(caller, Role.MANUFACTURING, "start-manufacture", begun, OTHER_PRODUCT)
    assert taken.status_code == 200


async def test_an_apheresis_is_one_participants_alone(caller: Caller) -> None:
    await enrolled(caller)
    await enrolled(caller, OTHER)
    await collected(caller)
    theirs = collection(OTHER_PRODUCT, OTHER, apheresis_id=APHERESIS.lower())
    async with caller() as client:
        refused = await client.post("/v1/products", json=theirs)
        assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (409, "apheresis-id-taken")
        assert (await client.get(f"/v1/products/{OTHER_PRODUCT}")).status_code == 404
        again = await client.post("/v1/products", json=collection(uuid4()))
        assert again.status_code == 201, again.text
        _, _, second = again.headers["Location"].rpartition("/")
    right = {"collection": product_steps.collection(apheresis_id="A9999-26-000125"), "reason": "Misread label"}
    for product in (PRODUCT, UUID(second)):
        async with caller() as client:
            assert (await client.post("/v1/products", json=theirs)).status_code == 409
        corrected = await take(caller, Role.COORDINATOR, "correct", {"step": 1, **right}, product)
        assert corrected.status_code == 200, corrected.text
    async with caller() as client:
        assert (await client.post("/v1/products", json=theirs)).status_code == 201
    back = {"collection": product_steps.collection(), "reason": "It was right"}
    refused = await take(caller, Role.COORDINATOR, "correct", {"step": 1, **back})
    assert refused.json()["type"].rpartition("/")[2] == "apheresis-id-taken"
    gone = await take(caller, Role.COORDINATOR, "retract", {"step": 1, "reason": "Never was"}, OTHER_PRODUCT)
    assert gone.status_code == 200, gone.text
    assert (await take(caller, Role.COORDINATOR, "correct", {"step": 1, **back})).status_code == 200


async def test_of_two_who_take_one_apheresis_at_once_one_has_it(caller: Caller) -> None:
    await enrolled(caller)
    await enrolled(caller, OTHER)
    bodies = [collection(uuid4(), who, apheresis_id=APHERESIS) for who in (WHO, OTHER) for _ in range(2)]
    async with caller() as client:
        answers = await asyncio.gather(*(client.post("/v1/products", json=body) for body in bodies))
    assert sorted(each.status_code for each in answers) == [201, 201, 409, 409]
    assert len({body["participant_id"] for body, each in zip(bodies, answers, strict=True) if each.is_success}) == 1


async def test_the_lots_number_follows_a_correction(caller: Caller) -> None:
    await enrolled(caller)
    await made(caller, "start-manufacture")
    put_right = {"step": 3, "start": product_steps.start(lot="CMD03-0017"), "reason": "Misread label"}
    assert (await take(caller, Role.MANUFACTURING, "correct", put_right)).status_code == 200
    await enrolled(caller, OTHER)
    await collected(caller, OTHER_PRODUCT, OTHER)
    answers = [
        await take(caller, Role.MANUFACTURING, "start-manufacture", product_steps.start(lot=lot), OTHER_PRODUCT)
        for lot in ("CMD03-0017", "CMD03-0007")
    ]
    assert [each.status_code for each in answers] == [409, 200]


async def test_anothers_lot_is_refused_for_an_infusion_unless_it_was_given(caller: Caller) -> None:
    await enrolled(caller)
    await others_lot(caller)
    refused = await infuse(caller, lot="CMD03-0008")
    assert refused.status_code == 409
    assert "the lot is not this participant's" in refused.json()["detail"]
    bags = [{"bag": "CMD03-0008-B1"}]
    given = await infuse(caller, lot="CMD03-0008", bags=bags, given_despite="Given before anybody saw it")
    assert given.status_code == 200, given.text
    assert given.json()["findings"] == ["lot-of-another-participant", "bag-not-thawed"]
    async with caller(Role.QUALITY) as client:
        other = (await client.get(f"/v1/products/{OTHER_PRODUCT}")).json()
    assert other["status"] == "diverted"
    assert str(WHO) not in str(other)


async def test_a_dose_out_of_range_is_told_and_the_chain_follows_corrections(caller: Caller) -> None:
    await enrolled(caller)
    await made(caller)
    half = await infuse(caller, bags=[{"bag": product_steps.BAG, "volume_ml": "10"}])
    assert half.status_code == 200, half.text
    assert half.json()["findings"] == ["dose-out-of-range", "identity-not-verified"]
    assert half.json()["dose"]["percent_of_planned"] == "51.4"
    async with caller() as client:
        right = INFUSION | {"infusion_number": 1, "reason": "The whole bag was given"}
        whole = await do(client, WHO, "correct-infusion", right)
        assert whole.status_code == 200, whole.text
        assert whole.json()["findings"] == ["identity-not-verified"]
        gone = await do(client, WHO, "retract-infusion", {"infusion_number": 1, "reason": "Never given"})
        assert gone.status_code == 200, gone.text
        shown = (await client.get(f"/v1/products/{PRODUCT}")).json()
    assert shown["status"] == "thawed"


async def test_two_people_of_two_offices_release_what_is_not_within_its_specification(caller: Caller) -> None:
    await enrolled(caller)
    await made(caller, "end-manufacture")
    low = product_steps.tests(product_steps.result("viability", value="65"))
    assert (await take(caller, Role.QUALITY, "record-release-tests", low)).status_code == 200
    held = await take(caller, Role.QUALITY, "release", product_steps.release())
    assert held.json()["type"].endswith("not-within-specification")
    approval = {**product_steps.release(), "reason": "Viability of 65 %, no cells are left"}
    first = await take(caller, Role.QUALITY, "approve-exceptional-release", approval)
    assert first.status_code == 200, first.text
    again = await take(caller, Role.QUALITY, "approve-exceptional-release", approval | {"reason": "Still so"})
    assert again.json()["type"].endswith("same-person-approved")
    second = await take(caller, Role.SPONSOR, "approve-exceptional-release", approval)
    assert second.status_code == 200, second.text
    async with caller() as client:
        shown = (await client.get(f"/v1/products/{PRODUCT}")).json()
    assert (shown["status"], shown["not_passed"]) == ("released", ["viability"])


async def test_what_a_second_person_approves_in_the_same_words_is_not_the_first_ones_again(caller: Caller) -> None:
    await enrolled(caller)
    await made(caller, "end-manufacture")
    low = product_steps.tests(product_steps.result("viability", value="65"))
    await take(caller, Role.QUALITY, "record-release-tests", low)
    approval, seen = {**product_steps.release(), "reason": "Viability of 65 %, no cells are left"}, {"If-Match": '"5"'}
    answers = []
    for role in (Role.QUALITY, Role.SPONSOR, Role.QUALITY):
        async with caller(role) as client:
            path = f"/v1/products/{PRODUCT}/approve-exceptional-release"
            answers.append(await client.post(path, json=approval, headers=seen))
    assert [answer.status_code for answer in answers] == [200, 412, 200]
    assert [answer.headers.get("Idempotent-Replayed") for answer in answers] == [None, None, "true"]


async def test_a_refused_scan_is_taken_in_hand_by_one(caller: Caller) -> None:
    await enrolled(caller)
    await made(caller, "receive-at-site")
    alert = uuid4()
    async with caller() as client:
        wrong = product_steps.verification(lot="CMD03-9999", scan_id=str(alert))
        refused = await client.post(f"/v1/products/{PRODUCT}/verify-identity", json=wrong)
        path = f"/v1/product-alerts/{alert}/acknowledge"
        taken = [await client.post(path, json={"note": note}) for note in ("Bag returned", "Bag returned", "Me too")]
        unknown = await client.post(f"/v1/product-alerts/{uuid4()}/acknowledge", json={"note": "Bag returned"})
        history = await client.get(f"/v1/products/{PRODUCT}/history")
    assert (refused.status_code, unknown.status_code) == (409, 404)
    assert [each.status_code for each in taken] == [200, 200, 409]
    assert taken[0].json()["position"] == f"product-alert:{alert}@2"
    assert [each["type"] for each in history.json()][-1] == "enrollment.product-received-at-site"


async def test_another_sites_product_is_none(caller: Caller) -> None:
    await enrolled(caller)
    await collected(caller)
    async with caller(Role.COORDINATOR, "KKU") as client:
        body = product_steps.collection(participant_id=str(WHO))
        answers = [
            await client.get(f"/v1/products/{PRODUCT}"),
            await client.get(f"/v1/products/{PRODUCT}/history"),
            await client.post(f"/v1/products/{PRODUCT}/verify-identity", json=product_steps.verification()),
            await client.post("/v1/products", json=body),
        ]
    assert [each.status_code for each in answers] == [404] * 4


async def test_a_step_is_put_right_by_those_who_may_record_it(caller: Caller) -> None:
    await enrolled(caller)
    await made(caller, "record-release-tests")
    right = product_steps.tests() | {"reported_at": "2026-02-20T16:00:00+07:00"}
    body = {"step": 5, "testing": right, "reason": "As the report has it"}
    refused = await take(caller, Role.COORDINATOR, "correct", body)
    assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (403, "not-your-step")
    assert (await take(caller, Role.QUALITY, "correct", body)).status_code == 200


async def test_a_receipt_is_judged_anew_in_the_append_that_puts_its_shipment_right(caller: Caller) -> None:
    await enrolled(caller)
    await made(caller, "receive-at-site")
    right = product_steps.shipment(transport="refrigerated")
    body = {"step": 7, "shipment": right, "reason": "The box was a fridge"}
    answer = await take(caller, Role.MANUFACTURING, "correct", body)
    assert answer.status_code == 200, answer.text
    async with caller() as client:
        shown = (await client.get(f"/v1/products/{PRODUCT}")).json()
    receipt = shown["chain"][7]
    assert (receipt["temperature"]["transport"], receipt["temperature"]["within"]) == ("refrigerated", False)
    assert [each["reason"] for each in receipt["corrections"]] == ["The box was a fridge"]
    assert shown["version"] == 10


async def test_the_dose_of_an_infusion_follows_its_product_when_that_is_put_right(caller: Caller) -> None:
    await enrolled(caller)
    await made(caller)
    assert (await take(caller, Role.COORDINATOR, "verify-identity", product_steps.verification())).status_code == 200
    assert (await infuse(caller)).json()["findings"] == []
    fewer = product_steps.end(bags=[product_steps.bag(car_positive_percent="19")])
    right = {"step": 4, "end": fewer, "reason": "The certificate says 19 %"}
    corrected = await take(caller, Role.MANUFACTURING, "correct", right)
    assert corrected.status_code == 200, corrected.text
    async with caller() as client:
        chain = (await client.get(f"/v1/products/{PRODUCT}")).json()["chain"]
    dose = chain[-1]["details"]["dose"]
    assert (chain[-1]["step"], dose["viable_car_positive_cells"], dose["within"]) == ("infused", "4750000", False)
    back = {"step": 4, "end": product_steps.end(), "reason": "It was right"}
    assert (await take(caller, Role.MANUFACTURING, "correct", back)).status_code == 200
    async with caller() as client:
        chain = (await client.get(f"/v1/products/{PRODUCT}")).json()["chain"]
    assert chain[-1]["details"]["dose"]["within"] is True
