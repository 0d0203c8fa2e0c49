"""What a place of a request must be, in words: pydantic speaks of tuples, tags and patterns, a hospital sends JSON.

None of these words quotes what was sent, as some of pydantic's own do.
"""

from collections.abc import Mapping
from typing import Any

_OBJECT = "an object: names and values in braces"
_LIST = "a list: values in brackets"
_TEXT = "a text in quotation marks"
_DECIMAL = "a decimal, as a number or as a string such as 12.5"
_WHOLE = "a whole number"
_UUID = "a UUID, such as 018f2b6e-0000-7000-8000-000000000001"
_FLAG = "true or false"

_WORDS: Mapping[str, str] = {
    "missing": "this is required",
    "extra_forbidden": "there is no such field: leave it out",
    "model_attributes_type": _OBJECT,
    "model_type": _OBJECT,
    "dict_type": _OBJECT,
    "list_type": _LIST,
    "tuple_type": _LIST,
    "set_type": _LIST,
    "frozen_set_type": _LIST,
    "string_type": _TEXT,
    "string_unicode": "a text of whole characters, without lone surrogates",
    "decimal_type": _DECIMAL,
    "decimal_parsing": _DECIMAL,
    "finite_number": _DECIMAL,
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_from_float": _WHOLE,
    "int_parsing_size": _WHOLE,
    "uuid_type": _UUID,
    "uuid_parsing": _UUID,
    "bool_type": _FLAG,
    "bool_parsing": _FLAG,
}


def of(error: Mapping[str, Any]) -> str:
    """Why a value was refused, or what to send in its place, from one of pydantic's errors."""
    told = error.get("ctx", {})
    match str(error["type"]):
        case "json_invalid":
            return f"not valid JSON: {told.get('error', '')}"[:200]
        case "union_tag_invalid":
            return f"{told['discriminator']} is one of {told['expected_tags']}"
        case "union_tag_not_found":
            return f"{told['discriminator']} is required: it says which fields follow"
        case "too_short" | "too_long" as kind:
            side, count = ("at least", "min_length") if kind == "too_short" else ("at most", "max_length")
            return f"{side} {told[count]} of them"
        case kind:
            return _WORDS.get(kind) or str(error["msg"]).removeprefix("Value error, ")[:500]
