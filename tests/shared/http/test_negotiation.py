"""Which of two media types `Accept` asks for."""

import pytest

from shared.http.negotiation import CSV, JSON, chosen


@pytest.mark.parametrize(
    ("accept", "answer"),
    [
        (None, JSON),
        ("", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        ("text/*", CSV),
        ("text/csv", CSV),
        ("TEXT/CSV; charset=utf-8", CSV),
        ("text/csv, application/json", JSON),
        ("text/csv, application/json;q=0.9", CSV),
        ("text/csv;q=0.2, */*;q=0.1", CSV),
        ("*/*, application/json;q=0", CSV),
        ("text/html, */*;q=0.1", JSON),
        ("text/html", None),
        ("text/csv;q=0", None),
        ("nonsense", None),
        (";;,", None),
    ],
)
def test_the_media_type_is_the_one_that_accept_likes_best(accept: str | None, answer: str | None) -> None:
    assert chosen(accept, (JSON, CSV)) == answer
