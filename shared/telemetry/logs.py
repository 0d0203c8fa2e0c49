"""Logs as JSON lines with an allow-list of fields.

What is not on the list is dropped: a participant's data cannot reach a log by an absent-minded `extra=`.
Messages are constant texts; values travel in fields.
"""

import json
import logging
import sys
import traceback
from datetime import UTC, datetime

from shared.telemetry import tracing

_HTTP = {"service", "method", "route", "status", "duration_ms", "host", "port"}
_MESSAGING = {"topic", "count", "projection", "position", "lease", "attempt", "seconds"}
FIELDS = frozenset(_HTTP | _MESSAGING | {"reason_code", "error_type", "alert_id"})


class JsonFormatter(logging.Formatter):
    """One line per record: instant, level, logger, message, correlation, and the fields on the list."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "correlation_id": str(tracing.current().correlation_id),
        }
        line |= {name: value for name, value in vars(record).items() if name in FIELDS}
        if record.exc_info and record.exc_info[1] is not None:
            line["error_type"] = type(record.exc_info[1]).__name__
            line["traceback"] = _frames(record.exc_info[1])
        return json.dumps(line, default=str, ensure_ascii=False)


def _frames(error: BaseException) -> list[str]:
    """Where it happened, through all causes, without the errors' texts: those may quote what was sent."""
    frames: list[str] = []
    cause: BaseException | None = error
    while cause is not None:
        frames.append(type(cause).__name__)
        frames += [f"  {f.filename}:{f.lineno} {f.name}" for f in traceback.extract_tb(cause.__traceback__)]
        cause = cause.__cause__ or cause.__context__
    return frames


def configure(level: str = "info") -> None:
    """Send every logger of this process to standard error, as JSON lines."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for chatty in ("uvicorn", "alembic", "aiosqlite", "asyncio", "httpx", "httpcore"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    # It repeats itself several times a second while a broker is away, which relay and runner say once a try.
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
