"""An embedded trial in which the course has been carried out at CU: made once in a run, copied by whoever goes on."""

import fcntl
import shutil
from pathlib import Path

from shared.kernel.actor import Role
from tests.flows import course
from tests.flows.embedded import embedded_trial


def copied_to(folder: Path, run: Path) -> Path:
    """The folder, with a copy of the trial's files. `run` is shared by all workers of the run: the first makes them."""
    shutil.copytree(_files(run), folder, dirs_exist_ok=True)
    return folder


def _files(run: Path) -> Path:
    made = run / "carried-out"
    with (run / "carried-out.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            begun = run / "carried-out.begun"
            shutil.rmtree(begun, ignore_errors=True)  # of a worker that died
            with embedded_trial(begun) as trial:
                for position in course.carry_out(trial).values():
                    trial.read(f"/trial/v1/participants?wait_for={position}", role=Role.SPONSOR)
            begun.rename(made)
    return made
