"""A running trial, spoken to over HTTP as its users do: every call bears a token of one role at some sites."""

from collections.abc import Callable, Sequence
from typing import Any, Self

import httpx

from deploy.native.stack import Stack
from services.loading.sending import ON_THE_WAY
from shared.auth.local_issuer import LocalIssuer
from shared.kernel.actor import Role
from tests.flows.waiting import until

CU = ("CU",)


class Trial:
    """The one base URL, and the issuer whose tokens it accepts."""

    def __init__(self, url: str, issuer: LocalIssuer, *, timeout: float = 30) -> None:
        self.url = url
        self.issuer = issuer
        self.http = httpx.Client(base_url=url, timeout=timeout)
        self._tokens: dict[tuple[Role, tuple[str, ...]], str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def token(self, role: Role, sites: Sequence[str] = CU) -> str:
        key = (role, tuple(sites))
        if key not in self._tokens:
            subject = f"{role.value}@{'-'.join(sites)}"
            self._tokens[key] = self.issuer.token(subject=subject, roles=[role], sites=sites)
        return self._tokens[key]

    def call(
        self, method: str, path: str, body: Any = None, *, role: Role, sites: Sequence[str] = CU, **headers: str
    ) -> httpx.Response:
        """One request; `headers` are written with underscores (`if_match='"1"'`). Text goes as XML, bytes as DICOM."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        given["Authorization"] = f"Bearer {self.token(role, sites)}"
        if isinstance(body, str | bytes):
            media_type = "application/xml" if isinstance(body, str) else "application/dicom"
            return self.http.request(method, path, content=body, headers=given | {"content-type": media_type})
        return self.http.request(method, path, json=body, headers=given)

    def get(self, path: str, *, role: Role = Role.MONITOR, sites: Sequence[str] = CU, **headers: str) -> httpx.Response:
        return self.call("GET", path, role=role, sites=sites, **headers)

    def read(self, path: str, *, role: Role = Role.MONITOR, sites: Sequence[str] = CU) -> Any:
        """The JSON of a GET that succeeds."""
        answer = self.get(path, role=role, sites=sites)
        assert answer.status_code == 200, f"GET {path}: {answer.status_code} {answer.text}"
        return answer.json()

    def command(
        self,
        path: str,
        body: Any,
        *,
        role: Role,
        sites: Sequence[str] = CU,
        version: Callable[[], str] | None = None,
        **headers: str,
    ) -> httpx.Response:
        """A command that succeeds, sent as any client sends it.

        It is sent again while a participant or a consent is still on the way to the service, and with the version
        anew where a worker has written since the thing was read.
        """

        def send() -> httpx.Response | None:
            condition = {} if version is None else {"if_match": version()}
            answer = self.call("POST", path, body, role=role, sites=sites, **headers, **condition)
            on_the_way = answer.status_code in {404, 409} and answer.json()["type"] in ON_THE_WAY
            overtaken = version is not None and answer.status_code == 412
            return None if on_the_way or overtaken else answer

        answer = until(f"POST {path} finds its participant, as it was last read", send)
        assert answer.is_success, f"POST {path}: {answer.status_code} {answer.text}"
        return answer


def trial_of(stack: Stack) -> Trial:
    """The trial behind the stack's gateway."""
    issuer = LocalIssuer(stack.issuer_folder, issuer="urn:cmd03:local", audience="cmd03").prepare()
    return Trial(stack.url, issuer)
