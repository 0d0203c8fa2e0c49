"""Given candidates of laboratory values and decisions, what is open: on both databases, over HTTP."""

from typing import Any

from shared.contracts.safety_laboratory import (
    AdverseEventCandidateAccepted,
    AdverseEventCandidateDismissed,
    AdverseEventCandidateFollowed,
    AdverseEventCandidateMerged,
    AdverseEventCandidateOpened,
    AdverseEventCandidateWithdrawn,
    CandidateCourse,
)
from tests.services.projector.chronicle import PROTOCOL, Child, Chronicle, named, term
from tests.services.projector.house import House
from tests.services.projector.small_trial import at


def course(worst: int = 2, ended_on: str | None = None) -> CandidateCourse:
    results = {"first_result_id": named("first result"), "worst_result_id": named(f"result of grade {worst}")}
    return CandidateCourse(onset="2026-01-08", worst_grade=worst, ended_on=ended_on, **results)


class Candidate:
    """One candidate of a child, from its opening on."""

    def __init__(self, child: Child, name: str) -> None:
        self.child, self.id, self.course = child, named(name), course()
        self.tell(AdverseEventCandidateOpened, term=term("Anemia"), course=self.course, protocol=PROTOCOL.ref)

    def tell(self, kind: type[Any], **told: Any) -> "Candidate":
        event = kind(candidate_id=self.id, participant_id=self.child.id, **told)
        self.child.chronicle.tell(f"laboratory-results:{self.child.id}", event)
        return self

    def followed(self, now: CandidateCourse, *, was: CandidateCourse | None) -> "Candidate":
        self.course = now
        return self.tell(AdverseEventCandidateFollowed, was=was, now=now)

    def withdrawn(self) -> "Candidate":
        return self.tell(AdverseEventCandidateWithdrawn, was=self.course)

    def decided(self, kind: type[Any], **told: Any) -> "Candidate":
        return self.tell(kind, course=self.course, **told)


async def open_items(house: House) -> dict[str, tuple[str, str]]:
    async with house.client() as client:
        answer = await client.get("/v1/safety-reconciliation")
    assert answer.status_code == 200, answer.text
    found = answer.json()["result"]["participants"]
    return {item["about"]: (item["kind"], item["detail"]) for who in found for item in who["items"]}


async def test_a_candidate_waits_for_an_investigator(any_house: House) -> None:
    chronicle = Chronicle()
    child = chronicle.child("CU-001").screened().enrolled().infused(at(1, 5))
    waiting, taken, merged, dismissed, gone, worse, lost, back = (
        Candidate(child, name) for name in ("waiting", "taken", "merged", "dismissed", "gone", "worse", "lost", "back")
    )
    waiting.followed(course(3), was=course(2))
    taken.decided(AdverseEventCandidateAccepted, adverse_event_id=named("event"))
    merged.decided(AdverseEventCandidateMerged, adverse_event_id=named("event"))
    dismissed.decided(AdverseEventCandidateDismissed, reason="Haemolysed tube")
    gone.withdrawn()
    worse.decided(AdverseEventCandidateDismissed, reason="Haemolysed tube").followed(course(4), was=course(2))
    lost.decided(AdverseEventCandidateAccepted, adverse_event_id=named("event")).withdrawn()
    back.withdrawn().followed(course(1), was=None)
    await any_house.hears(chronicle.told)
    assert await open_items(any_house) == {
        str(waiting.id): ("candidate-undecided", "worst grade 3"),
        str(worse.id): ("candidate-changed", "dismissed, now worst grade 4"),
        str(lost.id): ("candidate-changed", "accepted, now withdrawn"),
        str(back.id): ("candidate-undecided", "worst grade 1"),
    }
    before = await any_house.rows()
    await any_house.hears(chronicle.told)
    assert await any_house.rows() == before
