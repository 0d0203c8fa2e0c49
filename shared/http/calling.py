"""How an endpoint is called. What FastAPI finds out anew at each request is found out once, when the route is made.

Dependencies come first, each once, then the parameters of path, query string and headers, then the body; all that is
wrong with a request is answered together. What no endpoint of ours uses is refused at the start: functions that block
or yield, cookies, background tasks, several bodies. `make bench`, "POST adverse event", says what it saves.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from inspect import iscoroutinefunction
from typing import Any

from fastapi import Response
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import request_params_to_args
from fastapi.exceptions import RequestValidationError, ResponseValidationError
from fastapi.routing import APIRoute
from pydantic import ValidationError
from pydantic_core import to_json

from shared.http.body import NOTHING, ExactRequest

Field = Any  # FastAPI's `ModelField`, which it does not export
_UNSOLVED = object()


class NotCallable(TypeError):
    """An endpoint or a dependency uses something of FastAPI's that is not offered here."""


class Answer(Response):
    """An answer whose headers are set before its content is known."""

    media_type = "application/json"

    def __init__(self, status: int) -> None:
        self.status_code, self.background = status, None
        self.raw_headers = []

    def fill(self, content: bytes) -> None:
        self.body = content
        self.raw_headers.append((b"content-length", str(len(content)).encode()))
        self.raw_headers.append((b"content-type", b"application/json"))


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value of the path or of a header."""

    field: Field
    name: str
    alias: str
    place: tuple[str, str]
    default: Any

    @classmethod
    def of(cls, field: Field) -> "Scalar":
        where = field.field_info.in_.value
        if where != "path" and field.field_info.is_required():
            raise NotCallable(f"{field.alias}: a header is optional, and its endpoint says what to send")
        return cls(field, field.name, field.alias, (where, field.alias), field.default)

    def read(self, sent: Mapping[str, str], wrong: list[Any]) -> Any:
        value = sent.get(self.alias)
        if value is None:
            return self.default
        read, errors = self.field.validate(value, loc=self.place)
        wrong += errors
        return read


@dataclass(frozen=True, slots=True)
class Step:
    """A dependency or the endpoint itself: its function, and where each argument comes from."""

    call: Callable[..., Awaitable[Any]]
    solved: Sequence[tuple[str, int]]  # argument, number of the step whose result it is
    path: Sequence[Scalar]
    headers: Sequence[Scalar]
    query: list[Field]
    request: str | None
    response: str | None

    def arguments(
        self, request: ExactRequest, response: Answer, results: Sequence[Any], wrong: list[Any]
    ) -> dict[str, Any] | None:
        """What to call it with; None where a part cannot be had. What is wrong with its own parameters is added."""
        known = len(wrong)
        found = {name: results[step] for name, step in self.solved}
        lacking = known > 0 and any(value is _UNSOLVED for value in found.values())
        for each in self.path:
            found[each.name] = each.read(request.path_params, wrong)
        if self.query:
            values, errors = request_params_to_args(self.query, request.query_params)
            found |= values
            wrong += errors
        for each in self.headers:
            found[each.name] = each.read(request.headers, wrong)
        if self.request is not None:
            found[self.request] = request
        if self.response is not None:
            found[self.response] = response
        return None if lacking or len(wrong) > known else found


class Calling:
    """One endpoint, ready to be called."""

    def __init__(self, route: APIRoute) -> None:
        self._steps: list[Step] = []
        self._numbers: dict[Any, int] = {}
        self._body = _body_of(route)
        self._status, self._answer = route.status_code or 200, route.response_field
        self._endpoint = self._step(route.dependant)

    async def __call__(self, request: ExactRequest) -> Response:
        """Raises `RequestValidationError` with all that is wrong with the request."""
        sent = await request.content() if self._body is not None else None
        response = Answer(self._status)
        said = await self._said(request, response, sent)
        if isinstance(said, Response):
            return said
        response.fill(self._content(said))
        return response

    async def _said(self, request: ExactRequest, response: Answer, sent: Any) -> Any:
        results: list[Any] = []
        wrong: list[Any] = []
        for step in self._steps:
            given = step.arguments(request, response, results, wrong)
            results.append(_UNSOLVED if given is None else await step.call(**given))
        given = self._endpoint.arguments(request, response, results, wrong)
        body = None if self._body is None else _validated(self._body, sent, wrong)
        if given is None or wrong:
            raise RequestValidationError(wrong, body=sent)
        if self._body is not None:
            given[self._body.name] = body
        return await self._endpoint.call(**given)

    def _content(self, said: Any) -> bytes:
        if self._answer is None:
            return to_json(said)
        checked, errors = self._answer.validate(said, loc=("response",))
        if errors:
            raise ResponseValidationError(errors)
        content: bytes = self._answer.serialize_json(checked)
        return content

    def _step(self, dependant: Dependant) -> Step:
        """The step of a function; those that it depends on are added before."""
        call = dependant.call
        if call is None or not (iscoroutinefunction(call) or iscoroutinefunction(type(call).__call__)):
            raise NotCallable(f"{call}: endpoints and dependencies are `async def`, without yield")
        if dependant.cookie_params or dependant.background_tasks_param_name or dependant.security_scopes_param_name:
            raise NotCallable(f"{call}: neither cookies, background tasks nor security scopes are offered")
        depends = [(each.name, self._number(each)) for each in dependant.dependencies]
        return Step(
            call,
            [(name, number) for name, number in depends if name is not None],
            [Scalar.of(field) for field in dependant.path_params],
            [Scalar.of(field) for field in dependant.header_params],
            dependant.query_params,
            dependant.request_param_name or dependant.http_connection_param_name,
            dependant.response_param_name,
        )

    def _number(self, dependant: Dependant) -> int:
        if dependant.body_params:
            raise NotCallable(f"{dependant.call}: only an endpoint takes the body")
        number = self._numbers.get(dependant.call)
        if number is None:
            step = self._step(dependant)
            number = self._numbers[dependant.call] = len(self._steps)
            self._steps.append(step)
        return number


def _body_of(route: APIRoute) -> Field | None:
    fields: list[Field] = route.dependant.body_params
    if not fields:
        return None
    body, *more = fields
    if more or body.field_info.embed or not body.field_info.is_required():
        raise NotCallable(f"{route.path}: a body is one JSON value, and always there")
    return body


def _validated(field: Field, sent: Any, wrong: list[Any]) -> Any:
    if sent is NOTHING:
        wrong.append({"type": "missing", "loc": ("body",), "msg": "Field required", "input": None})
        return None
    try:
        # FastAPI reads attributes too, and so takes a decimal for an object that lacks every optional field.
        return field._type_adapter.validate_python(sent)  # noqa: SLF001 - FastAPI gives no other way to its adapter
    except ValidationError as error:
        wrong += [{**each, "loc": ("body", *each["loc"])} for each in error.errors(include_url=False)]
        return None
