"""An operator's commands, in processes of their own: `python -m services.<name> COMMAND`."""

import subprocess
import sys
from collections.abc import Mapping

from deploy.native.compose import ROOT
from deploy.native.stack import Stack, inherited

PATIENCE_SECONDS = 120
Done = subprocess.CompletedProcess[str]


def command(module: str, *words: str, environment: Mapping[str, str]) -> Done:
    """Run to the end. Nothing but `environment` reaches the settings."""
    return subprocess.run(
        [sys.executable, "-m", module, *words],
        cwd=ROOT,
        env={**inherited(), **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )


def on_the_stack(stack: Stack, service: str, *words: str) -> Done:
    """As an operator would in the service's container; it succeeds."""
    environment = stack.processes[f"{service}-worker"]._environment()
    done = command(f"services.{service}", *words, environment=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return done
