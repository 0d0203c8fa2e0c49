"""Release tests of a lot, held against the limits of the protocol.

A bound counts where it decides: below 0.5 is at most 5, and below 10 may be anything. What cannot be told has passed
null with its reason, and a required test that has not passed holds the lot back.
"""

from collections.abc import Mapping
from decimal import Decimal

from shared.contracts.enrollment_product_terms import Finding, JudgedTest, Qualifier, ReportedTest, WhyVerdict
from shared.protocol import ExpectedFinding, Product, ProductLimit, ReleaseTest

_WORDS = {ProductLimit.AT_LEAST: "at least", ProductLimit.AT_MOST: "at most", ProductLimit.BELOW: "below"}


def judge(result: ReportedTest, product: Product) -> JudgedTest:
    """One result, by the protocol's test of that name."""
    test = next((each for each in product.release_tests if each.id == result.test), None)
    if test is None:
        why = WhyVerdict.NOT_IN_PROTOCOL
        return JudgedTest(test=result.test, passed=None, why=why, asked=None, required=False, mark=None, source=None)
    passed, why = _told(result, test)
    return JudgedTest(
        test=test.id,
        passed=passed,
        why=why,
        asked=asked(test),
        required=test.required,
        mark=test.mark.value,
        source=test.source,
    )


def asked(test: ReleaseTest) -> str:
    """What a test asks, in words."""
    if test.comparison is None:
        return str(test.expected)
    limit = "a limit that nobody knows yet, in" if test.limit is None else format(test.limit, "f")
    return f"{_WORDS[test.comparison]} {limit} {test.unit}"


def not_passed(verdicts: Mapping[str, JudgedTest], product: Product) -> tuple[str, ...]:
    """The required tests that the lot has not passed, or that nobody reported."""
    passed = {test for test, verdict in verdicts.items() if verdict.passed}
    return tuple(test.id for test in product.release_tests if test.required and test.id not in passed)


def _told(result: ReportedTest, test: ReleaseTest) -> tuple[bool | None, WhyVerdict]:
    if test.comparison is None:
        return _found(result.finding, test.expected)
    if result.value is None:
        return None, WhyVerdict.OTHER_KIND
    if result.unit != test.unit:
        return None, WhyVerdict.OTHER_UNIT
    if test.limit is None:
        return None, WhyVerdict.LIMIT_UNSET
    held = _held(result.value, result.qualifier, test.comparison, test.limit)
    return held, WhyVerdict.BOUND_TELLS_NOT if held is None else WhyVerdict.COMPARED


def _found(finding: Finding | None, expected: ExpectedFinding | None) -> tuple[bool | None, WhyVerdict]:
    if finding is None:
        return None, WhyVerdict.OTHER_KIND
    if finding is Finding.INDETERMINATE:
        return None, WhyVerdict.INDETERMINATE
    return finding.value == str(expected), WhyVerdict.COMPARED


def _held(value: Decimal, qualifier: Qualifier | None, comparison: ProductLimit, limit: Decimal) -> bool | None:
    """Whether the value is within the limit; None: the bound does not tell."""
    at_least = comparison is ProductLimit.AT_LEAST
    match qualifier:
        case None:
            within = {
                ProductLimit.AT_LEAST: value >= limit,
                ProductLimit.AT_MOST: value <= limit,
                ProductLimit.BELOW: value < limit,
            }
            return within[comparison]
        case Qualifier.BELOW:
            return (not at_least) if value <= limit else None
        case _:  # above
            return at_least if value >= limit else None
