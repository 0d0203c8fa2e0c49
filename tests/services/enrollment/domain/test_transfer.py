"""A participant goes to another site: whose they are changes, and nothing else."""

from dataclasses import replace
from typing import Any

import pytest

from services.enrollment.domain.facts import InTheFuture, OutOfOrder
from services.enrollment.domain.site import NoSuchSite
from services.enrollment.domain.transfer import AlreadyThere
from tests.services.enrollment.builders import (
    FACTS,
    INFUSED,
    enrolment,
    infusion,
    living,
    spec,
    told,
    transferral,
)

MOVED = (*INFUSED, transferral())


def test_the_site_changes_and_with_it_the_time_zone() -> None:
    before, after = living(*INFUSED), living(*MOVED)
    assert (after.site_id, after.time_zone) == ("KKU", "Asia/Vientiane")
    assert (after.consent.site_id, after.consent.time_zone) == ("KKU", "Asia/Vientiane")
    assert after.subject_number == before.subject_number == "CU-001"
    assert (after.infusions, after.status, after.consents) == (before.infusions, before.status, before.consents)


def test_life_goes_on_there() -> None:
    assert spec.given(*told(*MOVED)).when(infusion("2027-05-20T09:00:00+07:00"), FACTS).decide()
    spec.given(*told(*MOVED)).when(enrolment(), FACTS).then_nothing()


@pytest.mark.parametrize(
    ("command", "facts", "error"),
    [
        (transferral("CU"), FACTS, AlreadyThere),
        (transferral("XX"), replace(FACTS, receiving=None), NoSuchSite),
        (transferral(on="2026-03-01"), FACTS, OutOfOrder),  # before the screening
        (transferral(on="2027-06-02"), FACTS, InTheFuture),
    ],
)
def test_what_is_refused(command: Any, facts: Any, error: Any) -> None:
    spec.given(*told(*INFUSED)).when(command, facts).then_rejected(error)


def test_the_same_twice_decides_to_nothing_and_another_day_is_refused() -> None:
    moved = spec.given(*told(*MOVED))
    moved.when(transferral(), FACTS).then_nothing()
    moved.when(transferral(on="2027-05-11"), FACTS).then_rejected(AlreadyThere)


def test_and_back_again() -> None:
    back = transferral("CU", "2027-05-20")
    assert living(*MOVED, back).site_id == "CU"
    spec.given(*told(*MOVED)).when(transferral("CU", "2027-05-09"), FACTS).then_rejected(OutOfOrder)
