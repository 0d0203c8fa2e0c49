"""Lymphodepletion: the chemotherapy that prepares a participant for the cells."""

from typing import Annotated

from pydantic import Field, StringConstraints

from shared.protocol.marked import Part, Setting
from shared.protocol.units import Unit
from shared.protocol.visits import Side

Drug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]


class Lymphodepletion(Part):
    """What may be given, and how its first day is read where nobody knows the hour of the first dose."""

    drugs: Setting[Annotated[tuple[Drug, ...], Field(min_length=1)]]
    dose_units: Setting[Annotated[tuple[Unit, ...], Field(min_length=1)]]
    first_day_without_time: Setting[Side]  # a specimen of that day was taken before the first dose, or after it
