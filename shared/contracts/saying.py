"""What a value of some kind must be, in words: a problem answer tells these in place of the pattern that was missed."""

from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

NOT_AS_SAID = "not-as-said"  # pydantic's `type` of such an error


@dataclass(frozen=True, slots=True)
class Says:
    """Annotates a type, behind its constraints: whatever is wrong with a value is answered with these words.

    Code = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$"), Says("two capitals, such as TH")]

    The words are a sentence's end without a full stop. They name no value that was sent, and say what to send.
    """

    what: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.custom_error_schema(
            handler(source), custom_error_type=NOT_AS_SAID, custom_error_message=self.what
        )
