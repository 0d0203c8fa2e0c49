"""A system that sends results: registered once, its codes mapped as often as need be."""

import pytest

from services.biomarkers.domain.result_source import (
    DECIDER,
    CodeMappedTwice,
    MapResultCodes,
    NoSuchResultSource,
    RegisterResultSource,
    ResultSource,
    ResultSourceAlreadyRegistered,
    Unregistered,
)
from shared.contracts.biomarkers_intake import MappedCode, ResultCodesMapped, ResultSourceRegistered

SOURCE = "LUMILIS@CU"
REGISTER = RegisterResultSource(source_id=SOURCE, site_id="CU", time_zone="Asia/Bangkok", platform="LUMINEX-200")
REGISTERED = ResultSourceRegistered(**REGISTER.model_dump())
IL6 = MappedCode(code="XIL6", measures="IL6")
MAPPED = ResultCodesMapped(source_id=SOURCE, codes=(IL6,))


def test_a_source_is_registered_and_the_same_again_changes_nothing() -> None:
    assert DECIDER.decide(REGISTER, Unregistered(), None) == [REGISTERED]
    state = DECIDER.fold([REGISTERED])
    assert isinstance(state, ResultSource)
    assert (state.id, state.site_id, str(state.zone)) == (SOURCE, "CU", "Asia/Bangkok")
    assert DECIDER.decide(REGISTER, state, None) == []


def test_another_source_under_the_same_id_is_refused() -> None:
    other = REGISTER.model_copy(update={"time_zone": "Europe/Paris"})
    with pytest.raises(ResultSourceAlreadyRegistered):
        DECIDER.decide(other, DECIDER.fold([REGISTERED]), None)


def test_codes_get_a_meaning_and_what_stands_is_said_once() -> None:
    state = DECIDER.fold([REGISTERED])
    assert DECIDER.decide(MapResultCodes(codes=(IL6,)), state, None) == [MAPPED]
    mapped = DECIDER.fold([REGISTERED, MAPPED])
    assert DECIDER.decide(MapResultCodes(codes=(IL6,)), mapped, None) == []
    null = MappedCode(code="XIL6", measures=None)
    [event] = DECIDER.decide(MapResultCodes(codes=(null,)), mapped, None)
    after = DECIDER.evolve(mapped, event)
    assert isinstance(after, ResultSource)
    assert after.codes == {"XIL6": None}


def test_one_code_with_two_meanings_is_refused() -> None:
    twice = MapResultCodes(codes=(IL6, MappedCode(code="XIL6", measures="IL10")))
    with pytest.raises(CodeMappedTwice):
        DECIDER.decide(twice, DECIDER.fold([REGISTERED]), None)


def test_nothing_is_mapped_where_nothing_is_registered() -> None:
    with pytest.raises(NoSuchResultSource):
        DECIDER.decide(MapResultCodes(codes=(IL6,)), Unregistered(), None)
    assert DECIDER.fold([MAPPED]) == Unregistered()
