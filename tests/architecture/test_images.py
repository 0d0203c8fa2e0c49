"""An image holds `shared` and one service: each service is imported from just such a copy."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("service", ["enrollment", "safety", "efficacy", "biomarkers", "projector"])
def test_a_service_runs_from_a_copy_that_holds_no_other(service: str, tmp_path: Path) -> None:
    skip = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "shared", tmp_path / "shared", ignore=skip)
    shutil.copytree(ROOT / "services" / service, tmp_path / "services" / service, ignore=skip)
    shutil.copy(ROOT / "services" / "__init__.py", tmp_path / "services")
    code = f"from services.{service}.app import SERVICE; from pathlib import Path; print(SERVICE.name, Path.cwd())"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False, env={"PATH": ""}
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [service, str(tmp_path)]
