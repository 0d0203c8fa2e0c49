"""The table of best overall response: both rules, both denominators, every group."""

from dataclasses import replace

from services.projector.domain.best_response_table import BestResponses, GroupBest, best_response_table
from services.projector.domain.cohort import Infused
from services.projector.domain.response_course import Assessed
from tests.services.projector.chronicle import PROTOCOL, named
from tests.services.projector.domain.test_response_rate import read
from tests.services.projector.small_trial import at


def child(number: int, level: str = "DL1", tumour: str = "neuroblastoma") -> Infused:
    name = f"CU-00{number}"
    return Infused(named(name), name, "CU", at(1, 5), at(1, 5), None, level, tumour)


ONE, TWO, THREE, FOUR = child(1), child(2), child(3, "DL2"), child(4, "DL2", "osteosarcoma")
TOLD = [
    *(read(ONE, 30, "PR"), read(ONE, 90, "CR")),
    *(read(TWO, 30, "SD"), read(TWO, 90, "PD")),
    *(read(THREE, 30, "PR"), read(THREE, 90, "PD")),
]


def table(*told: Assessed) -> BestResponses:
    return best_response_table(PROTOCOL, [ONE, TWO, THREE, FOUR], told, evaluator="investigator")


def rates(group: GroupBest, *, confirmed: bool) -> list[tuple[str, int, int, int]]:
    """Denominator, n, responders, with disease control."""
    rule = next(each for each in group.rules if each.confirmed is confirmed)
    return [
        (rate.denominator.value, rate.n, rate.responders, control.controlled)
        for rate, control in zip(rule.rates, rule.disease_control, strict=True)
    ]


def test_rates_of_response_and_of_disease_control_out_of_both_denominators() -> None:
    everybody = table(*TOLD).groups[0]
    assert (everybody.infused, everybody.evaluable) == (4, 3)
    assert rates(everybody, confirmed=False) == [("infused", 4, 2, 3), ("response-evaluable", 3, 2, 3)]
    assert rates(everybody, confirmed=True) == [("infused", 4, 1, 3), ("response-evaluable", 3, 1, 3)]
    unconfirmed, confirmed = (rule.counts for rule in everybody.rules)
    assert (unconfirmed.cr, unconfirmed.pr, unconfirmed.sd, unconfirmed.missing) == (1, 1, 1, 1)
    assert (confirmed.cr, confirmed.pr, confirmed.sd, confirmed.missing) == (0, 1, 2, 1)


def test_each_dose_level_and_tumour_type_has_its_own_denominators() -> None:
    found = {(group.grouped_by.value, group.group): group for group in table(*TOLD).groups}
    assert {key: (group.infused, group.evaluable) for key, group in found.items()} == {
        ("all", None): (4, 3),
        ("dose-level", "DL1"): (2, 2),
        ("dose-level", "DL2"): (2, 1),
        ("tumour-type", "neuroblastoma"): (3, 3),
        ("tumour-type", "osteosarcoma"): (1, 0),
    }
    assert rates(found["dose-level", "DL2"], confirmed=False) == [("infused", 2, 1, 1), ("response-evaluable", 1, 1, 1)]
    nobody = found["tumour-type", "osteosarcoma"].rules[0].rates
    assert [(rate.n, rate.percent, rate.interval) for rate in nobody][1] == (0, None, None)


def test_both_intervals_stand_beside_each_rate() -> None:
    rate = table(*TOLD).groups[0].rules[0].rates[0]
    assert rate.interval is not None
    assert rate.wilson_interval is not None
    assert [str(each) for each in (rate.percent, rate.interval.lower, rate.interval.upper)] == ["50.0", "6.8", "93.2"]
    assert [str(each) for each in (rate.wilson_interval.lower, rate.wilson_interval.upper)] == ["15.0", "85.0"]


def test_each_participant_has_the_best_by_both_rules_and_why() -> None:
    first, _, third, fourth = table(*TOLD).participants
    told = [(rule.confirmed, rule.best, rule.day, rule.first_response_day) for rule in first.rules]
    assert told == [(False, "CR", 90, 30), (True, "PR", 30, 30)]
    assert "is confirmed by CR on 2026-04-05" in first.rules[1].explanation
    assert (third.progressed_on_day, third.contradicts_itself, third.dose_level) == (90, False, "DL2")
    assert [(rule.best, rule.on, rule.day) for rule in fourth.rules] == [("MISSING", None, None)] * 2
    assert fourth.evaluable is False


def test_a_contradiction_is_told() -> None:
    found = table(read(ONE, 30, "CR"), read(ONE, 90, "PR")).participants[0]
    assert found.contradicts_itself is True


def test_what_is_read_after_a_new_anticancer_therapy_is_told_and_counts_for_nothing() -> None:
    who = replace(ONE, new_therapy_on="2026-03")  # 1 March is day 55
    found = best_response_table(PROTOCOL, [who], TOLD[:2], evaluator="investigator").participants[0]
    assert (found.new_therapy_on, found.evaluable) == ("2026-03", True)
    assert [(rule.confirmed, rule.best) for rule in found.rules] == [(False, "PR"), (True, "SD")]
    assert {rule.explanation.rpartition(". ")[2] for rule in found.rules} == {
        "What was read after the new anticancer therapy of 2026-03 does not count."
    }
