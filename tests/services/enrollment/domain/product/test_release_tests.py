"""Release tests at, just inside and just past each limit, as bounds, in other units, and unset."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.enrollment.domain.product.release_tests import asked, judge, not_passed
from services.enrollment.domain.product.temperatures import judged
from shared.contracts.enrollment_product_terms import ReportedTest, Transport
from tests.services.enrollment import product_steps
from tests.services.enrollment.domain.product.usual import PROTOCOL, with_product

PRODUCT = PROTOCOL.product
assert PRODUCT is not None


def verdict(test: str, **given: Any) -> Any:
    assert PRODUCT is not None
    return judge(ReportedTest.model_validate(product_steps.result(test, **given)), PRODUCT)


@pytest.mark.parametrize(
    ("test", "value", "qualifier", "passed"),
    [
        ("viability", "70", None, True),
        ("viability", "69.9", None, False),
        ("viability", "70", ">", True),
        ("viability", "60", ">", None),
        ("viability", "70", "<", False),
        ("viability", "80", "<", None),
        ("endotoxin", "5", None, True),
        ("endotoxin", "5.01", None, False),
        ("endotoxin", "5", "<", True),
        ("endotoxin", "10", "<", None),
        ("endotoxin", "5", ">", False),
        ("endotoxin", "1", ">", None),
        ("vector-copy-number", "4.99", None, True),
        ("vector-copy-number", "5", None, False),
        ("vector-copy-number", "5", "<", True),
        ("vector-copy-number", "5", ">", False),
    ],
)
def test_a_value_is_held_against_its_limit(test: str, value: str, qualifier: str | None, passed: bool | None) -> None:
    told = verdict(test, value=value, qualifier=qualifier)
    assert (told.passed, told.why) == (passed, "bound-tells-not" if passed is None else "compared")


@pytest.mark.parametrize(
    ("test", "given", "passed", "why"),
    [
        ("sterility", {"finding": "negative"}, True, "compared"),
        ("sterility", {"finding": "positive"}, False, "compared"),
        ("sterility", {"finding": "indeterminate"}, None, "indeterminate"),
        ("identity", {"finding": "positive"}, True, "compared"),
        ("identity", {"finding": "negative"}, False, "compared"),
        ("sterility", {"finding": None, "value": "0", "unit": "/uL"}, None, "other-kind"),
        ("viability", {"finding": "positive", "value": None, "unit": None}, None, "other-kind"),
        ("endotoxin", {"unit": "[EU]/mL"}, None, "other-unit"),
        ("potency", {"finding": "positive"}, None, "not-in-protocol"),
    ],
)
def test_what_is_no_number_in_the_protocols_unit(test: str, given: Any, passed: bool | None, why: str) -> None:
    told = verdict(test, **given)
    assert (told.passed, told.why) == (passed, why)


def test_a_limit_that_nobody_knows_is_passed_by_nothing() -> None:
    assert PRODUCT is not None
    unset = PRODUCT.release_tests[0].model_copy(update={"limit": None})
    product = with_product(release_tests=(unset,)).product
    assert product is not None
    told = judge(ReportedTest.model_validate(product_steps.result("viability")), product)
    assert (told.passed, told.why) == (None, "limit-unset")
    assert told.asked == "at least a limit that nobody knows yet, in %"
    assert not_passed({"viability": told}, product) == ("viability",)


def test_a_verdict_says_what_was_asked_and_who_says_so() -> None:
    assert PRODUCT is not None
    assert [asked(test) for test in PRODUCT.release_tests][:4] == [
        *("at least 70 %", "at least 10 %", "below 5 {copies}/{cell}", "negative"),
    ]
    told = verdict("viability")
    assert (told.mark, told.required, "ARI-0001" in (told.source or "")) == ("A", True, True)


@given(value=st.decimals("0", "100", places=2), qualifier=st.sampled_from(["<", ">"]))
def test_a_bound_never_says_what_its_value_would_not(value: Decimal, qualifier: str) -> None:
    """Whatever the true value is beyond the bound, the verdict that is told is its verdict."""
    told = verdict("viability", value=value, qualifier=qualifier)
    beyond = value - Decimal("0.01") if qualifier == "<" else value + Decimal("0.01")
    if told.passed is not None and beyond >= 0:
        assert verdict("viability", value=beyond, qualifier=None).passed is told.passed


@pytest.mark.parametrize(
    "given",
    [
        {"value": None, "unit": None},
        {"finding": "positive"},
        {"unit": None},
        {"value": None, "unit": None, "finding": "negative", "qualifier": "<"},
        {"value": None, "finding": "negative"},
    ],
)
def test_a_result_is_a_value_with_its_unit_or_a_finding(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="value"):
        ReportedTest.model_validate(product_steps.result("viability", **given))


@pytest.mark.parametrize(
    ("transport", "lowest", "highest", "within", "why"),
    [
        ("refrigerated", "2", "8", True, "compared"),
        ("refrigerated", "1.9", "8", False, "compared"),
        ("refrigerated", "2", "8.1", False, "compared"),
        ("refrigerated", None, "8.1", False, "compared"),
        ("refrigerated", None, "8", None, "not-logged"),
        ("refrigerated", "2", None, None, "not-logged"),
        ("liquid-nitrogen", None, "-120", True, "compared"),
        ("liquid-nitrogen", "-190", "-119.9", False, "compared"),
        ("liquid-nitrogen", "-190", None, None, "not-logged"),
        ("dry-ice", "-80", "-70", None, "limit-unset"),
        (None, "3", "4", None, "limit-unset"),
    ],
)
def test_temperatures_on_the_way(
    transport: str | None, lowest: str | None, highest: str | None, within: bool | None, why: str
) -> None:
    assert PRODUCT is not None
    read = [None if each is None else Decimal(each) for each in (lowest, highest)]
    told = judged(None if transport is None else Transport(transport), read[0], read[1], PRODUCT)
    assert (told.within, told.why) == (within, why)
