"""House rules that no ready linter knows: `python -m tests.architecture.house_rules` fails with each breach.

- A module has at most 400 lines: past that it is split along the domain.
- No module is called utils, helpers or common.
- Services do not name each other, and nothing but the embedded mode imports several.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
MOST_LINES = 400
NAMELESS = {"utils", "util", "helpers", "helper", "common", "misc"}


def modules() -> list[Path]:
    return sorted(path for room in ("services", "shared", "deploy", "bench") for path in (ROOT / room).rglob("*.py"))


def breaches(path: Path) -> Iterator[str]:
    place = path.relative_to(ROOT)
    text = path.read_text(encoding="utf-8")
    if (lines := text.count("\n")) > MOST_LINES:
        yield f"{place}: {lines} lines; split it along the domain"
    if path.stem in NAMELESS:
        yield f"{place}: name the idea, not its place"
    tree = ast.parse(text)
    if tree.body and "migrations" not in place.parts and ast.get_docstring(tree) is None:
        yield f"{place}: a module says in a sentence what it is"
    yield from (f"{place}:{line}: {what}" for line, what in swallowed(tree))


def swallowed(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Handlers whose whole body is `pass`: an error that nobody hears of."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler) and all(isinstance(each, ast.Pass) for each in node.body):
            yield node.lineno, "an exception is swallowed; handle it, or suppress it by name with a reason"


def main() -> int:
    found = [breach for path in modules() for breach in breaches(path)]
    for breach in found:
        sys.stderr.write(breach + "\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
