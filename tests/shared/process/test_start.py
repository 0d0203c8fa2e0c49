"""How a process starts: the garbage collector rests while it is made, and models are made when they are used.

Asked of a fresh interpreter: a test run has a collector of its own to care for.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def said_by(program: str, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program, *words], capture_output=True, text=True, check=True, cwd=ROOT, env={}
    )
    return done.stdout.strip()


def test_what_a_start_has_made_is_out_of_the_collectors_sight_and_it_works_again() -> None:
    program = """
import gc
from shared.process.running import freeze
gc.disable()
freeze()
print(gc.isenabled(), gc.get_freeze_count() > 10_000)
"""
    assert said_by(program) == "True True"


def test_a_command_of_an_operator_runs_with_the_collector_at_work(tmp_path: Path) -> None:
    program = """
import atexit, gc, os, sys
atexit.register(lambda: print(gc.isenabled(), gc.get_freeze_count() > 10_000))
os.environ["DATABASE_URL"] = f"sqlite+aiosqlite:///{sys.argv.pop()}/x.sqlite3"
from shared.process import start
start("services.safety.app")
"""
    assert said_by(program, "migrate", str(tmp_path)).splitlines()[-1] == "True True"


def test_a_model_is_made_when_it_is_first_used(tmp_path: Path) -> None:
    program = """
import atexit, os, sys

def say():
    from shared.contracts.enrollment import SiteOpened
    from shared.kernel.events import decode
    print(SiteOpened.__pydantic_complete__)
    try:
        decode(SiteOpened.event_type, SiteOpened.schema_version, "{}")
    except ValueError as refused:
        print("site_id: missing" in str(refused))

atexit.register(say)
os.environ["DATABASE_URL"] = f"sqlite+aiosqlite:///{sys.argv.pop()}/x.sqlite3"
from shared.process import start
start("services.enrollment.app")
"""
    assert said_by(program, "migrate", str(tmp_path)).splitlines()[-2:] == ["False", "True"]
