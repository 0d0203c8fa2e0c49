"""Whoever sends something of the wrong form is told the form in words: no pattern is told, and nothing is quoted."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.dependencies.models import Dependant

from tests.architecture.declared import routes


def fields_of(dependant: Dependant) -> Iterator[Any]:
    yield from (*dependant.path_params, *dependant.query_params, *dependant.body_params)
    for each in dependant.dependencies:
        yield from fields_of(each)


def untold_patterns(schema: Any) -> Iterator[str]:
    """The patterns of a core schema that are not below words which stand in for them."""
    if isinstance(schema, list | tuple):
        for each in schema:
            yield from untold_patterns(each)
    elif isinstance(schema, dict) and schema.get("type") != "custom-error":
        if schema.get("type") == "str" and "pattern" in schema:
            yield schema["pattern"]
        for each in schema.values():
            yield from untold_patterns(each)


@pytest.mark.parametrize("endpoint", sorted(routes()))
def test_what_a_text_must_look_like_is_said_in_words(endpoint: str) -> None:
    untold = {
        (field.alias, pattern)
        for field in fields_of(routes()[endpoint])
        for pattern in untold_patterns(field._type_adapter.core_schema)
    }
    assert untold == set()
