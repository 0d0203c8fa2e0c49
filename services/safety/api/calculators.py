"""What the calculators of grades have in common: how much they take at once, and what an item is called."""

from typing import Annotated

from pydantic import Field

from shared.contracts.terms import Code

MOST_ITEMS = 1000

ItemId = Annotated[Code, Field(description="The caller's own id of the item; never of a person", examples=["1"])]
