"""The FastAPI application of one service, as every service builds it."""

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.types import ASGIApp

from shared.http import problems, uploads
from shared.http.parts import Parts
from shared.http.problem_body import Problem
from shared.http.routes import ExactRoute


def router(prefix: str, tag: str, route_class: type[ExactRoute] = ExactRoute) -> APIRouter:
    """A router whose routes read numbers exactly and refuse parameters they do not know."""
    return APIRouter(
        prefix=prefix, tags=[tag], route_class=route_class, generate_unique_id_function=lambda route: route.name
    )


class ServiceApp(FastAPI):
    """FastAPI without its own surroundings: `Surroundings` stands round every process, and `Calling` has nothing open.

    Its own would ask at each request whether there is a tracer, limit the body and answer bugs a second time.
    """

    def build_middleware_stack(self) -> ASGIApp:
        return ExceptionMiddleware(self.router, handlers=self.exception_handlers)


def create_service_app(
    name: str, *, title: str, description: str, routers: Sequence[APIRouter], parts: Parts, **state: Any
) -> FastAPI:
    """One service's app: routes under `/v1`, `/docs`, `/openapi.json`. `state` is what its dependencies read."""
    app = ServiceApp(
        title=title,
        description=description,
        version="1.0.0",
        docs_url="/docs",
        redoc_url=None,
        openapi_url="/openapi.json",
        separate_input_output_schemas=False,
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.router.redirect_slashes = False
    for each in routers:
        app.router.routes += each.routes  # with `include_router` each request would be matched with its route twice
    app.state.service = name
    app.state.verifier = parts.verifier
    for key, value in state.items():
        setattr(app.state, key, value)
    problems.install(app)
    uploads.remove_abandoned()
    _document_problems(app)
    return app


def _document_problems(app: FastAPI) -> None:
    """Add the schema that `problems.of` refers to."""
    make = app.openapi

    def openapi() -> dict[str, Any]:
        document = make()
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        if "Problem" not in schemas:
            problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
            schemas |= problem.pop("$defs", {})
            schemas["Problem"] = problem
        return document

    app.openapi = openapi  # type: ignore[method-assign]
