"""What endpoints that take files have in common: the file as the body or in a form, and what is told beside it."""

from typing import Annotated, Any, TypeVar

from fastapi import Query
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError

from shared.contracts.biomarkers_intake import SourceId
from shared.http.uploads import Upload

Source = Annotated[SourceId | None, Query(description="Its codes and zone are used; unreadable rows wait")]
DryRun = Annotated[bool, Query(description="Say what would become of each row; record nothing")]
Model = TypeVar("Model", bound=BaseModel)


def file_body(media_type: str, about: type[BaseModel], **beside: str) -> dict[str, Any]:
    """The request body of an endpoint that takes a file, for its OpenAPI document."""
    binary = {"type": "string", "format": "binary"}
    alone = {"type": "string"} if media_type.startswith("text/") else binary
    told = {"type": "string", "description": f"JSON: {about.__doc__}", "examples": ["{}"]}
    parts = {"file": binary, "about": told} | {
        name: {"type": "string", "description": says} for name, says in beside.items()
    }
    form = {"type": "object", "required": ["file"], "properties": parts, "additionalProperties": False}
    content = {media_type: {"schema": alone}, "multipart/form-data": {"schema": form}}
    return {"requestBody": {"required": True, "content": content}}


def about_in(upload: Upload, model: type[Model]) -> Model:
    """The form's part `about`; without one nothing is told.

    Raises:
        RequestValidationError: it does not fit.
    """
    try:
        return model.model_validate_json(upload.beside.get("about", b"{}"))
    except ValidationError as error:
        told = [{**each, "loc": ("body", "about", *each["loc"])} for each in error.errors()]
        raise RequestValidationError(told) from error
