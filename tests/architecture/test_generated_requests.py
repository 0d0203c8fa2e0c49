"""Requests made up from the five OpenAPI documents: none may meet a mistake of ours, or an answer not documented.

Half the requests name what is on record, at the version it is at, so that they reach the rules behind the door.
GENERATED_REQUESTS (2) sets how many random ones each endpoint gets, GENERATED_SYSTEMATIC how many of the systematic
ones at most, taken evenly from all of them (5); `make generated` sends every one, and more random ones.
"""

import os
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
import schemathesis
from schemathesis.checks import load_all_checks
from schemathesis.config import SchemathesisConfig
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation.feedback import FeedbackSources
from schemathesis.pytest._test_builder import build_operation_test

from shared.auth.permissions import BLINDED
from shared.kernel.actor import Role
from tests.architecture.declared import apps, roles
from tests.flows import course
from tests.flows.carried_out import copied_to
from tests.flows.embedded import embedded_trial
from tests.flows.endpoints import ENDPOINTS
from tests.flows.trial import Trial

EACH = int(os.environ.get("GENERATED_REQUESTS", "2"))  # noqa: TID251 - of the test run, not of the trial
SYSTEMATIC = int(os.environ.get("GENERATED_SYSTEMATIC", "5"))  # noqa: TID251 - likewise
CHECKS = {
    # A request that fits its schema may still break a rule of the trial, or come at the wrong moment.
    "positive_data_acceptance": {"enabled": False},
    "negative_data_rejection": {"expected-statuses": ["4xx"]},
    "missing_required_header": {"expected-statuses": ["401", "404", "422", "428"]},
}
CONFIG = {
    "seed": 1,
    "generation": {
        "deterministic": True,
        "max-examples": EACH,
        "database": "none",
        "no-shrink": True,
        "with-security-parameters": False,  # ours is sent with every request, and taken away by the check of it
    },
    "checks": CHECKS,
    "phases": {"stateful": {"enabled": False}, "coverage": {"unexpected-methods": ["delete", "put", "trace", "query"]}},
}

schemathesis.serializer.alias("application/dicom", "application/octet-stream")
schemathesis.serializer.alias("application/hl7-v2", "text/plain")
schemathesis.serializer.alias("application/vnd.isac.fcs", "application/octet-stream")


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory, run_folder: Path) -> Iterator[Trial]:
    with embedded_trial(copied_to(tmp_path_factory.mktemp("embedded"), run_folder)) as running:
        yield running


def authorization(trial: Trial, key: str) -> dict[str, str]:
    """May do everything at the one site that there is; a blinded reader, who holds no other role, what is theirs."""
    everything = set(Role) - {Role.SPONSOR} - BLINDED
    held = everything if roles(key) & everything else {min(roles(key))}
    token = trial.issuer.token(subject="anybody", roles=held, sites=["CU"])
    return {"Authorization": f"Bearer {token}"}


def name_what_is_on_record(case: Any, service: str, trial: Trial) -> None:
    """Put the ids of things on record in the place of ids that were made up, and the version they are at."""
    known = course.known("CU")
    if case.meta.is_negative_at(ParameterLocation.PATH):
        return
    for name in case.path_parameters or {}:
        case.path_parameters[name] = known[name]
    if isinstance(case.body, dict) and not case.meta.is_negative_at(ParameterLocation.BODY):
        for name in {"participant_id", "site_id"} & set(case.body):
            case.body[name] = known[name]
    endpoint = ENDPOINTS.get(f"{case.method.upper()} {service}{case.path}")
    if endpoint is not None and endpoint.needs_version and "If-Match" in (case.headers or {}):
        role = min(roles(f"{case.method.upper()} {service}{case.path}"))
        case.headers["If-Match"] = course.version_of(trial, service + case.formatted_path, "CU", role)


def ask_for_no_write_to_come(case: Any) -> None:
    """A position that was made up would be waited for in vain: two seconds, then 503, as it should be."""
    if not case.meta.is_negative_at(ParameterLocation.QUERY) and "wait_for" in (case.query or {}):
        case.query["wait_for"] = f"participant:{course.an_id('CU', 'main')}@1"


@cache
def operation_of(key: str) -> Any:
    """One operation of a service's OpenAPI document."""
    service, (method, path) = service_of(key), key.split(" ")
    return document(service)[path.removeprefix(service)][method]


def service_of(key: str) -> str:
    return "/" + key.split(" ")[1].split("/")[1]


@cache
def document(service: str) -> Any:
    return schemathesis.openapi.from_dict(apps()[service].openapi(), config=SchemathesisConfig.from_dict(CONFIG))


@pytest.mark.parametrize("key", sorted(ENDPOINTS))
def test_no_request_meets_a_mistake_of_ours_or_an_undocumented_answer(key: str, trial: Trial) -> None:
    headers = authorization(trial, key)
    service = service_of(key)

    def check(case: Any) -> None:
        if crc32(repr((case.path_parameters, case.body)).encode()) % 4:
            name_what_is_on_record(case, service, trial)
        ask_for_no_write_to_come(case)
        case.call_and_validate(base_url=trial.url + service, headers=headers)

    requests_for(operation_of(key), check)()


def requests_for(operation: Any, check: Callable[[Any], None]) -> Callable[[], None]:
    """What the library's own decorators make, made when the test runs.

    They make it while tests are collected, which costs each of pytest-xdist's workers a quarter of a minute, and
    give all items one id, of which pytest-xdist would run the first alone.
    """
    load_all_checks()
    made: Callable[[], None] = build_operation_test(
        config=operation.schema.config,
        operation=operation,
        test_func=check,
        given_kwargs={},
        feedback=FeedbackSources(),
    )
    thinned(made.hypothesis_explicit_examples)  # type: ignore[attr-defined]
    return made


def thinned(systematic: list[Any]) -> None:
    """Every n-th: neighbours try the same field."""
    systematic[:] = systematic[:: max(1, -(-len(systematic) // SYSTEMATIC))]
