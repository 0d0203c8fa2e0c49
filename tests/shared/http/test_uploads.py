"""Files that were sent: what a killed process left is removed, what another is taking in is not."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from shared.http import uploads

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
