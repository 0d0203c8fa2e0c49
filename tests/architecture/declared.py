"""What the five applications declare of themselves: their endpoints, who may call them, their OpenAPI documents."""

from collections.abc import Iterator
from functools import cache
from typing import Any

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts

from services.embedded import SERVICES
from shared.auth.permissions import Permission
from shared.db import open_database
from shared.eventstore.store import EventStore
from shared.http.parts import Parts
from shared.kernel.actor import Role
from shared.kernel.clock import system_clock
from shared.protocol import load_protocol
from shared.settings import Settings


@cache
def apps() -> dict[str, FastAPI]:
    """The application of each service by its path, over a database that nobody opens."""
    made = {}
    for service in SERVICES:
        db = open_database("sqlite+aiosqlite:///:memory:", service.name)
        parts = Parts(db, EventStore(db), load_protocol(), system_clock, Settings(), None)
        made[service.path] = service.create_app(parts)
    return made


@cache
def routes() -> dict[str, Dependant]:
    """Every endpoint, "POST /safety/v1/adverse-events" and so on, with the tree of what it depends on."""
    return {
        f"{method} {path}{route.path}": route.dependant
        for path, app in apps().items()
        for route in iter_route_contexts(app.routes)
        if isinstance(route.original_route, APIRoute)
        for method in route.methods or ()
    }


def other_paths(app: FastAPI) -> set[str | None]:
    """What an app serves beside its endpoints."""
    contexts = iter_route_contexts(app.routes)
    return {route.path for route in contexts if not isinstance(route.original_route, APIRoute)}


def permissions(key: str) -> list[Permission]:
    return [found.call for found in _dependencies(routes()[key]) if isinstance(found.call, Permission)]


def roles(key: str) -> frozenset[Role]:
    """Who may call an endpoint: the roles that every permission of it names."""
    return frozenset.intersection(*(permission.roles for permission in permissions(key)))


def documented() -> dict[str, Any]:
    """Every operation of the OpenAPI documents, by the same keys."""
    return {
        f"{method.upper()} {service}{path}": operation
        for service, app in apps().items()
        for path, operations in app.openapi()["paths"].items()
        for method, operation in operations.items()
    }


def _dependencies(dependant: Dependant) -> Iterator[Dependant]:
    yield dependant
    for each in dependant.dependencies:
        yield from _dependencies(each)
