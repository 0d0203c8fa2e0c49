"""Branch coverage of domain and of the pure rooms of shared is 100 %; the argument is coverage.py's JSON report."""

import json
import re
import sys
from pathlib import Path

COVERED = re.compile(
    r"^(services/[a-z]+/domain|shared/(kernel|contracts|consent|protocol|kinetics|measurement|response|statistics))/"
)
TOOLS = {"shared/contracts/schemas.py"}  # a command of the build, not part of any service


def gaps(report: Path) -> list[str]:
    files = json.loads(report.read_text(encoding="utf-8"))["files"]
    found = []
    for name, figures in sorted(files.items()):
        if not COVERED.match(name) or name in TOOLS:
            continue
        lines, branches = figures["missing_lines"], figures["missing_branches"]
        if lines or branches:
            found.append(f"{name}: lines {lines}, branches {branches} are not covered")
    if not any(COVERED.match(name) for name in files):
        found.append("the report holds none of the rooms that must be covered")
    return found


def main(report: str) -> int:
    found = gaps(Path(report))
    for gap in found:
        sys.stderr.write(gap + "\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
