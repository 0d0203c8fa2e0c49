"""The authorisation matrix: every endpoint x every role x own and other site, over HTTP with signed tokens.

What must hold is read from the permissions that the endpoints declare. Site CU and site KKU have run the same course,
so whatever one of them sees of the other would show.
"""

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from shared.auth.local_issuer import LocalIssuer
from shared.kernel.actor import Role
from tests.architecture.declared import roles
from tests.flows import course
from tests.flows.carried_out import copied_to
from tests.flows.embedded import embedded_trial
from tests.flows.endpoints import ENDPOINTS, About, filled
from tests.flows.trial import Trial

OWN, OTHER = "CU", "KKU"
EVERYWHERE = Role.SPONSOR
SCOPED = sorted(key for key, endpoint in ENDPOINTS.items() if endpoint.about in {About.PARTICIPANT, About.SITE})
LISTS = sorted(key for key, endpoint in ENDPOINTS.items() if endpoint.about is About.MANY)

_fresh = count()


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory, run_folder: Path) -> Iterator[Trial]:
    """Both sites have carried out the course, and every read model shows it."""
    with embedded_trial(copied_to(tmp_path_factory.mktemp("embedded"), run_folder)) as running:
        for position in course.carry_out(running, OTHER).values():
            running.read(f"/trial/v1/participants?wait_for={position}", role=EVERYWHERE)
        yield running


@pytest.fixture(scope="module")
def forger(tmp_path_factory: pytest.TempPathFactory) -> LocalIssuer:
    """Signs what ours would, with a key of its own."""
    return LocalIssuer(tmp_path_factory.mktemp("forger"), issuer="urn:cmd03:local", audience="cmd03").prepare()


def call(trial: Trial, key: str, role: Role, sites: tuple[str, ...], known: dict[str, str]) -> httpx.Response:
    """A valid request to an endpoint. A change names a version that is past, so that it changes nothing."""
    method, template = key.split(" ")
    endpoint = ENDPOINTS[key]
    headers = {"if_match": '"1"'} if endpoint.needs_version else {}
    path: str = filled(template + endpoint.query, known)
    return trial.call(method, path, filled(endpoint.body, known), role=role, sites=sites, **headers)


def sent(key: str, known: dict[str, str]) -> dict[str, Any]:
    """The body of a request of our own, as httpx takes it."""
    body = filled(ENDPOINTS[key].body, known)
    return {"content": body} if isinstance(body, bytes) else {"json": body}


def on_record(site: str) -> dict[str, str]:
    """The things of a site's first child; what is new is new each time."""
    return course.known(site, new=f"matrix {next(_fresh)}")


@pytest.mark.parametrize("key", sorted(ENDPOINTS))
def test_a_role_may_do_at_its_own_site_what_is_declared_and_nothing_else(trial: Trial, key: str) -> None:
    answers = {role: call(trial, key, role, (OWN,), on_record(OWN)) for role in Role}
    let_in = {role for role, answer in answers.items() if not is_kept_out(answer)}
    assert let_in == roles(key), f"of {key}"
    for role in let_in:
        answer = answers[role]
        assert answer.status_code < 500, f"{role}: {answer.text}"
        assert answer.status_code not in {401, 403, 404, 405, 428}, f"{role}: {answer.text}"
        assert "invalid-request" not in answer.text, f"{role}: {answer.text}"


@pytest.mark.parametrize("key", SCOPED)
def test_to_a_caller_of_another_site_a_participant_is_unknown(trial: Trial, key: str) -> None:
    for role in roles(key):
        answer = call(trial, key, role, (OTHER,), on_record(OWN))
        if role is EVERYWHERE:
            assert answer.status_code not in {401, 403, 404}
        else:
            assert answer.status_code == 404, f"{role}: {answer.text}"
            assert is_not_found(answer.json())


OF_SITES = [key for key in SCOPED if roles(key) - {EVERYWHERE}]


@pytest.mark.parametrize(
    "key", [key for key in OF_SITES if "{site_id}" not in key and key != "POST /enrollment/v1/sites"]
)
def test_another_sites_participant_and_none_at_all_are_answered_alike(trial: Trial, key: str) -> None:
    role = min(roles(key) - {EVERYWHERE})
    nobody = {name: str(uuid4()) for name in on_record(OWN)} | {"site_id": "NOWHERE", "label": "T01"}
    nobody |= {"laboratory_id": "NO-LAB", "source_id": "NO@LAB"}
    nobody |= {"alert_id": f"{uuid4()}-1", "number": "1"}
    others, nobodys = (call(trial, key, role, (OTHER,), known) for known in (on_record(OWN), nobody))
    untraced = [{**answer.json(), "trace_id": ""} for answer in (others, nobodys)]
    assert untraced[0] == untraced[1]


@pytest.mark.parametrize("accept", ["application/json", "text/csv"])
@pytest.mark.parametrize("key", LISTS)
def test_lists_and_tables_hold_the_callers_sites_alone(trial: Trial, key: str, accept: str) -> None:
    path = key.split(" ")[1]
    for role in roles(key) - {EVERYWHERE}:
        shown = trial.get(path, role=role, sites=(OWN,), accept=accept)
        assert shown.status_code == 200
        assert not mentions(shown.text, OTHER), f"{role} of {OWN} is shown {OTHER}"
    everything = trial.get(path, role=EVERYWHERE, accept=accept).text
    assert mentions(everything, OTHER) == mentions(everything, OWN)


@pytest.mark.parametrize("key", LISTS)
def test_the_figures_of_a_site_are_made_of_its_own_participants(trial: Trial, key: str) -> None:
    path = key.split(" ")[1]
    role = min(roles(key) - {EVERYWHERE})
    own = content(trial, path, role, OWN)
    assert own == content(trial, f"{path}?site={OWN}", EVERYWHERE, OWN)
    assert own != content(trial, path, EVERYWHERE, OWN), "two sites give the figures of one"
    nobody = content(trial, path, role, "ELSEWHERE")
    assert nobody == content(trial, f"{path}?site={OTHER}", role, OWN), "naming another site shows its participants"
    assert nobody != own


@pytest.mark.parametrize("key", sorted(ENDPOINTS))
def test_without_a_token_that_holds_nobody_is_let_in(trial: Trial, key: str, forger: LocalIssuer) -> None:
    claims: dict[str, Any] = {"subject": "somebody", "roles": list(Role), "sites": ["*"]}
    tokens = [None, "Bearer", "Bearer nonsense", f"Basic {trial.token(Role.SPONSOR)}"]
    tokens += [f"Bearer {forger.token(**claims)}", f"Bearer {trial.issuer.token(**claims, hours=-1)}"]
    method, template = key.split(" ")
    known = on_record(OWN)
    for token in tokens:
        headers = {} if token is None else {"Authorization": token}
        answer = trial.http.request(method, filled(template, known), headers=headers, **sent(key, known))
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer"), token


@pytest.mark.parametrize("key", sorted(ENDPOINTS))
def test_a_token_without_roles_opens_nothing_and_one_without_sites_shows_nobody(trial: Trial, key: str) -> None:
    method, template = key.split(" ")
    known = on_record(OWN)
    path, body = filled(template, known), sent(key, known)
    bare = {"Authorization": f"Bearer {trial.issuer.token(subject='somebody', roles=[], sites=['*'])}"}
    assert trial.http.request(method, path, headers=bare, **body).status_code == 403
    for role in sorted(roles(key) - {EVERYWHERE})[:1]:
        nowhere = call(trial, key, role, (), known)
        endpoint = ENDPOINTS[key]  # what everybody's sites share is changed by nobody on a past version, only replayed
        past = endpoint.about is About.TRIAL and endpoint.needs_version
        replayed = past and nowhere.headers.get("Idempotent-Replayed") == "true"
        assert nowhere.status_code == (404 if key in SCOPED else 412 if past and not replayed else endpoint.answers)
        assert not mentions(nowhere.text, OWN)


def is_kept_out(answer: httpx.Response) -> bool:
    return answer.status_code == 403 and (issue_types(answer.json()) or {answer.json().get("type")}) == {"forbidden"}


def is_not_found(answer: Any) -> bool:
    if found := issue_types(answer):
        return found == {"not-found"}
    return bool(answer["type"].startswith("no-such-"))


def issue_types(answer: Any) -> set[str]:
    """What an OperationOutcome says, as FHIR's endpoints answer; of any other answer nothing."""
    return {issue["code"] for issue in answer.get("issue", ())}


def content(trial: Trial, path: str, role: Role, site: str) -> Any:
    """What an answer says, without what it says about itself."""
    answer = trial.read(path, role=role, sites=(site,))
    return answer.get("items", answer.get("result"))


def mentions(text: str, site: str) -> bool:
    """Whether an answer names a site, a subject number of it or one of its participants."""
    people = [course.an_id(site, child) for child in ("main", "other", "third")]
    return any(sign in text for sign in (f'"{site}"', f",{site},", f"{site}-0", *people))
