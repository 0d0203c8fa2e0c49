"""Given custodies, where each specimen stands: on both databases, over HTTP, within the sites, and as CSV."""

import csv
import io
from typing import Any
from uuid import UUID

from shared.contracts import biomarkers_specimens as told
from shared.kernel.actor import Role
from tests.services.projector.chronicle import Child, Chronicle, named
from tests.services.projector.house import House
from tests.services.projector.small_trial import at

PATH = "/v1/specimens"
RESULT = {"kind": "flow-result", "id": str(named("result"))}


class Tube:
    """One specimen, told from its draw on."""

    def __init__(self, child: Child, name: str) -> None:
        self.child, self.id = child, named(name)

    def tell(self, kind: Any, **parts: Any) -> "Tube":
        event = kind.model_validate({"specimen_id": self.id, "participant_id": self.child.id, **parts})
        self.child.chronicle.tell(f"specimen:{self.id}", event)
        return self

    def collected(self, day: int) -> "Tube":
        drawn = {"type": "blood", "purposes": ["car-t-flow", "cytokines"], "collected_at": at(1, day)}
        return self.tell(told.SpecimenCollected, collection=drawn)

    def shipped(self, day: int) -> "Tube":
        sent = {"shipped_at": at(1, day, 10), "destination": "CU-LAB", "transport": "ambient"}
        return self.tell(told.SpecimenShipped, shipment=sent)

    def received(self, day: int, condition: str = "acceptable") -> "Tube":
        got = {"received_at": at(1, day, 12), "laboratory": "CU-LAB", "condition": condition}
        return self.tell(told.SpecimenReceived, receipt=got)

    def analysed(self) -> "Tube":
        return self.tell(told.SpecimenAnalysed, result=RESULT)

    def rejected(self, day: int) -> "Tube":
        because = {"rejected_at": at(1, day, 14), "because": "clotting"}
        return self.tell(told.SpecimenRejected, rejection=because, with_parent=False)


def tubes(chronicle: Chronicle) -> None:
    child = chronicle.child("CU-001").screened().enrolled().infused(at(1, 5))
    Tube(child, "day 7").collected(12).shipped(12).received(12, "haemolysed").analysed()
    Tube(child, "day 14").collected(19).received(19).analysed().rejected(19)
    Tube(child, "on its way").collected(26).shipped(26)
    lost = (
        Tube(child, "turned up").collected(8).tell(told.SpecimenLost, loss={"noted_at": at(1, 9), "because": "at-site"})
    )
    lost.tell(told.SpecimenStepRetracted, step=2, reason="It stood in the other rack")
    Tube(child, "never was").collected(9).tell(told.SpecimenStepRetracted, step=1, reason="Another child's tube")
    withdrawn = Tube(child, "withdrawn").collected(10).received(10).analysed()
    withdrawn.tell(told.SpecimenAnalysisWithdrawn, result=RESULT)
    put_right = {"received_at": at(1, 10, 13), "laboratory": "CU-LAB", "condition": "thawed"}
    withdrawn.tell(told.SpecimenStepCorrected, step=2, details=put_right, reason="It had thawed")
    absence = {"visit": "D30", "purpose": "cytokines", "noted_at": at(2, 4), "because": "refused"}
    Tube(child, "refused").tell(told.SpecimenNotCollected, absence=absence)
    aliquot = {"aliquot_id": named("tube"), "type": "serum", "volume_ml": "0.5"}
    parent = Tube(child, "divided").collected(11)
    parent.tell(told.SpecimenAliquoted, aliquoting={"aliquoted_at": at(1, 11, 10), "aliquots": [aliquot]})
    made = {"parent_id": parent.id, "aliquot": aliquot, "aliquoted_at": at(1, 11, 10), "at_laboratory": False}
    Tube(child, "tube").tell(told.AliquotMade, **made)
    other = chronicle.child("SI-001").screened()
    Tube(other, "before").collected(2)


async def listed(house: House, query: str = "", *sites: str, role: Role = Role.LABORATORY) -> list[dict[str, Any]]:
    async with house.client(role, sites=list(sites) or ["CU"]) as client:
        answer = await client.get(f"{PATH}?limit=200{query}")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def test_each_specimen_stands_where_its_last_step_left_it(any_house: House) -> None:
    chronicle = Chronicle()
    tubes(chronicle)
    await any_house.hears(chronicle.told)
    found = await listed(any_house)
    planned = {(each["visit"], each["purpose"]): each for each in found if each["visit"]}
    seventh = planned["D7", "car-t-flow"]
    assert (seventh["status"], seventh["condition"], seventh["results"]) == ("analysed", "haemolysed", 1)
    fourteenth = planned["D14", "cytokines"]
    assert (fourteenth["status"], fourteenth["because"], fourteenth["results"]) == ("rejected", "clotting", 1)
    assert planned["D21", "cytokines"]["status"] == "in-transit"
    assert (planned["D30", "cytokines"]["status"], planned["D30", "cytokines"]["because"]) == ("missing", "refused")
    assert planned["D30", "car-t-flow"]["status"] == "overdue"
    beside = {UUID(each["specimen_id"]): each for each in found if each["visit"] is None}
    assert beside[named("turned up")]["status"] == "collected"
    assert named("never was") not in beside
    assert (beside[named("withdrawn")]["status"], beside[named("withdrawn")]["condition"]) == ("received", "thawed")
    tube = beside[named("tube")]
    assert (tube["status"], tube["type"], tube["parent_id"]) == ("collected", "serum", str(named("divided")))
    assert {each["site_id"] for each in found} == {"CU"}


async def test_lines_are_of_the_callers_sites_and_of_whom_is_asked_for(house: House) -> None:
    chronicle = Chronicle()
    tubes(chronicle)
    await house.hears(chronicle.told)
    assert [each["specimen_id"] for each in await listed(house, "", "SI")] == [str(named("before"))]
    assert {each["status"] for each in await listed(house, "&status=overdue")} == {"overdue"}
    someone = (await listed(house, "", "SI"))[0]["participant_id"]
    assert await listed(house, f"&participant_id={someone}") == []
    async with house.client(Role.RADIOLOGIST, sites=["CU"]) as client:
        assert (await client.get(PATH)).status_code == 403


async def test_pages_follow_each_other_and_the_sheet_has_the_same_lines(house: House) -> None:
    chronicle = Chronicle()
    tubes(chronicle)
    await house.hears(chronicle.told)
    every = await listed(house)
    async with house.client(Role.MONITOR, sites=["CU"]) as client:
        first = (await client.get(f"{PATH}?limit=5")).json()
        second = (await client.get(f"{PATH}?limit=200&cursor={first['next_cursor']}")).json()
    assert first["items"] + second["items"] == every
    async with house.client(Role.MONITOR, sites=["CU"], accept="text/csv") as client:
        rows = list(csv.DictReader(io.StringIO((await client.get(f"{PATH}?limit=200")).text)))
    assert [row["status"] for row in rows] == [each["status"] for each in every]
