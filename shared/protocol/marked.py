"""A setting of the trial: its value, how well it is known, and who says so."""

from enum import StrEnum
from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, StringConstraints

T = TypeVar("T")

Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]


class Mark(StrEnum):
    """How well a setting is known. Only S and R are facts about the trial itself."""

    SEED = "S"  # said by the trial's own description
    REGISTRY = "R"  # said by a public copy of its registry record
    ANALOGOUS = "A"  # taken from a comparable trial
    PUBLISHED = "P"  # a published rule or standard
    PROPOSED = "D"  # proposed by this project, until the trial team settles it
    UNVERIFIED = "U"  # general knowledge, not checked against a source


class Part(BaseModel):
    """A part of the protocol: cannot be changed, and knows no keys but its own."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Setting(Part, Generic[T]):
    """A value the trial team may change, with its evidence beside it."""

    value: T
    mark: Mark
    source: Text
    alternatives: tuple[Text, ...] = ()
