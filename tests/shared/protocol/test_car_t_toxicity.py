"""How CAR-T toxicities are graded and coded, and which adverse events are of special interest."""

from typing import Any

import pytest

from shared.protocol import Mark, ProtocolUnusable, load_protocol, parse_protocol
from shared.protocol.car_t_toxicity import SpecialInterest
from tests.shared.protocol.documents import changed, protocol_with

CHOICES = load_protocol().car_t_toxicity


def test_the_age_from_which_ice_is_used_is_a_setting_with_its_evidence() -> None:
    assert CHOICES.ice_from_age_years.value == 12
    assert CHOICES.ice_from_age_years.mark is Mark.PUBLISHED
    assert protocol_with(car_t_toxicity__ice_from_age_years__value="13").car_t_toxicity.ice_from_age_years.value == 13


def test_what_the_trial_has_not_settled_is_marked_as_proposed() -> None:
    settings: list[Any] = [
        CHOICES.icans_term,
        CHOICES.iec_hs_term,
        CHOICES.crs_life_threatening_fio2_percent,
        CHOICES.age_counted,
    ]
    assert {setting.mark for setting in settings} == {Mark.PROPOSED}
    assert {kind.mark for kind in CHOICES.special_interest} == {Mark.PROPOSED}


def test_two_kinds_of_one_name_are_refused() -> None:
    with pytest.raises(ProtocolUnusable, match="crs is there already"):
        parse_protocol(changed(car_t_toxicity__special_interest__1__id="crs"))


def test_a_window_that_closes_before_it_opens_is_refused() -> None:
    with pytest.raises(ProtocolUnusable, match="closes before it opens"):
        parse_protocol(changed(car_t_toxicity__special_interest__3__from_day=3))


def kind(kind_id: str) -> SpecialInterest:
    return next(each for each in CHOICES.special_interest if each.id == kind_id)


CYTOPENIA = ("Investigations", "10029366", None)


@pytest.mark.parametrize(
    ("kind_id", "term", "serious", "spells", "holds"),
    [
        ("crs", ("Immune system disorders", "10052015", None), False, [(1, 1, None)], True),
        ("crs", ("Immune system disorders", "10052015", None), False, [(1, -9, -1)], False),  # before the infusion
        ("crs", ("Immune system disorders", "10052015", None), False, [(1, None, None)], False),
        ("crs", ("Immune system disorders", "10021428", "Cytokine storm"), False, [(1, 1, None)], False),
        ("icans", ("Nervous system disorders", "10029205", "icans, with aphasia"), False, [(1, 1, None)], True),
        ("icans", ("Nervous system disorders", "10029205", "Neuralgia"), False, [(1, 1, None)], False),
        ("icans", ("Nervous system disorders", "10029205", None), False, [(1, 1, None)], False),
        ("infusion-reaction", ("Injury", "10051792", None), False, [(2, 2, 2)], True),
        ("infusion-reaction", ("Injury", "10051792", None), False, [(2, 3, 3)], False),
        ("prolonged-cytopenia", CYTOPENIA, False, [(4, 5, 28)], False),
        ("prolonged-cytopenia", CYTOPENIA, False, [(4, 5, 29)], True),
        ("prolonged-cytopenia", CYTOPENIA, False, [(4, 5, None)], True),
        ("prolonged-cytopenia", CYTOPENIA, False, [(4, 5, 20), (2, 20, 40)], False),
        ("prolonged-cytopenia", CYTOPENIA, False, [(2, 30, 40), (3, 40, 41)], True),
        ("serious-infection", ("Infections and infestations", "10040047", None), True, [(3, 4, 8)], True),
        ("serious-infection", ("Infections and infestations", "10040047", None), False, [(3, 4, 8)], False),
    ],
)
def test_term_grade_time_and_seriousness_make_an_event_one_of_special_interest(
    kind_id: str, term: tuple[str, str, str | None], serious: bool, spells: list[Any], holds: bool
) -> None:
    assert kind(kind_id).holds(*term, serious=serious, spells=spells) is holds


def test_a_kind_without_a_window_holds_at_any_time() -> None:
    anytime = kind("crs").model_copy(update={"from_day": None})
    assert anytime.holds("Immune system disorders", "10052015", None, serious=False, spells=[(1, None, None)])


def test_a_kind_that_is_switched_off_holds_never() -> None:
    off = kind("crs").model_copy(update={"enabled": False})
    assert not off.holds("Immune system disorders", "10052015", None, serious=False, spells=[(1, 1, None)])
