"""Files that were sent: what a killed process left is removed, what another is taking in is not."""

import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from fastapi import APIRouter, Request

from shared.auth.local_issuer import LocalIssuer
from shared.auth.tokens import FileKeys, TokenVerifier
from shared.db import open_database
from shared.eventstore.store import EventStore
from shared.http import uploads
from shared.http.parts import Parts
from shared.http.service_app import create_service_app, router
from shared.kernel.clock import system_clock
from shared.protocol import load_protocol
from shared.settings import Settings

TAKING_IN = """
import sys, time
from shared.http import uploads
with uploads._folder() as folder:
    (folder / "file.dat").write_text("a name")
    print(folder, flush=True)
    time.sleep(60)
"""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    return tmp_path


def test_what_a_killed_process_left_is_removed_and_what_is_taken_in_is_not(temporary: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", TAKING_IN], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        folder = Path(other.stdout.readline().strip())
        uploads.remove_abandoned()
        assert (folder / "file.dat").exists()
        other.send_signal(signal.SIGKILL)
        other.wait()
    assert folder.exists()
    uploads.remove_abandoned()
    assert list(temporary.iterdir()) == []


def test_a_folder_goes_with_its_request(temporary: Path) -> None:
    with uploads._folder() as folder:
        (folder / "file.dat").write_text("12.5")
        uploads.remove_abandoned()
        assert [each.name for each in folder.iterdir()] == ["file.dat"]
    assert list(temporary.iterdir()) == []


def abandoned(temporary: Path) -> Path:
    folder = temporary / "upload-of-a-dead-process"
    folder.mkdir()
    (folder / "file.dat").write_text("12.5")
    return folder


def names_in(temporary: Path) -> list[str]:
    return [each.name for each in temporary.glob("upload-*")]


def app_of(temporary: Path, *routers: APIRouter) -> httpx.ASGITransport:
    issuer = LocalIssuer(temporary / "issuer", issuer="urn:test", audience="cmd03").prepare()
    verifier = TokenVerifier(FileKeys(issuer.jwks_file), issuer="urn:test", audience="cmd03")
    db = open_database(f"sqlite+aiosqlite:///{temporary}/x.sqlite3", "x")
    parts = Parts(db, EventStore(db), load_protocol(), system_clock, Settings(), verifier)
    return httpx.ASGITransport(create_service_app("x", title="X", description="", routers=routers, parts=parts))


def test_a_service_that_starts_removes_what_a_killed_process_left(temporary: Path) -> None:
    folder = abandoned(temporary)
    with uploads._folder() as being_taken_in:
        app_of(temporary)
        assert (folder.exists(), being_taken_in.exists()) == (False, True)


async def test_the_next_file_removes_it_too(temporary: Path) -> None:
    files = router("/v1/files", "Files")

    @files.post("")
    async def take(request: Request) -> list[str]:
        async with uploads.received(request, 1):
            return [name[:7] for name in names_in(temporary)]

    transport = app_of(temporary, files)
    folder = abandoned(temporary)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        answer = await client.post("/v1/files", content=b"12.5")
    assert (answer.json(), folder.exists()) == (["upload-"], False)
    assert names_in(temporary) == []
