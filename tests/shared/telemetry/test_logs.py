"""What may reach a log."""

import json
import logging

from shared.telemetry import tracing
from shared.telemetry.logs import JsonFormatter


def line(**extra: object) -> dict[str, object]:
    record = logging.getLogger("t").makeRecord("t", logging.INFO, "f", 1, "published", (), None, extra=extra)
    shown: dict[str, object] = json.loads(JsonFormatter().format(record))
    return shown


def test_a_field_that_is_not_on_the_list_is_dropped() -> None:
    assert "participant" not in line(participant="p1", topic="trial.safety")
    assert line(topic="trial.safety")["topic"] == "trial.safety"


def test_a_line_carries_the_correlation_of_its_request() -> None:
    trace = tracing.begin(f"00-{'a' * 32}-{'b' * 16}-01")
    assert line()["correlation_id"] == str(trace.correlation_id)


def test_a_failure_shows_where_and_keeps_what_it_quoted_to_itself() -> None:
    def read() -> None:
        try:
            int("HN 4711")
        except ValueError as error:
            raise RuntimeError("grade of 4711") from error

    try:
        read()
    except RuntimeError as error:
        record = logging.getLogger("t").makeRecord(
            "t", logging.ERROR, "f", 1, "failed", (), (RuntimeError, error, error.__traceback__)
        )
    text = JsonFormatter().format(record)
    assert "4711" not in text
    assert "test_logs.py" in text
    assert "ValueError" in text
