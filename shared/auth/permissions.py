"""Permissions: which roles may call an endpoint. Each endpoint declares one; the authorisation matrix reads them.

MayReport = Annotated[Actor, Depends(allow(Role.INVESTIGATOR, Role.COORDINATOR))]
"""

from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from shared.auth.tokens import Identity, TokenVerifier, Unauthenticated
from shared.kernel.actor import Actor, Role
from shared.kernel.errors import Forbidden

_BEARER = HTTPBearer(bearerFormat="JWT", auto_error=False, description="A JWT of the trial's OIDC issuer")

LOCAL = Identity("local", frozenset(Role), None, float("inf"))


class NotYourRole(Forbidden):
    """None of the caller's roles allows this."""

    code = "forbidden"


async def identify(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]
) -> Identity:
    """Who calls. With `AUTH_DISABLED=1` (loopback only) everybody is `local`, with every role."""
    verifier: TokenVerifier | None = request.app.state.verifier
    if verifier is None:
        return LOCAL
    if credentials is None:
        raise Unauthenticated("send `Authorization: Bearer <token>`")
    identity = await verifier.identify(credentials.credentials)
    request.state.actor = identity.id
    return identity


class Permission:
    """The dependency behind an endpoint's actor. `roles` is what the authorisation matrix is made of."""

    def __init__(self, roles: frozenset[Role]) -> None:
        self.roles = roles

    async def __call__(self, identity: Annotated[Identity, Depends(identify)]) -> Actor:
        held = sorted(identity.roles & self.roles)
        if not held:
            raise NotYourRole(f"this needs one of the roles {', '.join(sorted(self.roles))}")
        return identity.acting(held[0])


def allow(*roles: Role) -> Any:
    """A permission for these roles."""
    return Permission(frozenset(roles))


EVERYBODY = tuple(Role)
ReadsTrialData = Annotated[Actor, Depends(allow(*EVERYBODY))]
