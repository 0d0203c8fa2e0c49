"""The compose file and the Dockerfile say what they must, and the native stack reads them as compose would."""

import json
import re
from typing import Any

import pytest
import yaml
from compose_spec import PyCompose

from deploy.native.compose import ROOT, Unset, containers, entrypoints, substitute
from deploy.native.stack import SERVICES

COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8")
PASSWORDS = {f"{name.upper()}_DB_PASSWORD": f"secret-{name}" for name in SERVICES}


def parse(described: dict[str, Any]) -> None:
    """Read as the Compose specification says; raises where it does not fit."""
    PyCompose.from_json(substitute(json.dumps(described), {**PASSWORDS, "POSTGRES_PASSWORD": "secret"})).validate()


def with_changed(path: list[str], value: Any) -> dict[str, Any]:
    changed: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    place = changed
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return changed


def test_the_compose_file_is_one() -> None:
    parse(COMPOSE)


@pytest.mark.parametrize(
    ("path", "value", "match"),
    [
        (["services", "safety-api", "mem_limitt"], "1g", "mem_limitt"),
        (["services", "topics", "depends_on", "kafka", "condition"], "healthy", "unknown variant"),
        (["services", "postgres", "ports"], "5432", "expected a set"),
    ],
)
def test_the_checker_would_have_said_so(path: list[str], value: Any, match: str) -> None:
    with pytest.raises(Exception, match=match):
        parse(with_changed(path, value))


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_has_a_migration_job_an_api_and_a_worker(service: str) -> None:
    described = COMPOSE["services"]
    assert described[f"{service}-migrate"]["command"] == ["migrate"]
    assert described[f"{service}-migrate"]["build"]["target"] == service
    for kind in ("api", "worker"):
        process = described[f"{service}-{kind}"]
        assert process["command"] == [kind]
        assert process["depends_on"][f"{service}-migrate"]["condition"] == "service_completed_successfully"
        assert process["read_only"]
        assert process["environment"]["DATABASE_URL"] == (
            f"postgresql+asyncpg://{service}:${{{service.upper()}_DB_PASSWORD:?set it in .env}}@postgres:5432/trial"
        )


@pytest.mark.parametrize("name", sorted(COMPOSE["services"]))
def test_nothing_runs_without_a_memory_limit(name: str) -> None:
    assert re.fullmatch(r"\d+[mg]", COMPOSE["services"][name]["mem_limit"])


def test_nothing_but_the_gateway_is_published_unless_it_is_asked_for() -> None:
    published = {name: service.get("profiles") for name, service in COMPOSE["services"].items() if "ports" in service}
    assert published == {"biomarkers-mllp": ["mllp"], "gateway": None}
    assert "biomarkers-mllp" not in containers(PASSWORDS)


def test_every_image_of_ours_is_a_stage_that_runs_as_nobody_in_particular() -> None:
    assert entrypoints(DOCKERFILE) == {service: ("python", "-m", f"services.{service}") for service in SERVICES}
    assert "USER 10001:10001" in DOCKERFILE.split("FROM base AS")[0]
    for service in SERVICES:
        stage = DOCKERFILE.split(f"FROM base AS {service}\n")[1].split("FROM ")[0]
        assert re.findall(r"services/(\w+)", stage) == [service, service]


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        ("a ${B} c", {"B": "x"}, "a x c"),
        ("${B:-d}", {}, "d"),
        ("${B:-d}", {"B": ""}, "d"),
        ("${B:-d}", {"B": "x"}, "x"),
        ("${B:-}", {}, ""),
        ("${B:?why}", {"B": "x"}, "x"),
        ("plain", {}, "plain"),
    ],
)
def test_variables_are_read_as_compose_reads_them(text: str, values: dict[str, str], expected: str) -> None:
    assert substitute(text, values) == expected


def test_a_missing_password_stops_the_stack() -> None:
    with pytest.raises(Unset, match="SAFETY_DB_PASSWORD"):
        containers({name: value for name, value in PASSWORDS.items() if "SAFETY" not in name})


def test_a_job_is_told_from_a_process() -> None:
    described = containers(PASSWORDS)
    jobs = {name for name, container in described.items() if container.is_job}
    assert jobs == {"topics", "issuer", *(f"{service}-migrate" for service in SERVICES)}
    assert all(jobs.isdisjoint(described[job].waits_for) for job in jobs), "the native stack runs jobs side by side"


def test_the_roles_that_init_sql_makes_are_those_the_processes_use() -> None:
    script = (ROOT / "deploy" / "postgres" / "init.sql").read_text(encoding="utf-8")
    assert set(re.findall(r"create role (\w+) ", script)) == set(SERVICES)
    assert set(re.findall(r"create schema (\w+) authorization \1;", script)) == set(SERVICES)


def test_the_example_environment_names_every_variable() -> None:
    asked = set(re.findall(r"\$\{(\w+)", (ROOT / "docker-compose.yml").read_text(encoding="utf-8")))
    offered = set(re.findall(r"^(\w+)=", (ROOT / "deploy" / "example.env").read_text(encoding="utf-8"), re.MULTILINE))
    assert asked == offered
