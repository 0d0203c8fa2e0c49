"""Alerts go up a chain, by several channels; clocks send notices. Nothing is carried over: streams say who was told."""

from typing import Any

from alembic import op
from sqlalchemy import Column, Integer, Text

from shared.db import Instant, Json

revision = "0004"
down_revision = "0003"


def _sending() -> list[Column[Any]]:
    return [
        Column("notice_id", Text, primary_key=True),
        Column("level", Integer, primary_key=True),
        Column("number", Integer, primary_key=True),
        Column("channel", Text, primary_key=True),
        Column("recipient", Text, primary_key=True, comment="a label, never an address"),
    ]


def upgrade() -> None:
    op.drop_table("alerts")
    op.drop_table("delivery_attempts")
    op.create_table(
        "notices",
        Column("notice_id", Text, primary_key=True),
        Column("kind", Text, comment="alert, or the step of a clock"),
        Column("clock_id", Text),
        Column("clock_level", Integer, comment="of an escalated clock"),
        Column("raised_at", Instant),
        Column("acknowledged_at", Instant),
        Column("traceparent", Text),
        Column("about", Json, comment="what a message tells of it"),
    )
    op.create_table(
        "clock_ends",
        Column("clock_id", Text, primary_key=True),
        Column("ended_at", Instant, comment="met or stopped: nobody need be told any more"),
    )
    op.create_table(
        "resends",
        Column("alert_id", Text, primary_key=True),
        Column("level", Integer, primary_key=True),
        Column("number", Integer, primary_key=True),
        Column("asked_at", Instant),
    )
    op.create_table(
        "escalations",
        Column("notice_id", Text, primary_key=True),
        Column("level", Integer, nullable=False, comment="the last one whose sendings were planned"),
        Column("next_level_at", Instant, comment="None: it was the last of the chain"),
    )
    op.create_table(
        "sendings",
        *_sending(),
        Column("since", Instant, nullable=False, comment="when the level began, or somebody asked"),
        Column("attempts", Integer, nullable=False),
        Column("next_attempt_at", Instant, nullable=False),
        Column("delivered_at", Instant),
    )
    op.create_table(
        "delivery_tries",
        *_sending(),
        Column("attempt", Integer, primary_key=True),
        Column("tried_at", Instant, nullable=False),
        Column("result", Text, comment="None: no answer is known, the process may have died"),
        Column("failure", Text, comment="a code, never what a server said"),
    )
