"""The readme speaks of what there is: endpoints, places, commands, settings. And its lines fit a screen."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.embedded import SERVICES
from shared.process.commands import HELP
from shared.settings import SECRETS, Settings
from tests.architecture.declared import documented

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
LONGEST = 120
PROCESSES = {"api", "worker"}  # told of in a table of their own
OF_DEVELOPERS = {"revision", "check-migrations"}


def is_one_of(path: str, documented_path: str) -> bool:
    """`/v1/alerts/{id}` is `/v1/alerts/{alert_id}`, and `/v1/figures/swimmer` one of `/v1/figures/{figure}`."""
    pattern = re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(documented_path))
    return re.fullmatch(pattern, path.partition("?")[0].rstrip("/.")) is not None


def found(pattern: str) -> list[str]:
    return sorted(set(re.findall(pattern, README)))


PATHS = found(rf"(?:{'|'.join(service.path for service in SERVICES)})/v1/[\w/{{}}?=.-]+")
PLACES = found(r"`((?:services|shared|deploy|tests|bench)/[\w./-]+)`")
TARGETS = found(r"`(?:[A-Z]+=\S+ )?make ([a-z-]+)")
VARIABLES = found(r"\b((?:ALERT|AUTH|DATABASE|KAFKA|OIDC|PROTOCOL)_[A-Z_]+[A-Z])\b")


def test_it_speaks_of_some_of_each() -> None:
    assert min(map(len, (PATHS, PLACES, TARGETS, VARIABLES))) > 5


@pytest.mark.parametrize("path", PATHS)
def test_an_endpoint_it_names_is_there(path: str) -> None:
    assert any(is_one_of(path, key.split(" ")[1]) for key in documented())


@pytest.mark.parametrize(
    ("path", "there"),
    [
        ("/trial/v1/protocol", True),
        ("/safety/v1/alerts/{id}/deliveries", True),
        ("/trial/v1/outcomes/adverse-events?by=dose-level", True),
        ("/safety/v1/alerts/{id}/told", False),
        ("/trial/v1/protocols", False),
    ],
)
def test_what_is_no_endpoint_is_seen(path: str, there: bool) -> None:
    assert any(is_one_of(path, key.split(" ")[1]) for key in documented()) is there


@pytest.mark.parametrize("place", PLACES)
def test_a_place_it_names_is_there(place: str) -> None:
    assert (ROOT / place).exists()


@pytest.mark.parametrize("target", TARGETS)
def test_a_target_it_names_is_in_the_makefile(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("variable", VARIABLES)
def test_a_variable_it_names_is_a_setting(variable: str) -> None:
    name = variable.lower()
    assert name in Settings.model_fields or name.removesuffix("_file") in SECRETS


@pytest.mark.parametrize("name", [name for name in Settings.model_fields if name.startswith(("alert_", "oidc_"))])
def test_it_tells_of_every_setting_of_alerts_and_tokens(name: str) -> None:
    assert name.upper() in VARIABLES


def test_it_tells_an_operator_of_every_command() -> None:
    rows = re.findall(r"^\| (`.*?) \| ", README.partition("| command | when |")[2].partition("\n\n")[0], re.MULTILINE)
    told = {command for row in rows for command in re.findall(r"`([a-z-]+)", row)}
    assert told == HELP.keys() - PROCESSES - OF_DEVELOPERS


def prose() -> Iterator[tuple[int, str]]:
    """Its lines but for tables, which cannot be wrapped, and what is quoted."""
    quoted = False
    for number, line in enumerate(README.splitlines(), start=1):
        quoted ^= line.startswith("```")
        if not quoted and not line.startswith("|"):
            yield number, line


def test_its_lines_fit_a_screen() -> None:
    assert [number for number, line in prose() if len(line) > LONGEST] == []
