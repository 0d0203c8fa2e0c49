"""The watch over criteria: a diagnosis that is corrected assigns responses anew, by itself and once."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from services.efficacy.app import SERVICE
from services.efficacy.application import Efficacy
from services.efficacy.domain.tumour_burden import DECIDER
from services.efficacy.tables import METADATA, criteria_looks
from services.efficacy.watch import CriteriaWatch
from shared.contracts.efficacy_review import IndependentReadReceived
from shared.contracts.enrollment import ScreeningDataCorrected
from shared.contracts.enrollment_terms import Diagnosis, Sex
from shared.db import Database, open_database
from shared.eventstore.store import EventStore
from shared.kernel.actor import Actor, Role
from shared.kernel.events import Envelope
from shared.messaging import Delivery
from shared.projection import ledger
from shared.projection.applying import Applier
from shared.projection.planning import decoded
from shared.protocol import Protocol, load_protocol
from shared.telemetry import tracing
from tests.dying import Killed, dying
from tests.services.efficacy.api.test_independent_reads import read_as
from tests.services.efficacy.api.trial import NOW, Trial, a_trial, prepare
from tests.services.efficacy.domain.builders import PARTICIPANT, a_baseline, a_lesion, an_assessment

PROTOCOL = load_protocol()
HEARD = 3  # events of the participant that `prepare` brings: the screening and two consents
RADIOLOGIST = Actor("a radiologist", frozenset({Role.RADIOLOGIST}), None, Role.RADIOLOGIST)
STREAMS = {
    "investigator": f"tumour-burden:{PARTICIPANT}",
    "independent-reader-1": f"tumour-burden-reader-1:{PARTICIPANT}",
}


class Worker:
    """What efficacy's worker does: takes in events, and lets the watch look."""

    def __init__(self, db: Database, protocol: Protocol = PROTOCOL) -> None:
        self.db, self.store, self.protocol = db, EventStore(db), protocol
        self._taken, self._offsets, self._versions = 0, {"trial.enrollment": HEARD}, HEARD

    def watch(self, protocol: Protocol | None = None) -> CriteriaWatch:
        return CriteriaWatch(self.db, self.store, lambda: NOW, protocol or self.protocol)

    async def a_round(self, protocol: Protocol | None = None) -> None:
        await self.hears_itself()
        await self.watch(protocol).round(asyncio.Event())

    async def hears_itself(self) -> None:
        events = METADATA.tables["events"]
        query = select(events).where(events.c.position > self._taken).order_by(events.c.position)
        async with self.db.connect() as connection:
            rows = (await connection.execute(query)).mappings().all()
        self._taken = rows[-1]["position"] if rows else self._taken
        fields = [{name: row[name] for name in Envelope.model_fields} for row in rows]
        await self._take_in("trial.efficacy", [Envelope(**each) for each in fields])

    async def diagnosed(self, diagnosis: Diagnosis) -> None:
        """Enrollment corrects the diagnosis."""
        event = ScreeningDataCorrected(
            participant_id=PARTICIPANT,
            birth_month="2017-03",
            sex=Sex.FEMALE,
            diagnosis=diagnosis,
            diagnosis_text=None,
            screened_on=NOW.date(),
            reason="The histology was read again",
        )
        self._versions += 1
        envelope = Envelope(
            event_id=uuid4(),
            stream=f"participant:{PARTICIPANT}",
            version=self._versions,
            type=event.event_type,
            schema_version=event.schema_version,
            subject=str(PARTICIPANT),
            recorded_at=NOW,
            actor="a coordinator",
            role="coordinator",
            reason=event.reason,
            correlation_id=uuid4(),
            causation_id=uuid4(),
            traceparent=None,
            data=event.to_json(),
        )
        await self._take_in("trial.enrollment", [envelope])

    async def _take_in(self, topic: str, envelopes: list[Envelope]) -> None:
        applier = Applier(self.db, SERVICE.projections)
        await ledger.register(self.db, applier.names)
        await applier.refresh()
        start = self._offsets.get(topic, 0)
        deliveries = [Delivery(topic, 0, offset, envelope) for offset, envelope in enumerate(envelopes, start)]
        self._offsets[topic] = start + len(deliveries)
        await applier.apply(decoded(deliveries, applier.wanted))

    async def happened(self, evaluator: str = "investigator") -> list[Any]:
        return [each for each in await self.store.read(STREAMS[evaluator]) if "assigned" in each.event_type]

    async def sets(self) -> list[str]:
        """Whose responses stand beside the one that counts."""
        told = [each for each in await self.happened() if each.event_type.endswith("supportive-responses-assigned")]
        return [each.criteria for each in told[-1].responses]


@pytest.fixture(params=["sqlite_url", "postgres_url"])
async def service(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[tuple[Trial, Worker]]:
    url = request.getfixturevalue(request.param)
    await prepare(url)
    db = open_database(url, "efficacy")
    try:
        async with a_trial(url, tmp_path / "issuer") as trial:
            yield trial, Worker(db)
    finally:
        await db.dispose()


async def test_a_corrected_diagnosis_assigns_responses_anew_and_once(service: tuple[Trial, Worker]) -> None:
    trial, worker = service
    await trial.progressed()
    await worker.a_round()
    before = await worker.happened()
    assert "INRC_2017" in await worker.sets()  # a neuroblastoma
    await worker.diagnosed(Diagnosis.MEDULLOBLASTOMA)
    await worker.a_round()
    sets = await worker.sets()
    assert ("INRC_2017" in sets, "RAPNO_MEDULLOBLASTOMA" in sets) == (False, True)
    after = await worker.happened()
    assert len(after) == len(before) + 1
    for _ in range(2):
        await worker.a_round()
    assert await worker.happened() == after
    history = await worker.store.history(STREAMS["investigator"])
    assert (history[-1].actor, history[-1].role) == ("criteria-watch", "system")
    await worker.diagnosed(Diagnosis.NEUROBLASTOMA)
    await worker.a_round()
    assert "INRC_2017" in await worker.sets()


async def test_two_watches_at_once_say_everything_once(service: tuple[Trial, Worker]) -> None:
    trial, worker = service
    await trial.progressed()
    await worker.a_round()
    before = await worker.happened()
    await worker.diagnosed(Diagnosis.MEDULLOBLASTOMA)
    await worker.hears_itself()
    await asyncio.gather(*(worker.watch().round(asyncio.Event()) for _ in range(4)))
    assert len(await worker.happened()) == len(before) + 1


def deciding(criteria: str) -> Protocol:
    named = PROTOCOL.response.criteria.model_copy(update={"value": criteria})
    response = PROTOCOL.response.model_copy(update={"criteria": named})
    return PROTOCOL.model_copy(update={"version": "9.0.0", "response": response})


async def test_another_set_that_decides_changes_the_response_of_every_reading(service: tuple[Trial, Worker]) -> None:
    trial, worker = service
    await trial.progressed()
    await read_as(trial, Role.INDEPENDENT_READER_1, a_lesion(), a_baseline(), an_assessment(targets="T01=76x50"))
    await worker.a_round()
    await worker.a_round(deciding("RECIST_1_1"))
    for evaluator in STREAMS:
        decided = [each for each in await worker.happened(evaluator) if each.event_type.endswith(".response-assigned")]
        assert [each.criteria for each in decided] == ["SEED_V1", "RECIST_1_1"]
    review = await worker.store.read(f"independent-review:{PARTICIPANT}")
    assert [each.read.criteria for each in review if isinstance(each, IndependentReadReceived)] == [
        "SEED_V1",
        "RECIST_1_1",
    ]


async def test_a_response_assigned_by_the_diagnosis_of_a_moment_ago_is_looked_at_again(
    service: tuple[Trial, Worker],
) -> None:
    """The assessment has read what the diagnosis is; then that is corrected and looked at; then it is recorded."""
    trial, worker = service
    await trial.progressed()
    await worker.a_round()
    efficacy = Efficacy(worker.db, worker.store, PROTOCOL, lambda: NOW)
    _, facts = await efficacy.about(PARTICIPANT, RADIOLOGIST)
    await worker.diagnosed(Diagnosis.MEDULLOBLASTOMA)
    await worker.a_round()
    command = an_assessment("month 3", "T01=60x40", assessed_on="2026-04-01")
    frame = tracing.recording(RADIOLOGIST, at=NOW, subject=PARTICIPANT)
    await worker.store.execute(DECIDER, PARTICIPANT, command, facts, frame)
    assert "INRC_2017" in await worker.sets()
    await worker.a_round()
    assert "INRC_2017" not in await worker.sets()


async def test_a_worker_that_is_told_to_stop_looks_at_no_more(service: tuple[Trial, Worker]) -> None:
    trial, worker = service
    await trial.progressed()
    await worker.hears_itself()
    stop = asyncio.Event()
    stop.set()
    await worker.watch().round(stop)
    async with worker.db.connect() as connection:
        assert (await connection.execute(select(criteria_looks))).all() == []


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("place", ["_due", "_note", "review.reassign", "store.append", "store.load"])
async def test_killed_at_any_await_every_reading_is_assigned_anew_and_once(
    service: tuple[Trial, Worker], place: str, after: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial, worker = service
    await trial.progressed()
    await read_as(trial, Role.INDEPENDENT_READER_1, a_lesion(), a_baseline(), an_assessment(targets="T01=76x50"))
    await worker.a_round()
    doomed = worker.watch(deciding("RECIST_1_1"))
    owner, _, name = place.rpartition(".")
    target: Any = {"": doomed, "review": doomed._review, "store": worker.store}[owner]
    with monkeypatch.context() as patch:
        patch.setattr(target, name, dying(getattr(target, name), after=after))
        with pytest.raises(Killed):
            await doomed.round(asyncio.Event())
    for _ in range(2):
        await worker.a_round(deciding("RECIST_1_1"))
    for evaluator in STREAMS:
        decided = [each for each in await worker.happened(evaluator) if each.event_type.endswith(".response-assigned")]
        assert [each.criteria for each in decided] == ["SEED_V1", "RECIST_1_1"]
