"""A commit that fails is never a 2xx; an unknown one is none either, and the same request again finds what it did."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest

from deploy.native.stack import Process, Stack
from shared.kernel.actor import Role
from tests.faults.proxy import Wire
from tests.flows import records
from tests.flows.endpoints import CONSENT, SCREENING_DATA
from tests.flows.trial import Trial

REFUSE_AT_COMMIT = """
create function {0}.refuse_commit() returns trigger language plpgsql as $$ begin raise exception 'no commit'; end $$;
create constraint trigger refuse_commit after insert on {0}.events deferrable initially deferred
  for each row execute function {0}.refuse_commit()
"""
SCREENED = b"enrollment.participant-screened"
CONSENTED = b"enrollment.consent-obtained"


class Behind:
    """An API of enrollment whose connections to the database run over a wire that a test may cut."""

    def __init__(self, stack: Stack, trial: Trial, site: str, api: Process, wire: Wire) -> None:
        self._stack, self._trial, self._site = stack, trial, site
        self._url = f"http://127.0.0.1:{api.port}/enrollment/v1/participants"
        self.wire = wire

    def screen(self, child: str) -> httpx.Response:
        return self._post("", {"participant_id": child, "site_id": self._site, **SCREENING_DATA})

    def consent(self, child: str, **headers: str) -> httpx.Response:
        return self._post(f"/{child}/obtain-consent", CONSENT, {"If-Match": '"1"'} | headers)

    def _post(self, path: str, body: Any, headers: dict[str, str] | None = None) -> httpx.Response:
        token = self._trial.token(Role.COORDINATOR, (self._site,))
        given = {"Authorization": f"Bearer {token}"} | (headers or {})
        return httpx.post(self._url + path, json=body, headers=given, timeout=20)

    def stored(self, child: str) -> list[str]:
        """The events that concern a child: its own, and its number at the site."""
        events = records.events_in_postgres(self._stack.postgres.dsn("trial"))
        return [event.type for event in events if child in event.stream or child in event.data]


@pytest.fixture
def behind(whole: Stack, trial: Trial, site: str) -> Iterator[Behind]:
    with Wire(whole.postgres.port) as wire:
        url = f"postgresql+asyncpg://enrollment:native-enrollment@127.0.0.1:{wire.port}/trial"
        with whole.another("enrollment-api", {"DATABASE_URL": url, "DATABASE_POOL_SIZE": "1"}) as api:
            yield Behind(whole, trial, site, api, wire)


def problem(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["Content-Type"] == "application/problem+json"
    return answer.status_code, answer.json()["type"]


def test_where_the_answer_of_the_commit_is_lost_nobody_is_told_that_it_was_done(behind: Behind) -> None:
    child = str(uuid4())
    behind.wire.cut_after_the_commit()
    unclear = behind.screen(child)
    assert behind.wire.was_cut.is_set()
    assert problem(unclear) == (503, "database-away")
    assert "nothing was written" not in unclear.text, "it was: the caller must not be told otherwise"
    assert behind.stored(child) == ["enrollment.subject-number-allocated", "enrollment.participant-screened"]

    again = behind.screen(child)
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (201, "true")
    assert again.headers["ETag"] == '"1"'
    assert len(behind.stored(child)) == 2


@pytest.mark.parametrize("headers", [{"Idempotency-Key": "consent-1"}, {}])
def test_a_change_whose_answer_was_lost_answers_as_the_first_time(behind: Behind, headers: dict[str, str]) -> None:
    child = str(uuid4())
    assert behind.screen(child).status_code == 201
    behind.wire.cut_after_the_commit()
    assert behind.consent(child, **headers).status_code == 503
    again = behind.consent(child, **headers)
    assert (again.status_code, again.headers["ETag"], again.headers["Idempotent-Replayed"]) == (200, '"2"', "true")
    assert behind.stored(child).count("enrollment.consent-obtained") == 1


def test_where_the_statement_is_lost_nothing_is_there_and_the_request_may_be_sent_again(behind: Behind) -> None:
    child = str(uuid4())
    behind.wire.cut_before(SCREENED)
    assert problem(behind.screen(child)) == (503, "database-away")
    assert behind.stored(child) == []
    again = behind.screen(child)
    assert (again.status_code, "Idempotent-Replayed" in again.headers) == (201, False)

    behind.wire.cut_before(CONSENTED)
    assert problem(behind.consent(child)) == (503, "database-away")
    assert behind.consent(child).headers["ETag"] == '"2"'
    assert behind.stored(child).count("enrollment.consent-obtained") == 1


def test_a_commit_that_the_database_refuses_is_no_success(whole: Stack, trial: Trial, site: str) -> None:
    child = str(uuid4())
    body = {"participant_id": child, "site_id": site, **SCREENING_DATA}

    def screen() -> httpx.Response:
        return trial.call("POST", "/enrollment/v1/participants", body, role=Role.COORDINATOR, sites=(site,))

    before = len(records.events_in_postgres(whole.postgres.dsn("trial")))
    with commits_refused(whole, "enrollment"):
        assert problem(screen()) == (500, "internal-error")
        assert len(records.events_in_postgres(whole.postgres.dsn("trial"))) == before
    answer = screen()
    assert (answer.status_code, "Idempotent-Replayed" in answer.headers) == (201, False)


@contextmanager
def commits_refused(stack: Stack, service: str) -> Iterator[None]:
    """Every statement is carried out, and its commit fails."""
    with psycopg.connect(stack.postgres.dsn("trial"), autocommit=True) as connection:
        connection.execute(REFUSE_AT_COMMIT.format(service).encode())
        try:
            yield
        finally:
            connection.execute(f"drop trigger refuse_commit on {service}.events".encode())
            connection.execute(f"drop function {service}.refuse_commit()".encode())
