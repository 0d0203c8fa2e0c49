"""Commands and their fingerprints, actors, errors."""

from dataclasses import dataclass
from datetime import UTC
from decimal import Decimal
from uuid import UUID

import pytest
from pydantic import ValidationError

from shared.kernel.actor import Actor, Role
from shared.kernel.clock import system_clock
from shared.kernel.decider import Command, Decider, changed
from shared.kernel.errors import AlreadyExists, Conflict, StaleVersion, TrialError, kebab


class Weigh(Command):
    id: UUID
    grams: Decimal
    tags: frozenset[str] = frozenset()


class WeighAgain(Weigh):
    reason: str


class Measure(Command):
    id: UUID
    grams: Decimal
    tags: frozenset[str] = frozenset()


ID = UUID(int=1)


def test_a_command_states_its_reason_if_its_kind_asks_for_one() -> None:
    assert WeighAgain(id=ID, grams=Decimal(1), reason="Scales were wrong").stated_reason == "Scales were wrong"
    assert Weigh(id=ID, grams=Decimal(1)).stated_reason is None


def test_the_same_content_has_the_same_fingerprint_whatever_the_order_of_a_set() -> None:
    one = Weigh(id=ID, grams=Decimal("1.0"), tags=frozenset("abcdefgh"))
    other = Weigh.model_validate_json(f'{{"tags": {list("hgfedcba")}, "grams": "1.0", "id": "{ID}"}}'.replace("'", '"'))
    assert one.fingerprint() == other.fingerprint()


@pytest.mark.parametrize(
    "other",
    [
        Weigh(id=ID, grams=Decimal("1.1")),
        Weigh(id=UUID(int=2), grams=Decimal("1.0")),
        Weigh(id=ID, grams=Decimal("1.0"), tags=frozenset("a")),
        Measure(id=ID, grams=Decimal("1.0")),
    ],
)
def test_another_content_or_another_command_has_another_fingerprint(other: Command) -> None:
    assert Weigh(id=ID, grams=Decimal("1.0")).fingerprint() != other.fingerprint()


def test_a_command_refuses_fields_it_does_not_know() -> None:
    with pytest.raises(ValidationError, match="extra_forbidden"):
        Weigh.model_validate({"id": str(ID), "grams": "1", "gramms": "2"})


def test_a_decider_names_its_streams_and_folds_them() -> None:
    decider: Decider = Decider("scale", 0, lambda state, event: state + event, lambda command, state, facts: [])
    assert decider.stream(ID) == f"scale:{ID}"
    assert decider.fold([1, 2, 3]) == 6


def test_the_code_of_an_error_follows_its_name_unless_it_says_otherwise() -> None:
    class GradeNotDefined(Conflict):
        pass

    class Renamed(Conflict):
        code = "kept-for-ever"

    assert (GradeNotDefined.code, Renamed.code, AlreadyExists.code) == (
        "grade-not-defined",
        "kept-for-ever",
        "already-exists",
    )
    assert kebab("NotFound") == "not-found"
    assert issubclass(AlreadyExists, TrialError)


def test_a_stale_version_knows_the_present_one() -> None:
    assert StaleVersion("gone past", current=4).current == 4


@pytest.mark.parametrize(
    ("sites", "seen"), [(None, True), (frozenset({"CU"}), True), (frozenset({"RA"}), False), (frozenset(), False)]
)
def test_an_actor_sees_their_own_sites(sites: frozenset[str] | None, seen: bool) -> None:
    assert Actor("a", frozenset(Role), sites, Role.MONITOR).may_see("CU") is seen


def test_the_clock_is_aware_and_in_utc() -> None:
    assert system_clock().tzinfo is UTC


@dataclass(frozen=True)
class Scale:
    grams: int
    owner: str = "nobody"


def test_a_changed_state_is_another_one_with_the_other_facts_kept() -> None:
    before = Scale(5, "CU")
    after = changed(before, grams=6)
    assert (after, type(after)) == (Scale(6, "CU"), Scale)
    assert before == Scale(5, "CU")


def test_a_fact_that_a_state_does_not_have_cannot_change() -> None:
    with pytest.raises(TypeError, match="Scale has no litres, weight"):
        changed(Scale(5), weight=6, litres=7)
