"""Request bodies: JSON numbers are read as decimals, digit for digit, and NaN and infinities are refused."""

import json
from decimal import Decimal
from typing import Any

from fastapi import HTTPException, Request
from fastapi.exceptions import RequestValidationError
from starlette.requests import ClientDisconnect

NOTHING = object()  # what an empty body holds


def _refuse_constant(name: str) -> Any:
    raise json.JSONDecodeError(f"{name} is not JSON", name, 0)


def _decimal(text: str) -> Decimal:
    if len(text) > 64:
        raise json.JSONDecodeError("a number of more than 64 characters", text[:16], 0)
    return Decimal(text)


def _refuse_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A name given twice has no one meaning; the standard library would silently keep the last."""
    named = dict(pairs)
    if len(named) != len(pairs):
        raise json.JSONDecodeError("a name is given twice in one object", "", 0)
    return named


_READER = json.JSONDecoder(parse_float=_decimal, parse_constant=_refuse_constant, object_pairs_hook=_refuse_twice)


class ExactRequest(Request):
    """Like Starlette's, with numbers kept exact."""

    async def content(self) -> Any:
        """What the body holds: `NOTHING` where it is empty, the bytes where its media type is not JSON.

        Raises:
            RequestValidationError: it is not JSON.
            HTTPException: the caller left in the middle of it.
        """
        try:
            body = await self.body()
            if not body:
                return NOTHING
            return await self.json() if _is_json(self.headers.get("content-type", "")) else body
        except ClientDisconnect as left:
            raise HTTPException(400, "the body broke off") from left
        except json.JSONDecodeError as error:
            place = ("body", error.pos)
            why = {"type": "json_invalid", "loc": place, "msg": "JSON decode error", "ctx": {"error": error.msg}}
            raise RequestValidationError([why], body=error.doc) from error

    async def json(self) -> Any:
        if not hasattr(self, "_exact"):
            try:
                self._exact = _READER.decode((await self.body()).decode("utf-8"))
            except UnicodeDecodeError as error:
                raise json.JSONDecodeError("the body is not UTF-8", "", 0) from error
            except (RecursionError, ValueError) as error:
                if isinstance(error, json.JSONDecodeError):
                    raise
                raise json.JSONDecodeError("nested too deep, or a number too long", "", 0) from error
        return self._exact


def _is_json(media_type: str) -> bool:
    kind = media_type.partition(";")[0].strip().lower()
    return kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))
