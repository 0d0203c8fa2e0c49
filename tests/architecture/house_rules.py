"""House rules that no ready linter knows: `python -m tests.architecture.house_rules` fails with each breach.

- A module has at most 400 lines: past that it is split along the domain.
- No module is called utils, helpers or common.
- A module says in a sentence what it is, and no exception is swallowed.
- A log line's text is constant: values travel in fields.
- A field of a log line is on the list of `shared.telemetry.logs`, or it would be dropped without a word.
- What a migration makes is frozen: it and the `ddl` modules it calls name no table that the code of today declares.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

from shared.telemetry.logs import FIELDS

ROOT = Path(__file__).parents[2]
MOST_LINES = 400
LOGGING = {"debug", "info", "warning", "error", "exception", "critical", "log"}
NAMELESS = {"utils", "util", "helpers", "helper", "common", "misc"}
FROZEN_MAY_NAME = {"alembic", "sqlalchemy", "typing", "shared.db", "shared.eventstore.ddl", "shared.projection.ddl"}


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
    found = [*swallowed(tree), *unlisted(tree), *interpolated(tree)]
    if "versions" in place.parts or path.stem == "ddl":
        found += thawed(tree)
    yield from (f"{place}:{line}: {what}" for line, what in found)


def swallowed(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Handlers whose whole body is `pass`: an error that nobody hears of."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler) and all(isinstance(each, ast.Pass) for each in node.body):
            yield node.lineno, "an exception is swallowed; handle it, or suppress it by name with a reason"


def interpolated(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Log lines whose text takes in values: they could be anything, and no list says what may be in them."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="log"), attr=attr), args=[*args]) if attr in LOGGING:
                texts = args[1:] if attr == "log" else args
                if len(texts) != 1 or not isinstance(texts[0], ast.Constant):
                    yield node.lineno, "the text of a log line is constant; send values in fields"


def unlisted(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Fields of log lines that are not on the list, and fields that nobody can read here."""
    named: dict[str, list[ast.expr]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict):
            for target in node.targets:
                named.setdefault(ast.unparse(target), []).append(node.value)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in LOGGING:
            for keyword in node.keywords:
                if keyword.arg == "extra":
                    for field in _fields(keyword.value, named):
                        if field not in FIELDS:
                            yield node.lineno, f"the log has no field {field}; list it, or write it out here"


def _fields(extra: ast.expr, named: dict[str, list[ast.expr]]) -> Iterator[str]:
    """The keys of a written dictionary, of those it takes in, and of those a name stands for in this module."""
    match extra:
        case ast.Dict(keys=keys, values=values):
            for key, value in zip(keys, values, strict=True):
                if key is None:
                    yield from _fields(value, named)
                else:
                    yield str(key.value) if isinstance(key, ast.Constant) else ast.unparse(key)
        case ast.Name(id=name) if name in named:
            for written in named[name]:
                yield from _fields(written, named)
        case _:
            yield ast.unparse(extra)


def thawed(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Imports through which a migration would make other tables tomorrow than it makes today."""
    for node in ast.walk(tree):
        match node:
            case ast.ImportFrom(module=str(module)):
                names = [module]
            case ast.Import(names=aliases):
                names = [alias.name for alias in aliases]
            case _:
                continue
        for name in names:
            if name not in FROZEN_MAY_NAME and not name.startswith("sqlalchemy."):
                yield node.lineno, f"a migration is frozen: it writes out its tables, and does not ask {name}"


def main() -> int:
    found = [breach for path in modules() for breach in breaches(path)]
    for breach in found:
        sys.stderr.write(breach + "\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
