"""docker-compose.yml as this machine can run it: the same commands, the same environment, other addresses.

Read from the file itself, so that what `make stack` and the tests run is what the containers run. Only what a
container gives and a process cannot have is exchanged: host names, published ports, mounted folders.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
_VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?::(?P<how>[-?])(?P<rest>[^}]*))?\}")
_STAGE = re.compile(r"^FROM \S+ AS (?P<stage>\w+)$")
_ENTRYPOINT = re.compile(r"^ENTRYPOINT (?P<words>\[.*\])$")


class Unset(Exception):
    """A variable that the compose file demands has no value."""


@dataclass(frozen=True)
class Container:
    """One service of the compose file: what it runs, with what, and after whom."""

    name: str
    words: tuple[str, ...]
    environment: Mapping[str, str]
    waits_for: Mapping[str, str]

    @property
    def is_job(self) -> bool:
        """A job ends; a process is asked for its health."""
        return not {"api", "worker"} & set(self.words)


def substitute(text: str, values: Mapping[str, str]) -> str:
    """`${NAME}`, `${NAME:-default}` and `${NAME:?message}` as compose reads them.

    Raises:
        Unset: a variable with `:?` has no value.
    """

    def value(match: re.Match[str]) -> str:
        given = values.get(match["name"], "")
        if given or match["how"] is None:
            return given
        if match["how"] == "?":
            raise Unset(f"{match['name']}: {match['rest']}")
        return match["rest"]

    return _VARIABLE.sub(value, text)


def entrypoints(dockerfile: str) -> dict[str, tuple[str, ...]]:
    """The entry point of each stage of a Dockerfile."""
    found: dict[str, tuple[str, ...]] = {}
    stage = ""
    for line in dockerfile.splitlines():
        if match := _STAGE.match(line):
            stage = match["stage"]
        elif match := _ENTRYPOINT.match(line):
            found[stage] = tuple(yaml.safe_load(match["words"]))
    return found


def containers(values: Mapping[str, str], *, file: Path = ROOT / "docker-compose.yml") -> dict[str, Container]:
    """The containers that run this project's own images unless a profile is asked for, in the order of the file."""
    described: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))["services"]
    entry = entrypoints((ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8"))
    return {
        name: _container(name, service, entry, values)
        for name, service in described.items()
        if service["image"].startswith("cmd03/") and "profiles" not in service
    }


def gateway_environment(file: Path = ROOT / "docker-compose.yml") -> dict[str, str]:
    described: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))["services"]["gateway"]
    return dict(described["environment"])


def _container(
    name: str, service: Mapping[str, Any], entry: Mapping[str, tuple[str, ...]], values: Mapping[str, str]
) -> Container:
    image = service["image"].removeprefix("cmd03/")
    first = tuple(service.get("entrypoint", entry[image]))
    environment = {key: substitute(str(value), values) for key, value in service["environment"].items()}
    waits_for = {other: how["condition"] for other, how in service.get("depends_on", {}).items()}
    return Container(name, (*first, *service["command"]), environment, waits_for)
