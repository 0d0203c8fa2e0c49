"""Branch coverage of the rooms of rules (`include` in pyproject.toml) is 100 %; takes coverage.py's JSON report."""

import json
import sys
from pathlib import Path


def gaps(report: Path) -> list[str]:
    files = json.loads(report.read_text(encoding="utf-8"))["files"]
    if not files:
        return ["the report holds none of the rooms that must be covered"]
    return [
        f"{name}: lines {figures['missing_lines']}, branches {figures['missing_branches']} are not covered"
        for name, figures in sorted(files.items())
        if figures["missing_lines"] or figures["missing_branches"]
    ]


def main(report: str) -> int:
    found = gaps(Path(report))
    for gap in found:
        sys.stderr.write(gap + "\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
