"""Permissions: which roles may call an endpoint. Each endpoint declares one; the authorisation matrix reads them.

MayReport = Annotated[Actor, Depends(allow(Role.INVESTIGATOR, Role.COORDINATOR))]
"""

from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.security import HTTPBearer

from shared.auth.tokens import Identity, TokenVerifier, Unauthenticated
from shared.kernel.actor import Actor, Role
from shared.kernel.errors import Forbidden

LOCAL = Identity("local", frozenset(Role), None, float("inf"))


class NotYourRole(Forbidden):
    """None of the caller's roles allows this."""

    code = "forbidden"


async def identify(request: Request) -> Identity:
    """Who calls. With `AUTH_DISABLED=1` (loopback only) everybody is `local`, with every role."""
    verifier: TokenVerifier | None = request.app.state.verifier
    if verifier is None:
        return LOCAL
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated("send `Authorization: Bearer <token>`")
    return await verifier.identify(token)


class Permission(HTTPBearer):
    """The dependency behind an endpoint's actor. `roles` is what the authorisation matrix is made of.

    One object is both the permission and the security scheme of the OpenAPI document: a request resolves one
    dependency where it would resolve three.
    """

    def __init__(self, roles: frozenset[Role], *, alone: bool = False) -> None:
        super().__init__(
            bearerFormat="JWT", scheme_name="Bearer", description="A JWT of the trial's OIDC issuer", auto_error=False
        )
        self.roles = roles
        self._alone = alone

    async def __call__(self, request: Request) -> Actor:  # type: ignore[override]
        identity = await identify(request)
        held = identity.roles & self.roles
        if not held:
            raise NotYourRole(f"this needs one of the roles {', '.join(sorted(self.roles))}")
        if self._alone and len(identity.roles) > 1 and identity is not LOCAL:
            raise NotYourRole(f"whoever is {min(held)} holds no other role: send a token with this one alone")
        request.state.actor = identity.id
        return identity.acting(held)


def allow(*roles: Role) -> Any:
    """A permission for these roles."""
    return Permission(frozenset(roles))


def allow_alone(*roles: Role) -> Any:
    """A permission for one of these roles, for whoever must know nothing else of the trial: held without any other."""
    return Permission(frozenset(roles), alone=True)


# The independent review sees images and nothing else: no course, no treatment date, no list, no other reader.
BLINDED = frozenset({Role.INDEPENDENT_READER_1, Role.INDEPENDENT_READER_2, Role.ADJUDICATOR})

EVERYBODY = tuple(role for role in Role if role not in BLINDED)
ReadsTrialData = Annotated[Actor, Depends(allow(*EVERYBODY))]

# What happened to participants and how the trial goes. Not for those who read images or samples, nor for those who make
# the product: what they know of a child's course, or of the others', must not colour what they see. What each of them
# reads besides, its service says.
_READ_THEIR_OWN = frozenset({Role.RADIOLOGIST, Role.LABORATORY, Role.MANUFACTURING, Role.QUALITY})
COURSE_READERS = tuple(role for role in EVERYBODY if role not in _READ_THEIR_OWN)
ReadsCourses = Annotated[Actor, Depends(allow(*COURSE_READERS))]

# The product's chain: who makes and releases it must know where it is, and whether it was given.
ReadsProducts = Annotated[Actor, Depends(allow(*COURSE_READERS, Role.MANUFACTURING, Role.QUALITY))]
