"""JSON schemas of all published events, one file per event and version, in `shared/contracts/schemas/`.

    python -m shared.contracts.schemas write    adds what is new
    python -m shared.contracts.schemas check    fails where code and files differ

A released version's schema never changes: raise the event's version and write an upcaster. `write` therefore refuses
to touch a file that git already has in a commit.
"""

import json
import subprocess
import sys
from pathlib import Path

from shared.contracts.catalogue import published

FOLDER = Path(__file__).parent / "schemas"


def expected() -> dict[str, str]:
    """File name to content, for the newest version of every event."""
    return {
        f"{name}.v{event.schema_version}.json": json.dumps(event.model_json_schema(), indent=2, sort_keys=True) + "\n"
        for name, event in published().items()
    }


def problems() -> list[str]:
    """What differs between code and files."""
    wrong = []
    for name, content in expected().items():
        file = FOLDER / name
        if not file.exists():
            wrong.append(f"{name} is missing: run make schemas")
        elif file.read_text(encoding="utf-8") != content:
            wrong.append(f"{name} differs from the code: a released version never changes, raise the event's version")
    known = {name.rsplit(".v", 1)[0] for name in expected()}
    wrong += [
        f"{file.name} belongs to no event"
        for file in FOLDER.glob("*.json")
        if file.stem.rsplit(".v", 1)[0] not in known
    ]
    return wrong


def write() -> list[str]:
    """Write what is new; answer with the names of files that are released and differ."""
    FOLDER.mkdir(exist_ok=True)
    refused = []
    for name, content in expected().items():
        file = FOLDER / name
        if file.exists() and file.read_text(encoding="utf-8") != content and _released(file):
            refused.append(name)
        else:
            file.write_text(content, encoding="utf-8")
    return refused


def _released(file: Path) -> bool:
    """Whether a tagged release has this file: what is on main alone is still being built."""
    return any(_git("cat-file", "-e", f"{tag}:./{file.name}").returncode == 0 for tag in _git("tag").stdout.split())


def _git(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["git", *words], cwd=FOLDER, capture_output=True, text=True, check=False)  # noqa: S603, S607


def main(word: str) -> int:
    wrong = write() if word == "write" else problems()
    for line in wrong:
        sys.stderr.write(f"schemas: {line}\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "check"))
