"""No endpoint escapes: each declares a permission, stands in the table of endpoints, and is called by the course."""

from pathlib import Path

import pytest

from services.embedded import SERVICES
from tests.architecture.declared import apps, documented, other_paths, permissions, routes
from tests.flows import course
from tests.flows.endpoints import ENDPOINTS
from tests.flows.endpoints import SERVICES as PATHS

OPEN_TO_ALL = {"/openapi.json", "/docs", "/docs/oauth2-redirect"}


def test_the_table_holds_every_endpoint_of_the_five_documents_and_no_other() -> None:
    assert set(ENDPOINTS) == set(documented())
    assert set(PATHS) == {service.path for service in SERVICES} == set(apps())


def test_every_route_is_documented_but_for_the_documents_themselves() -> None:
    assert set(documented()) == set(routes())
    for app in apps().values():
        assert other_paths(app) == OPEN_TO_ALL


@pytest.mark.parametrize("key", sorted(ENDPOINTS))
def test_every_endpoint_declares_who_may_call_it(key: str) -> None:
    assert permissions(key), f"{key} declares no permission: take one from the service's permissions.py"


def test_the_course_calls_every_endpoint() -> None:
    called = {step.key for step in (*course.commands(), *course.reading())}
    assert called == set(ENDPOINTS)


@pytest.mark.parametrize("key", sorted(ENDPOINTS))
def test_the_table_says_of_each_endpoint_what_its_document_says(key: str) -> None:
    endpoint, operation = ENDPOINTS[key], documented()[key]
    assert ("requestBody" in operation) == (endpoint.body is not None)
    assert str(endpoint.answers) in operation["responses"]
    assert ("428" in operation["responses"]) == endpoint.needs_version
    assert operation["security"], "the document does not say that a token is needed"
    assert Path(key.split(" ")[1]).parts[2] == "v1"
