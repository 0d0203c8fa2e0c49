"""`python -m services serve` in a process of its own, which a test may stop, kill, and start again in its folder."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from signal import SIGTERM

from deploy.native.compose import ROOT
from deploy.native.server import Server
from deploy.native.stack import inherited, status_of
from shared.auth.local_issuer import LocalIssuer
from tests.flows.trial import Trial


class Served(Server):
    """The embedded trial, with SQLite files, the bus and the issuer's key in `folder / "trial"`."""

    name = "embedded"
    stop_signal = SIGTERM
    working_folder = ROOT

    def __init__(self, folder: Path, environment: Mapping[str, str] | None = None) -> None:
        super().__init__(folder)
        self.url = f"http://127.0.0.1:{self.port}"
        self.data = self.folder / "trial"
        self._told = {**inherited(), "PORT": str(self.port), "PUBLIC_URL": self.url, **(environment or {})}

    def trial(self) -> Trial:
        return Trial(self.url, LocalIssuer(self.data, issuer="urn:cmd03:local", audience="cmd03").prepare())

    def _prepare(self) -> None:
        return None

    def _environment(self) -> dict[str, str]:
        return self._told

    def _command(self) -> Sequence[str]:
        return [sys.executable, "-m", "services", "--data", str(self.data), "serve"]

    def _answers(self) -> bool:
        return status_of(f"{self.url}/health/ready") == 200
