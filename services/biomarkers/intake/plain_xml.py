"""XML that somebody else wrote: no document type, so no entities either, and no deeper than its kind is."""

from typing import Any
from xml.etree.ElementTree import Element, ParseError, TreeBuilder, XMLParser

from services.biomarkers.intake.apart import FileUnreadable

DEEPEST = 200


class _Builder(TreeBuilder):
    """Refuses a document type as soon as it begins, before anything in it is read."""

    def __init__(self) -> None:
        super().__init__()
        self._depth = 0

    def doctype(self, *_told: Any) -> None:
        raise FileUnreadable("the XML has a document type: send it without one")

    def start(self, tag: Any, attrs: Any) -> Any:
        self._depth += 1
        if self._depth > DEEPEST:
            raise FileUnreadable("the XML is nested deeper than any such file is")
        return super().start(tag, attrs)

    def end(self, tag: str) -> Element:
        self._depth -= 1
        return super().end(tag)


def tree(content: bytes) -> Element:
    """The root element.

    Raises:
        FileUnreadable.
    """
    parser: Any = XMLParser(target=_Builder())  # noqa: S314 - without a document type there is nothing to expand
    try:
        parser.feed(content)
        root: Element = parser.close()
    except (ParseError, ValueError, LookupError) as error:
        raise FileUnreadable("the file is no XML that is whole") from error
    return root


def local(tag: str) -> str:
    """The name of an element without its namespace."""
    return tag.rpartition("}")[2]
