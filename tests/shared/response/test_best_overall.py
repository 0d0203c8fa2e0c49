"""Best overall response, case by case, and what holds of every course."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.contracts.efficacy_terms import Response
from shared.response.best_overall import BestResponse, BestResponseRule, best_overall_response
from shared.response.confirmation import ConfirmationRule
from shared.response.readings import (
    NOT_DONE,
    Given,
    Reading,
    is_disease_control,
    is_evaluable,
    is_response,
    merit,
    progression,
)

DAY_ZERO = date(2026, 1, 1)
EVERY: tuple[Given, ...] = (*Response, NOT_DONE)


def given_as(told: str) -> Given:
    return NOT_DONE if told == NOT_DONE else Response(told)


def rule(
    *, confirmed: bool, days: int = 28, max_ne: int = 1, accept_sd: bool = False, ends: bool = True, as_ne: bool = False
) -> BestResponseRule:
    confirmation = ConfirmationRule(days, max_ne, accept_sd) if confirmed else None
    return BestResponseRule(confirmation, sd_min_days=28, missing_as_ne=as_ne, first_pd_ends=ends)


def course(told: str) -> list[Reading]:
    """`30 PR, 58 CR`: by day after the reference date; or by a date as far as it is known."""
    pairs = [each.split() for each in told.split(",") if each.strip()]
    return [Reading(on(day), given_as(response)) for day, response in pairs]


def on(day: str) -> str:
    return day if len(day) > 3 else (DAY_ZERO + timedelta(days=int(day))).isoformat()


def best(told: str, asked: BestResponseRule) -> BestResponse:
    return best_overall_response(course(told), DAY_ZERO, asked)


# The data and the answers of admiralonco's own tests (pharmaverse, MIT): test-derive_param_bor.R, test 1, and
# test-derive_param_confirmed_bor.R, tests 1 and 2. By participant: reference date, course; then each best and its date.
ADMIRALONCO = {
    "1": ("2020-01-01", "2020-01-01 PR, 2020-02-01 CR, 2020-02-16 NE, 2020-03-01 CR, 2020-04-01 SD"),
    "2": ("2019-12-12", "2020-01-01 SD, 2020-02-01 PR, 2020-03-01 SD, 2020-03-13 CR"),
    "3": ("2019-11-11", "2019-11-12 CR, 2019-12-02 CR, 2020-01-01 SD"),
    "4": ("2019-12-30", "2020-01-01 PR, 2020-03-01 SD, 2020-04-01 SD, 2020-05-01 PR, 2020-05-15 NON-CR/NON-PD"),
    "5": ("2020-01-01", "2020-01-01 PR, 2020-01-10 SD, 2020-01-20 PR, 2020-05-15 NON-CR/NON-PD"),
    "6": ("2020-02-02", "2020-02-06 PR, 2020-02-16 CR, 2020-03-30 PR"),
    "7": ("2020-02-02", "2020-02-06 PR, 2020-02-16 CR, 2020-04-01 NE"),
    "7, not done": ("2020-02-02", "2020-04-02 ND"),
    "7, before the reference date": ("2020-02-02", "2020-01-01 SD, 2020-01-02 SD, 2020-01-03 SD"),
    "8": ("2020-04-01", ""),
    "9": ("2020-02-01", "2020-02-16 PD, 2020-03-06 SD"),
}
DEFAULT = rule(confirmed=True)
OTHER = rule(confirmed=True, days=14, max_ne=0, accept_sd=True, as_ne=True)
UNCONFIRMED = rule(confirmed=False, ends=False)


@pytest.mark.parametrize(
    ("who", "asked", "answer", "dated"),
    [
        ("1", DEFAULT, "CR", "2020-02-01"),
        ("2", DEFAULT, "SD", "2020-02-01"),
        ("3", DEFAULT, "SD", "2020-01-01"),
        ("4", DEFAULT, "SD", "2020-03-01"),
        ("5", DEFAULT, "NON-CR/NON-PD", "2020-05-15"),
        ("6", DEFAULT, "SD", "2020-03-30"),
        ("7", DEFAULT, "NE", "2020-02-06"),
        ("8", DEFAULT, "MISSING", None),
        ("9", DEFAULT, "PD", "2020-02-16"),
        ("1", OTHER, "PR", "2020-01-01"),
        ("2", OTHER, "PR", "2020-02-01"),
        ("3", OTHER, "CR", "2019-11-12"),
        ("4", OTHER, "SD", "2020-03-01"),
        ("5", OTHER, "PR", "2020-01-01"),
        ("6", OTHER, "SD", "2020-03-30"),
        ("7, not done", OTHER, "ND", "2020-04-02"),
        ("8", OTHER, "NE", None),
        ("9", OTHER, "PD", "2020-02-16"),
        ("1", UNCONFIRMED, "CR", "2020-02-01"),
        ("2", UNCONFIRMED, "CR", "2020-03-13"),
        ("3", UNCONFIRMED, "CR", "2019-11-12"),
        ("4", UNCONFIRMED, "PR", "2020-01-01"),
        ("5", UNCONFIRMED, "PR", "2020-01-01"),
        ("6", UNCONFIRMED, "CR", "2020-02-16"),
        ("7", UNCONFIRMED, "CR", "2020-02-16"),
        ("7, before the reference date", UNCONFIRMED, "NE", "2020-01-01"),
        ("8", UNCONFIRMED, "MISSING", None),
    ],
)
def test_the_answers_are_those_of_admiralonco(
    who: str, asked: BestResponseRule, answer: str, dated: str | None
) -> None:
    reference, told = ADMIRALONCO[who]
    found = best_overall_response(course(told), date.fromisoformat(reference), asked)
    assert (found.best, found.on) == (answer, dated), found.explanation


@pytest.mark.parametrize(
    ("told", "unconfirmed", "confirmed"),
    [
        ("", "MISSING", "MISSING"),
        ("30 NE", "NE", "NE"),
        ("30 ND", "ND", "ND"),
        ("30 ND, 60 NE", "NE", "NE"),
        ("28 SD", "SD", "SD"),
        ("27 SD", "NE", "NE"),  # stable disease must have lasted
        ("28 NON-CR/NON-PD", "NON-CR/NON-PD", "NON-CR/NON-PD"),
        ("27 NON-CR/NON-PD", "NE", "NE"),
        ("14 SD, 30 PD", "PD", "PD"),
        ("14 SD, 30 NE", "NE", "NE"),
        ("30 SD, 60 PD", "SD", "SD"),
        ("30 PD, 60 CR", "PD", "PD"),  # nothing after progression counts
        ("60 CR, 30 PD", "PD", "PD"),  # whatever the order in which it was told
        ("30 PR, 57 PR", "PR", "SD"),  # a day too early to confirm
        ("30 PR, 58 PR", "PR", "PR"),
        ("30 CR, 57 CR", "CR", "SD"),
        ("30 CR, 58 CR", "CR", "CR"),
        ("30 PR", "PR", "SD"),
        ("27 PR", "PR", "NE"),  # unconfirmed, and too early even for stable disease
        ("20 PR, 40 PD", "PR", "PD"),
        ("30 PR, 90 CR", "CR", "PR"),  # a complete response confirms a partial one
        ("30 CR, 90 PR", "CR", "SD"),  # a contradiction: neither confirms the other
        ("30 PR, 60 NE, 90 PR", "PR", "PR"),  # one that could not be read may lie between
        ("30 PR, 50 NE, 60 NE, 90 PR", "PR", "SD"),  # two may not
        ("30 PR, 60 ND, 90 PR", "PR", "SD"),  # nor one that was not done
        ("30 PR, 60 SD, 90 PR", "PR", "SD"),
        ("30 CR, 40 CR, 60 CR", "CR", "CR"),
        ("30 CR, 60 SD, 90 CR, 120 CR", "CR", "CR"),
        ("30 PR, 40 CR, 70 PR, 100 PR", "CR", "PR"),  # PR after CR; from day 70 on it is confirmed by itself
        ("30 PR, 40 CR, 50 CR, 70 CR", "CR", "CR"),
        ("30 PR, 60 PD", "PR", "SD"),
        ("30 MR, 60 SD", "MR", "SD"),  # a minor response lies between PR and SD
        ("30 MR, 58 MR", "MR", "MR"),
        ("30 MR, 58 PR", "PR", "MR"),
        ("30 PR, 58 MR", "PR", "SD"),
        ("30 iPR, 60 iPR, 90 iUPD", "iPR", "iPR"),
        ("30 iCR, 60 iSD", "iCR", "iSD"),  # unconfirmed, it is stable disease of iRECIST
        ("30 iUPD, 60 iPR, 90 iPR", "iPR", "iPR"),  # progression that was none
        ("30 iUPD, 60 iCPD, 90 iCR", "iCPD", "iCPD"),
        ("30 iUPD, 60 NE", "iUPD", "iUPD"),
        ("30 iPR, 45 iUPD, 90 iPR", "iPR", "iSD"),
        ("30 NON-iCR/NON-iUPD, 60 iUPD", "NON-iCR/NON-iUPD", "NON-iCR/NON-iUPD"),
    ],
)
def test_the_best_response_with_and_without_confirmation(told: str, unconfirmed: str, confirmed: str) -> None:
    assert best(told, rule(confirmed=False)).best == unconfirmed
    assert best(told, rule(confirmed=True)).best == confirmed


@pytest.mark.parametrize(
    ("told", "answer"),
    [
        ("30 PR, 60 SD, 90 PR", "PR"),
        ("30 PR, 60 SD, 70 SD, 90 PR", "SD"),
        ("30 PR, 60 MR, 90 PR", "PR"),  # as an SD would
        ("30 CR, 60 SD, 90 CR", "SD"),  # between two complete responses nothing is accepted
        ("30 PR, 60 NON-CR/NON-PD, 90 PR", "SD"),
    ],
)
def test_one_stable_reading_between_two_partial_ones_may_be_accepted(told: str, answer: str) -> None:
    assert best(told, rule(confirmed=True, accept_sd=True)).best == answer


def test_responses_after_progression_count_where_the_first_does_not_end_them() -> None:
    found = best("30 PD, 60 CR", rule(confirmed=False, ends=False))
    assert (found.best, found.on) == ("CR", on("60"))


@pytest.mark.parametrize(
    ("told", "answer"),
    [
        ("30 PR, 30 PD", "PD"),
        ("30 CR, 30 PR", "PR"),
        ("30 iUPD, 30 iCPD", "iCPD"),
        ("30 NE, 30 PR", "PR"),  # what could not be read says nothing against what could
        ("30 ND, 30 NE", "NE"),
    ],
)
def test_of_one_date_the_worst_that_could_be_evaluated_counts(told: str, answer: str) -> None:
    found = best(told, rule(confirmed=False))
    assert found.best == answer
    assert "one date" in found.explanation


@pytest.mark.parametrize(
    ("told", "answer"),
    [
        ("2026-01 SD, 2026-02-10 SD", "SD"),
        ("2026-01 SD", "NE"),  # it may have been before day 28
        ("2026-02 SD", "SD"),  # any day of February is after it
        ("2026-02 PR, 2026-03-28 PR", "PR"),  # 28 days after the last of February
        ("2026-02 PR, 2026-03-27 PR", "SD"),
        ("2026-02-20 PR, 2026-03 PR", "SD"),  # it may have been the first of March
        ("2026 PD, 2026-05-01 CR", "PD"),  # in the order of the first day that a date can mean
    ],
)
def test_a_minimum_time_has_passed_only_where_it_has_whatever_day_was_meant(told: str, answer: str) -> None:
    assert best(told, rule(confirmed=True)).best == answer


@pytest.mark.parametrize(
    ("told", "contradictory"),
    [
        ("30 CR, 60 PR", True),
        ("30 CR, 60 NE, 90 PR", True),
        ("30 CR, 60 CR, 90 PR", True),
        ("30 iCR, 60 iPR", True),
        ("30 CR, 60 PD, 90 PR", False),
        ("30 PR, 60 CR", False),
        ("", False),
    ],
)
def test_a_partial_response_after_a_complete_one_is_a_contradiction(told: str, *, contradictory: bool) -> None:
    found = best(told, rule(confirmed=True))
    assert found.contradicts_itself is contradictory
    assert ("contradiction" in found.explanation) is contradictory


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ("30 CR, 60 CR", "CR on 2026-01-31 is confirmed by CR on 2026-03-02."),
        ("30 PR, 60 SD, 90 PR", "PR on 2026-01-31 is not confirmed: SD on 2026-03-02 came between."),
        ("30 PR, 50 NE, 60 NE", "more than 1 NE followed"),
        ("30 PR, 57 PR", "none followed that confirms it 28 days later or more"),
        ("20 PR, 60 CR, 70 PR, 80 PD", "PR on 2026-01-21 is confirmed by CR on 2026-03-02."),
        ("20 PR, 30 CR, 60 PR", "PR on 2026-03-02 came after CR on 2026-01-31"),
        ("9 SD", "SD on 2026-01-10 is 9 days after 2026-01-01, and 28 are asked: not evaluable."),
        ("30 SD, 60 PD, 90 CR", "What was read after PD on 2026-03-02 does not count."),
        ("2025-12-01 PR", "dated before 2026-01-01"),
        ("2026-02 SD", "not known to the day"),
        ("", "No response was given."),
    ],
)
def test_the_explanation_says_how_the_best_came_about(told: str, words: str) -> None:
    assert words in best(told, rule(confirmed=True)).explanation


@pytest.mark.parametrize(
    ("told", "confirmed", "first"),
    [
        ("30 SD, 60 PR, 90 CR, 120 CR", False, "60"),
        ("30 SD, 60 PR, 90 CR, 120 CR", True, "60"),
        ("30 PR, 45 SD, 90 PR, 120 PR", True, "90"),
        ("30 PR", True, None),
        ("30 MR, 60 MR", False, None),  # a minor response is no objective one
    ],
)
def test_the_first_response_is_the_first_that_counts_as_one(told: str, *, confirmed: bool, first: str | None) -> None:
    assert best(told, rule(confirmed=confirmed)).first_response_on == (None if first is None else on(first))


@pytest.mark.parametrize(
    ("told", "dated"),
    [
        ("30 SD, 60 PD, 90 PD", "60"),
        ("30 iSD, 60 iUPD, 75 NE, 90 iUPD, 120 iCPD", "60"),
        ("30 iUPD, 60 iPR, 90 iUPD, 120 iCPD", "90"),  # the first one was none
        ("30 iUPD, 60 NE", "30"),  # nobody could confirm it
        ("30 iUPD, 60 iSD", None),
        ("30 SD, 60 NE", None),
        ("30 iUPD, 60 PD", "60"),
        ("", None),
    ],
)
def test_progression_is_dated_where_it_began(told: str, dated: str | None) -> None:
    found = progression(sorted(course(told), key=lambda reading: reading.on))
    assert (found and found.on) == (None if dated is None else on(dated))


def test_confirmed_progression_of_irecist_is_the_best_of_the_day_it_began() -> None:
    found = best("30 iUPD, 60 iUPD, 90 iCPD", rule(confirmed=True))
    assert (found.best, found.on) == ("iCPD", on("30"))


@pytest.mark.parametrize(
    ("response", "objective", "control", "evaluable"),
    [
        ("CR", True, True, True),
        ("iPR", True, True, True),
        ("MR", False, True, True),
        ("iSD", False, True, True),
        ("NON-CR/NON-PD", False, True, True),
        ("PD", False, False, True),
        ("iUPD", False, False, True),
        ("NE", False, False, False),
        ("ND", False, False, False),
    ],
)
def test_what_a_response_amounts_to(response: str, *, objective: bool, control: bool, evaluable: bool) -> None:
    told = given_as(response)
    assert (is_response(told), is_disease_control(told), is_evaluable(told)) == (objective, control, evaluable)


dates = st.one_of(
    st.integers(-10, 400).map(lambda day: (DAY_ZERO + timedelta(days=day)).isoformat()),
    st.sampled_from(["2026", "2026-01", "2026-02", "2026-06"]),
)
readings = st.lists(st.builds(Reading, dates, st.sampled_from(EVERY)), max_size=8)
rules = st.builds(
    rule,
    confirmed=st.booleans(),
    days=st.integers(0, 60),
    max_ne=st.integers(0, 3),
    accept_sd=st.booleans(),
    ends=st.booleans(),
    as_ne=st.booleans(),
)


@settings(max_examples=100, deadline=None)
@given(readings.flatmap(lambda told: st.tuples(st.just(told), st.permutations(told))), rules)
def test_the_order_in_which_responses_are_told_never_matters(
    told: tuple[list[Reading], list[Reading]], asked: BestResponseRule
) -> None:
    as_told, shuffled = told
    assert best_overall_response(as_told, DAY_ZERO, asked) == best_overall_response(shuffled, DAY_ZERO, asked)


@settings(max_examples=100, deadline=None)
@given(readings, rules)
def test_a_later_reading_that_could_not_be_evaluated_never_makes_the_best_worse(
    told: list[Reading], asked: BestResponseRule
) -> None:
    before = best_overall_response(told, DAY_ZERO, asked)
    after = best_overall_response([*told, Reading("2029-01-01", Response.NE)], DAY_ZERO, asked)
    assert merit(after.best) <= merit(before.best)


@settings(max_examples=100, deadline=None)
@given(readings, st.integers(0, 60), st.integers(0, 3))
def test_confirmation_never_makes_a_response_better(told: list[Reading], days: int, max_ne: int) -> None:
    free, asked = rule(confirmed=False), rule(confirmed=True, days=days, max_ne=max_ne)
    best, confirmed = (best_overall_response(told, DAY_ZERO, each).best for each in (free, asked))
    assert merit(best) <= merit(confirmed)


@settings(max_examples=100, deadline=None)
@given(readings, readings, rules)
def test_nothing_after_the_first_progression_matters_where_it_ends(
    before: list[Reading], after: list[Reading], asked: BestResponseRule
) -> None:
    progressed = [*before, Reading("2028-01-01", Response.PD)]
    later = [Reading(f"2029{reading.on[4:]}", reading.response) for reading in after]
    if asked.first_pd_ends:
        best, same = (best_overall_response(told, DAY_ZERO, asked) for told in (progressed, [*progressed, *later]))
        assert (best.best, best.on, best.first_response_on) == (same.best, same.on, same.first_response_on)


@settings(max_examples=100, deadline=None)
@given(readings, rules)
def test_a_longer_time_to_confirm_or_to_be_stable_never_makes_the_best_better(
    told: list[Reading], asked: BestResponseRule
) -> None:
    stricter = BestResponseRule(
        asked.confirmation and ConfirmationRule(asked.confirmation.days + 7, 0, accept_sd=False),
        asked.sd_min_days + 7,
        asked.missing_as_ne,
        asked.first_pd_ends,
    )
    found, under_stricter = (best_overall_response(told, DAY_ZERO, each).best for each in (asked, stricter))
    assert merit(found) <= merit(under_stricter)
