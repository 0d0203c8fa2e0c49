"""A row of the sample trial's files: read strictly, and never changed."""

from typing import Any

from pydantic import BaseModel, ConfigDict


class Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def says_one_thing(row: Any) -> Any:
    if len(row.model_fields_set) != 1:
        raise ValueError("one thing at a time: " + ", ".join(type(row).model_fields))
    return row
