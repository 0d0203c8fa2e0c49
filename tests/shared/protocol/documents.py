"""Protocol texts with one thing changed: what a test is about, and nothing else."""

import json
from typing import Any

from shared.protocol import Protocol, parse_protocol
from shared.protocol.loading import PACKAGED
from shared.protocol.strict_yaml import read


def cmd03() -> dict[str, Any]:
    """What cmd03.yaml says, to be changed freely."""
    content = read(PACKAGED.read_text(encoding="utf-8")).content
    unshared: dict[str, Any] = json.loads(json.dumps(content))  # YAML anchors would change in several places
    return unshared


def changed(**changes: Any) -> str:
    """CMD03 with values put in place: `changed(visits__2__window__value={...})`. JSON is YAML too."""
    document = cmd03()
    for path, value in changes.items():
        inner: Any = document
        *way, last = (int(step) if step.isdigit() else step for step in path.split("__"))
        for step in way:
            inner = inner[step]
        inner[last] = value
    return json.dumps(document)


def protocol_with(**changes: Any) -> Protocol:
    return parse_protocol(changed(**changes))
