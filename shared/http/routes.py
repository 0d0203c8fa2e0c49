"""The route of every endpoint: numbers are read exactly, and a parameter it does not know is refused."""

from typing import Any

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from shared.http.body import ExactRequest
from shared.http.calling import Calling
from shared.http.problem_body import WRITTEN, Headers, Problem, as_problem_json
from shared.http.problems import InvalidRequest


class UnknownParameter(InvalidRequest):
    """A misspelt filter would otherwise answer a question nobody asked."""

    code = InvalidRequest.code


class ExactRoute(APIRoute):
    """A route whose endpoint sees an `ExactRequest` and the query parameters it declares, no others.

    A class of routes declares how all its problems are written, those of `Surroundings` too.
    """

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._calling = Calling(self)
        self._known = query_names(self.dependant)
        self.app = self._answer

    @staticmethod
    def written(problem: Problem, headers: Headers) -> Response:
        return as_problem_json(problem, headers)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope[WRITTEN] = self.written
        await super().handle(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = ExactRequest(scope, receive)
        if scope["query_string"]:
            refuse_unknown(request, self._known)
        response = await self._calling(request)
        await response(scope, receive, send)


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
