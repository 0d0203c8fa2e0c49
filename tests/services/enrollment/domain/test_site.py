"""A site opens once, and numbers its participants one after the other."""

from uuid import UUID

import pytest
from pydantic import ValidationError

from services.enrollment.domain.site import (
    DECIDER,
    AllocateSubjectNumber,
    NoSuchSite,
    OpenSite,
    SiteAlreadyOpen,
    SubjectLabelTaken,
)
from shared.contracts.enrollment import SiteOpened, SubjectNumberAllocated
from tests.specs import Spec

spec = Spec(DECIDER)
OPENED = SiteOpened(site_id="CU", name="Chulalongkorn", country="TH", time_zone="Asia/Bangkok")
ONE, TWO = UUID(int=1), UUID(int=2)


def opening(**fields: str) -> OpenSite:
    return OpenSite.model_validate(OPENED.model_dump() | fields)


def numbered(who: UUID, sequence: int, label: str | None = None) -> SubjectNumberAllocated:
    return SubjectNumberAllocated(
        site_id="CU",
        participant_id=who,
        sequence=sequence,
        subject_number=f"CU-{sequence:03}",
        subject_label=label,
    )


def test_a_site_opens() -> None:
    spec.given().when(opening()).then(OPENED)


def test_opening_a_site_again_decides_to_nothing() -> None:
    spec.given(OPENED, numbered(ONE, 1)).when(opening()).then_nothing()


@pytest.mark.parametrize("other", [{"name": "Siriraj"}, {"country": "LA"}, {"time_zone": "UTC"}])
def test_a_code_is_not_given_to_another_site(other: dict[str, str]) -> None:
    spec.given(OPENED).when(opening(**other)).then_rejected(SiteAlreadyOpen)


@pytest.mark.parametrize("zone", ["Bangkok", "", "Asia", "../UTC", "Asia/Bangkok\x00", "/etc/passwd"])
def test_a_time_zone_is_one_that_is_known(zone: str) -> None:
    with pytest.raises(ValidationError):
        opening(time_zone=zone)


def test_participants_are_numbered_in_order() -> None:
    first = AllocateSubjectNumber(participant_id=ONE)
    second = AllocateSubjectNumber(participant_id=TWO, subject_label="01-701-1015")
    spec.given(OPENED).when(first).then(numbered(ONE, 1))
    spec.given(OPENED, numbered(ONE, 1)).when(second).then(numbered(TWO, 2, "01-701-1015"))


def test_a_participant_keeps_the_number() -> None:
    spec.given(OPENED, numbered(ONE, 1)).when(AllocateSubjectNumber(participant_id=ONE)).then_nothing()


def test_numbers_go_on_past_three_digits() -> None:
    many = [numbered(UUID(int=sequence), sequence) for sequence in range(1, 1000)]
    thousandth = AllocateSubjectNumber(participant_id=UUID(int=1000))
    spec.given(OPENED, *many).when(thousandth).then(numbered(UUID(int=1000), 1000))


def test_one_label_is_one_person() -> None:
    again = AllocateSubjectNumber(participant_id=TWO, subject_label="01-701-1015")
    spec.given(OPENED, numbered(ONE, 1, "01-701-1015")).when(again).then_rejected(SubjectLabelTaken)


def test_a_site_that_is_not_open_gives_no_number() -> None:
    spec.given().when(AllocateSubjectNumber(participant_id=ONE)).then_rejected(NoSuchSite)


def test_a_number_without_its_site_changes_nothing() -> None:
    spec.given(numbered(ONE, 1)).when(AllocateSubjectNumber(participant_id=TWO)).then_rejected(NoSuchSite)
