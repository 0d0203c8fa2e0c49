"""From a protocol file to one validated protocol, or to every problem in it with its line."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from pydantic import ValidationError

from shared.protocol.checks import Problem, disagreements
from shared.protocol.model import Protocol
from shared.protocol.strict_yaml import Document, NotStrictYaml, read

PACKAGED = Path(__file__).parent / "cmd03.yaml"


class ProtocolUnusable(Exception):
    """A protocol file cannot be used. The message lists every problem, each with its line and place."""


def load_protocol(path: Path | None = None) -> Protocol:
    """The protocol in the file at `path`, or the CMD03 protocol that comes with the code.

    Raises: ProtocolUnusable.
    """
    file = path or PACKAGED
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as unreadable:
        raise ProtocolUnusable(f"{file}: {unreadable}") from unreadable
    return parse_protocol(text, name=file.name)


def parse_protocol(text: str, *, name: str = "protocol") -> Protocol:
    """The protocol that a YAML text describes; `name` says in messages which text it was.

    Raises: ProtocolUnusable.
    """
    try:
        document = read(text)
    except NotStrictYaml as refused:
        raise ProtocolUnusable(f"{name}:{refused.line}: {refused}") from refused
    if "sha256" in document.content:
        raise ProtocolUnusable(_report([(("sha256",), "is computed from the content; leave it out")], document, name))
    try:
        protocol = Protocol.model_validate_json(json.dumps({**document.content, "sha256": fingerprint(document)}))
    except ValidationError as invalid:
        raise ProtocolUnusable(_report(_problems(invalid), document, name)) from None
    if problems := list(disagreements(protocol)):
        raise ProtocolUnusable(_report(problems, document, name))
    return protocol


def fingerprint(document: Document) -> str:
    """SHA-256 of what the file says, in hex. Comments, order of keys and layout do not count."""
    content = json.dumps(document.content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(content.encode()).hexdigest()


def _problems(invalid: ValidationError) -> Iterable[Problem]:
    for error in invalid.errors():
        given = error["input"]
        shown = "" if isinstance(given, dict | list) else f" (given: {json.dumps(given, ensure_ascii=False)})"
        yield error["loc"], error["msg"].removeprefix("Value error, ") + shown


def _report(problems: Iterable[Problem], document: Document, name: str) -> str:
    return "\n".join(
        f"{name}:{document.line(place)}: {'.'.join(map(str, place))}: {message}" for place, message in problems
    )
