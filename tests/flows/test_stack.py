"""What the containers run, run natively: the sample trial goes in through the gateway, the outcomes come out.

PostgreSQL, Apache Kafka, the gateway and every process are the real ones, started by the commands and the environment
of docker-compose.yml (`deploy.native.stack`).
"""

import asyncio
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psycopg
import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary_event

from deploy.native.stack import SERVICES, Process, Stack
from services.loading import demo, outcomes
from services.loading.client import TrialClient
from services.loading.sample import read_sample
from shared.kernel.actor import Role
from tests.flows import course, records
from tests.flows.embedded import embedded_trial
from tests.flows.records import Message, Stored
from tests.flows.trial import Trial, trial_of
from tests.flows.waiting import until

SITE = "NORTH"


@pytest.fixture(scope="module")
def trial(stack: Stack, say: Callable[[str], None]) -> Iterator[Trial]:
    """The sample trial of the demo, and a site at which every endpoint has been called."""
    with trial_of(stack) as running:
        load_everything(running)
        say("the sample trial is loaded into the stack")
        yield running


@pytest.fixture(scope="module")
def recorded(stack: Stack, trial: Trial) -> list[Stored]:
    """Every event on record, once all of them are published."""
    dsn = stack.postgres.dsn("trial")
    until("outboxes are empty", lambda: not any(records.waiting_in_postgres(dsn).values()))
    return records.events_in_postgres(dsn)


@pytest.fixture(scope="module")
def messages(stack: Stack, recorded: list[Stored]) -> list[Message]:
    return records.messages_in_kafka(stack.kafka.bootstrap)


def load_everything(trial: Trial) -> None:
    """The sample trial, and at another site a course that calls every endpoint; return when read models show both."""

    async def load() -> None:
        async with client_of(trial) as client:
            _, sent = await demo.load(client, read_sample())
            await outcomes.wait_until_shown(client, sent)

    positions = course.carry_out(trial, SITE)  # first: the sample fills every place that the trial plans
    asyncio.run(load())
    for position in positions.values():
        trial.read(f"/trial/v1/participants?wait_for={position}", role=Role.SPONSOR)


def tables(trial: Trial) -> dict[str, Any]:
    """What the outcomes say, without when they were built."""

    async def ask() -> outcomes.Outcomes:
        async with client_of(trial) as client:
            return await outcomes.ask(client)

    answers = asdict(asyncio.run(ask()))
    by_participant = {name: [each.get("result", each) for each in answers.pop(name)] for name in ("courses", "reviews")}
    return {name: answer.get("result", answer.get("items")) for name, answer in answers.items()} | by_participant


def client_of(trial: Trial) -> TrialClient:
    return TrialClient(trial.url, lambda role, site: trial.token(role, (site,)))


def test_the_outcomes_are_those_of_the_embedded_trial(trial: Trial, tmp_path: Path) -> None:
    """PostgreSQL and Kafka, or SQLite and one process: the same manifests, the same figures."""
    with embedded_trial(tmp_path) as other:
        load_everything(other)
        expected = tables(other)
    found = tables(trial)
    assert len(found["participants"]) == 13
    for name in ("participants", "adverse_events", "responses", "reviews", "persistence", "cytokines", "courses"):
        assert found[name] == expected[name], name
    assert ids_of(found["worklist"]) == ids_of(expected["worklist"])


def ids_of(worklist: Any) -> list[str]:
    return sorted(entry["alert_id"] for entry in worklist["items"])


def test_a_case_goes_from_its_report_to_the_worklist(trial: Trial) -> None:
    """The event's entry, the clocks that the worker starts, the report that does two duties, the read model."""
    event = course.known(SITE)["adverse_event_id"]

    def duties_to_the_committee() -> list[dict[str, Any]]:
        items = trial.read("/trial/v1/sae-worklist?show=all", role=Role.SPONSOR)["result"]["items"]
        clocks = [clock for item in items if item["adverse_event_id"] == event for clock in item["clocks"]]
        return [clock for clock in clocks if clock["to"] == "ethics-committee" and clock["met_at"]]

    done = until("the report is known to have done its duties", duties_to_the_committee)
    assert {clock["clock"] for clock in done} == {"ethics-other-serious", "ethics-fatal-or-life-threatening"}
    assert {(clock["state"], clock["report_number"]) for clock in done} == {("met", 1)}


def test_every_endpoint_answers_through_the_gateway(trial: Trial) -> None:
    for step in course.reading():
        answer = trial.call(step.method, step.path(SITE), step.content(SITE), role=step.role, sites=(SITE,))
        assert answer.status_code == 200, f"{step.key}: {answer.text}"
        assert answer.headers["trace-id"]
    for service in ("enrollment", "safety", "efficacy", "biomarkers", "trial"):
        assert trial.http.get(f"/{service}/docs").status_code == 200
        assert trial.http.get(f"/{service}/openapi.json").json()["openapi"].startswith("3.1")
    unknown = trial.http.get("/nowhere")
    assert (unknown.status_code, unknown.json()["type"]) == (404, "no-such-path")


@pytest.mark.parametrize("service", SERVICES)
def test_every_process_says_how_it_is(stack: Stack, trial: Trial, service: str) -> None:
    for kind in ("api", "worker"):
        url = f"http://127.0.0.1:{stack.processes[f'{service}-{kind}'].port}"
        assert trial.http.get(f"{url}/health/live").json() == {"status": "live"}
        ready = trial.http.get(f"{url}/health/ready")
        assert (ready.status_code, ready.json()["status"]) == (200, "ready")
        assert ready.json()["checks"]["database"]["ok"]
        metrics = trial.http.get(f"{url}/metrics").text
        assert "process_resident_memory_bytes" in metrics
    worker = trial.http.get(f"http://127.0.0.1:{stack.processes[f'{service}-worker'].port}/metrics").text
    if service in records.WRITERS:
        assert f'trial_relay_active{{service="{service}"}} 1.0' in worker
        assert f'trial_outbox_depth{{service="{service}"}} 0.0' in worker
    if service != "enrollment":
        assert f'projection_lag_events{{projection="participants",service="{service}"}} 0.0' in worker


def test_every_event_is_on_its_topic_in_the_order_of_its_stream(
    recorded: list[Stored], messages: list[Message]
) -> None:
    records.assert_whole(recorded)
    assert {event.service for event in recorded} == set(records.WRITERS)
    assert records.assert_published(recorded, messages) == 0


def test_messages_are_cloudevents_in_binary_mode_keyed_by_their_subject(messages: list[Message]) -> None:
    for message in messages:
        read = from_binary_event(KafkaMessage(dict(message.headers), message.key, message.value))
        service = message.topic.removeprefix("trial.")
        assert (read.get_specversion(), read.get_source()) == ("1.0", f"/{service}")
        assert read.get_type().startswith(f"{service}.")
        assert read.get_subject() == message.key.decode()
        assert read.get_time() is not None
        assert read.get_datacontenttype() == "application/json"
        assert message.headers["traceparent"].startswith(b"00-")
        assert isinstance(json.loads(message.value), dict)


def test_a_trace_goes_from_the_request_to_the_message(stack: Stack, trial: Trial) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    body = course.reported("traced").content(SITE)
    parent = f"00-{trace}-00f067aa0ba902b7-01"
    answer = trial.command("/safety/v1/adverse-events", body, role=Role.INVESTIGATOR, sites=(SITE,), traceparent=parent)
    assert answer.headers["trace-id"] == trace
    stream = f"adverse-event:{body['adverse_event_id']}"

    def arrived() -> list[Message]:
        return [each for each in records.messages_in_kafka(stack.kafka.bootstrap) if each.stream == stream]

    found = until("the report is on its topic", arrived)
    assert {message.headers["traceparent"].split(b"-")[1].decode() for message in found} == {trace}


@pytest.mark.parametrize("service", SERVICES)
def test_a_services_role_reads_its_own_schema_and_no_other(stack: Stack, trial: Trial, service: str) -> None:
    dsn = stack.postgres.dsn("trial").replace("//postgres@", f"//{service}:native-{service}@")
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(f'select count(*) from "{service}".leases'.encode())
        for other in set(SERVICES) - {service}:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f'select count(*) from "{other}".leases'.encode())
        for refused in (f'create table "{other}".mine (id int)', "create table public.mine (id int)", "create role x"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(refused.encode())


@pytest.mark.parametrize(
    "change", ["update {0}.events set actor = 'x'", "delete from {0}.events", "truncate {0}.events"]
)
@pytest.mark.parametrize("service", records.WRITERS)
def test_what_is_on_record_cannot_be_changed_not_even_by_its_own_service(
    stack: Stack, trial: Trial, service: str, change: str
) -> None:
    dsn = stack.postgres.dsn("trial").replace("//postgres@", f"//{service}:native-{service}@")
    with psycopg.connect(dsn) as connection, pytest.raises(psycopg.errors.RaiseException, match="append-only"):
        connection.execute(change.format(service).encode())


def test_logs_are_lines_of_json_that_say_nothing_of_anybodys_health(stack: Stack, trial: Trial) -> None:
    for process in stack.processes.values():
        if process.name.endswith(("-api", "-worker")):
            lines = process.log.read_text(encoding="utf-8").splitlines()
            assert lines, f"{process.name} logs nothing"
            assert all(isinstance(json.loads(line), dict) for line in lines), process.name
            told = "\n".join(lines)
            for secret in ("neuroblastoma", "Cytokine release", "2017-0", "eyJ", "native-", "CMD03-0007"):
                assert secret not in told, f"{process.name} logs {secret}"


def test_processes_end_cleanly_when_asked_and_take_up_their_work_again(stack: Stack, trial: Trial) -> None:
    processes = [process for process in stack.processes.values() if process.name.endswith(("-api", "-worker"))]
    with ThreadPoolExecutor(len(processes)) as together:
        ended = dict(zip((each.name for each in processes), together.map(Process.stop, processes), strict=True))
        assert ended == {process.name: 0 for process in processes}
        list(together.map(Process.start, processes))
    body = course.reported("after the restart").content(SITE)

    def report() -> str | None:
        answer = trial.call("POST", "/safety/v1/adverse-events", body, role=Role.INVESTIGATOR, sites=(SITE,))
        return answer.headers["Trial-Position"] if answer.is_success else None

    position = until("the trial writes again", report)

    def shown() -> bool:
        path = f"/trial/v1/adverse-events?wait_for={position}"
        return trial.get(path, role=Role.SPONSOR).status_code == 200

    until("the trial reads again", shown)
