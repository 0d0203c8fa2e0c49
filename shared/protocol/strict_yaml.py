"""YAML without surprises: texts, whole numbers, true, false and null; no key twice, no binary fractions."""

import re
from dataclasses import dataclass
from typing import Any

import yaml

Place = tuple[str | int, ...]


class NotStrictYaml(ValueError):
    """A text is not YAML, or leaves room for surprises. `line` counts from 1."""

    def __init__(self, message: str, line: int = 1) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True)
class Document:
    """What a YAML text says, and on which line it says it."""

    content: dict[str, Any]
    root: yaml.Node

    def line(self, place: Place) -> int:
        """The line of a place such as ("visits", 3, "window"), or of the nearest thing around it."""
        found = self.root
        for step in place:
            inner = _inside(found, step)
            if inner is None:
                break
            found = inner
        return found.start_mark.line + 1


def read(text: str) -> Document:
    """The document that a YAML text holds: one mapping.

    Raises: NotStrictYaml.
    """
    loader = _Loader(text)
    try:
        root = loader.get_single_node()
        if not isinstance(root, yaml.MappingNode):
            raise NotStrictYaml("expected keys and values, such as protocol_id: CMD03")
        return Document(loader.construct_document(root), root)
    except yaml.MarkedYAMLError as broken:
        mark = broken.problem_mark
        raise NotStrictYaml(str(broken.problem), mark.line + 1 if mark else 1) from None
    except yaml.YAMLError as broken:
        raise NotStrictYaml(str(broken)) from None
    finally:
        loader.dispose()


def _inside(node: yaml.Node, step: str | int) -> yaml.Node | None:
    found: yaml.Node | None = None
    if isinstance(node, yaml.MappingNode):
        found = next((value for key, value in node.value if key.value == str(step)), None)
    elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
        found = node.value[step]
    return found


class _Loader(yaml.CSafeLoader):  # reads in C: twenty times as fast, and services read the protocol at each start
    yaml_implicit_resolvers = {}  # noqa: RUF012 # overrides that of the library: nothing is guessed but what follows


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[str, Any]:
    content: dict[str, Any] = {}
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise _refused("a key must be a plain text", key)
        if key.value in content:
            raise _refused(f"{key.value} is given twice", key)
        content[key.value] = loader.construct_object(value, deep=True)
    return content


def _fraction(_: _Loader, node: yaml.ScalarNode) -> None:
    raise _refused(f'quote a decimal number, so that it stays exact: "{node.value}"', node)


def _refused(why: str, node: yaml.Node) -> yaml.constructor.ConstructorError:
    return yaml.constructor.ConstructorError(None, None, why, node.start_mark)


for _name, _looks_like, _first in (
    ("bool", r"true|false", "tf"),
    ("null", r"null", "n"),
    ("int", r"[-+]?(0|[1-9][0-9]*)", "-+0123456789"),
    ("float", r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))([eE][-+]?[0-9]+)?", "-+.0123456789"),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_name}", re.compile(f"^(?:{_looks_like})$"), list(_first))
_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)
_Loader.add_constructor("tag:yaml.org,2002:float", _fraction)
