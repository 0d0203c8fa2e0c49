"""Cells of a CSV: exact, and never a formula."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from services.projector.exports.csv_text import Sheet, as_csv, cell
from shared.kernel.actor import Role


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, ""),
        (True, "true"),
        (False, "false"),
        (3, 3),
        (-3, -3),
        (Decimal("12.50"), "12.50"),
        (Decimal(-1), "-1"),
        (Decimal("1E+3"), "1000"),
        (date(2026, 3, 14), "2026-03-14"),
        (datetime(2026, 3, 14, 9, 30, tzinfo=UTC), "2026-03-14T09:30:00+00:00"),
        (Role.SPONSOR, "sponsor"),
        (("a", 2, None), "a; 2; "),
        ("<LLOQ", "<LLOQ"),
        ("2026-03", "2026-03"),
        ("=1+1", "'=1+1"),
        ("+66 2", "'+66 2"),
        ("-cmd", "'-cmd"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("  =1+1", "'  =1+1"),
        ("\t=1+1", "'\t=1+1"),
        ("\rx", "'\rx"),
        (["=1+1"], "'=1+1"),
        ("-1", "-1"),
        ("-1+1", "'-1+1"),
    ],
)
def test_a_cell_is_exact_and_never_a_formula(value: object, expected: object) -> None:
    assert cell(value) == expected


def test_a_sheet_has_a_header_even_if_it_has_no_rows() -> None:
    assert as_csv(Sheet("empty", ("a", "b"), [])) == "a,b\r\n"


def test_commas_quotes_and_line_breaks_stay_inside_their_cell() -> None:
    assert as_csv(Sheet("x", ("a", "b"), [('say "x", y', "1\n2")])) == 'a,b\r\n"say ""x"", y","1\n2"\r\n'
