"""What the protocol says of the product: its release tests, the cold it travels in, and its dose."""

from decimal import Decimal
from typing import Any

import pytest

from shared.protocol import Mark, ProtocolUnusable, load_protocol, parse_protocol
from tests.shared.protocol.documents import changed

PRODUCT = load_protocol().product


def test_the_limits_of_cmd03_are_those_of_comparable_products() -> None:
    assert PRODUCT is not None
    limits = {test.id: (test.comparison, test.limit, test.expected) for test in PRODUCT.release_tests}
    assert limits == {
        "viability": (">=", Decimal(70), None),
        "car-positive": (">=", Decimal(10), None),
        "vector-copy-number": ("<", Decimal(5), None),
        "sterility": (None, None, "negative"),
        "mycoplasma": (None, None, "negative"),
        "endotoxin": ("<=", Decimal(5), None),
        "identity": (None, None, "positive"),
        "replication-competent-virus": (None, None, "negative"),
    }
    assert all(test.mark not in {Mark.SEED, Mark.REGISTRY} for test in PRODUCT.release_tests)


def test_the_protocol_says_nothing_of_a_second_infusion() -> None:
    assert PRODUCT is not None
    assert PRODUCT.second_infusion_allowed.value is None
    assert PRODUCT.second_infusion_minimum_days.value is None


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"product__release_tests__0__expected": "negative"}, "either a comparison, a limit"),
        ({"product__release_tests__3__expected": None}, "either a comparison, a limit"),
        ({"product__release_tests__0__unit": None}, "either a comparison, a limit"),
        ({"product__release_tests__3__limit": "1"}, "either a comparison, a limit"),
        ({"product__release_tests__1__id": "viability"}, "viability is there already"),
        (
            {"product__transport__value__0": {"transport": "ambient", "lowest_c": "25", "highest_c": "15"}},
            "lowest_c lies above highest_c",
        ),
        ({"product__transport__value__1__transport": "ambient"}, "ambient is there already"),
        ({"product__exception_approvals__value": 1}, "greater than or equal to 2"),
    ],
)
def test_what_contradicts_itself_is_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(ProtocolUnusable, match=says):
        parse_protocol(changed(**changes))


def test_a_limit_that_nobody_knows_is_null_and_a_trial_may_have_no_product() -> None:
    unset = parse_protocol(changed(product__release_tests__1__limit=None)).product
    assert unset is not None
    assert unset.release_tests[1].limit is None
    assert parse_protocol(changed(product=None)).product is None
