"""The route of every endpoint: numbers are read exactly, and a parameter it does not know is refused."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from shared.http.body import ExactRequest
from shared.http.problems import InvalidRequest


class UnknownParameter(InvalidRequest):
    """A misspelt filter would otherwise answer a question nobody asked."""

    code = InvalidRequest.code


class ExactRoute(APIRoute):
    """A route whose endpoint sees an `ExactRequest` and the query parameters it declares, no others."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        known = query_names(self.dependant)

        async def exactly(request: Request) -> Response:
            if request.scope["query_string"]:
                refuse_unknown(request, known)
            return await handle(ExactRequest(request.scope, request.receive))

        return exactly


def refuse_unknown(request: Request, known: frozenset[str]) -> None:
    unknown = sorted(set(request.query_params) - known)
    if unknown:
        offered = ", ".join(sorted(known)) or "none"
        raise UnknownParameter(f"unknown query parameters: {', '.join(unknown)[:200]}; this path takes: {offered}")


def query_names(dependant: Dependant) -> frozenset[str]:
    """The query parameters that an endpoint and its dependencies take."""
    names: set[str] = set()
    waiting = [dependant]
    while waiting:
        each = waiting.pop()
        names |= {field.alias for field in each.query_params}
        waiting += each.dependencies
    return frozenset(names)
