"""The groups for which answers are given: all, by dose level, by tumour type."""

from services.projector.domain.cohort import Infused
from services.projector.domain.groups import GroupedBy, groups
from tests.services.projector.chronicle import PROTOCOL, named
from tests.services.projector.small_trial import at


def child(name: str, level: str | None, tumour: str | None) -> Infused:
    return Infused(named(name), name, "CU", at(1, 5), at(1, 5), None, level, tumour)


def test_all_then_dose_levels_from_the_lowest_then_tumour_types_by_name() -> None:
    cohort = [
        child("CU-001", "DL2", "neuroblastoma"),
        child("CU-002", "DL1", None),
        child("CU-003", None, "ewing-sarcoma"),
        child("CU-004", "DL2", "ewing-sarcoma"),
    ]
    found = [(group.by, group.name, len(group.members)) for group in groups(PROTOCOL, cohort)]
    assert found == [
        (GroupedBy.ALL, None, 4),
        (GroupedBy.DOSE_LEVEL, "DL1", 1),
        (GroupedBy.DOSE_LEVEL, "DL2", 2),
        (GroupedBy.DOSE_LEVEL, None, 1),
        (GroupedBy.TUMOUR_TYPE, "ewing-sarcoma", 2),
        (GroupedBy.TUMOUR_TYPE, "neuroblastoma", 1),
        (GroupedBy.TUMOUR_TYPE, None, 1),
    ]


def test_of_nobody_there_is_the_group_of_all_alone() -> None:
    assert [(group.by, group.members) for group in groups(PROTOCOL, [])] == [(GroupedBy.ALL, frozenset())]
