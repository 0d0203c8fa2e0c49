"""The tables of safety's database: its event store, what it knows of participants, and whom it is to tell of what."""

from typing import Any

from sqlalchemy import Boolean, Column, Date, Index, Integer, MetaData, Table, Text

from shared.db import ExactDecimal, Instant, Json
from shared.eventstore.tables import event_store_tables
from shared.former_sites import former_sites_table
from shared.known_consents import known_consents_table
from shared.projection import projection_tables

METADATA = MetaData()
event_store_tables(METADATA)
projection_tables(METADATA)
known_consents = known_consents_table(METADATA)
former_sites = former_sites_table(METADATA)

participants = Table(
    "participants",
    METADATA,
    Column("participant_id", Text, primary_key=True, comment="as in events.subject"),
    Column("site_id", Text),
    Column("time_zone", Text, comment="the site's, in which dates of the participant are meant"),
    Column("status", Text),
    Column("sex", Text),
    Column("birth_month", Text, comment="YYYY-MM"),
    Column("infused_at", Instant, comment="the first infusion's start"),
    Column("treatment_changed_by", Text, comment="the last event about when treatment began"),
)

lymphodepletions = Table(
    "lymphodepletions",
    METADATA,
    Column("participant_id", Text, primary_key=True),
    Column("lymphodepletion_id", Text, primary_key=True),
    Column("prepares_infusion", Integer),
    Column("began_on", Date, comment="the first day on which a drug was given, at the site"),
    Column("first_dose_at", Instant, comment="None: nobody knows the hour"),
)

# What somebody is to be told of: alerts, and the steps of reporting clocks.
notices = Table(
    "notices",
    METADATA,
    Column("notice_id", Text, primary_key=True),
    Column("kind", Text, comment="alert, or the step of a clock"),
    Column("clock_id", Text),
    Column("clock_level", Integer, comment="of an escalated clock"),
    Column("raised_at", Instant),
    Column("acknowledged_at", Instant),
    Column("traceparent", Text),
    Column("about", Json, comment="what a message tells of it"),
)

clock_ends = Table(
    "clock_ends",
    METADATA,
    Column("clock_id", Text, primary_key=True),
    Column("ended_at", Instant, comment="met or stopped: nobody need be told any more"),
)

resends = Table(
    "resends",
    METADATA,
    Column("alert_id", Text, primary_key=True),
    Column("level", Integer, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("asked_at", Instant),
)

# The delivery's own memory, written by nothing else: rebuilding `notices` neither forgets nor repeats a delivery.
escalations = Table(
    "escalations",
    METADATA,
    Column("notice_id", Text, primary_key=True),
    Column("level", Integer, nullable=False, comment="the last one whose sendings were planned"),
    Column("next_level_at", Instant, comment="None: it was the last of the chain"),
)


def _sending() -> list[Column[Any]]:
    return [
        Column("notice_id", Text, primary_key=True),
        Column("level", Integer, primary_key=True),
        Column("number", Integer, primary_key=True),
        Column("channel", Text, primary_key=True),
        Column("recipient", Text, primary_key=True, comment="a label, never an address"),
    ]


sendings = Table(
    "sendings",
    METADATA,
    *_sending(),
    Column("since", Instant, nullable=False, comment="when the level began, or somebody asked"),
    Column("attempts", Integer, nullable=False),
    Column("next_attempt_at", Instant, nullable=False),
    Column("delivered_at", Instant),
)

delivery_tries = Table(
    "delivery_tries",
    METADATA,
    *_sending(),
    Column("attempt", Integer, primary_key=True),
    Column("tried_at", Instant, nullable=False),
    Column("result", Text, comment="None: no answer is known, the process may have died"),
    Column("failure", Text, comment="a code, never what a server said"),
)

# What the watch over dose-limiting toxicity looks at: each participant's treatment, how they left, their toxicities.
courses = Table(
    "courses",
    METADATA,
    Column("participant_id", Text, primary_key=True),
    Column("site_id", Text),
    Column("time_zone", Text),
    Column("dose_level", Text),
    Column("infused_from", Instant, comment="the first infusion's start"),
    Column("infused_to", Instant, comment="its end"),
    Column("cells_per_kg", ExactDecimal),
    Column("changed_by", Text, comment="the last event that may change what the watch finds"),
)

endings = Table(
    "endings",
    METADATA,
    Column("participant_id", Text, primary_key=True),
    Column("status", Text, primary_key=True),
    Column("left_on", Text, comment="the last day observed, as far as it is known"),
)

toxicities = Table(
    "toxicities",
    METADATA,
    Column("stream", Text, primary_key=True, comment="of an adverse event or an episode"),
    Column("participant_id", Text, index=True),
)

# What an operator has loaded from the workbooks of the NCI.
ctcae_definitions = Table(
    "ctcae_definitions",
    METADATA,
    Column("edition", Text, primary_key=True),
    Column("meddra_code", Text, primary_key=True),
    Column("definition", Text),
    Column("note", Text),
    *(Column(f"grade_{grade}", Text) for grade in (1, 2, 3, 4, 5)),
)

# The watch's own memory, written by nothing else: what it has looked at, and what it found.
toxicity_looks = Table(
    "toxicity_looks",
    METADATA,
    Column("participant_id", Text, primary_key=True),
    Column("looked_for", Text, nullable=False, comment="courses.changed_by when it looked"),
    Column("look_again_at", Instant, comment="when time alone may change what it finds"),
    Column("status", Text, nullable=False),
    Column("counts_for", Text, nullable=False, comment="stopping rules whose events were found, by a blank apart"),
)

# What reports of a case tell of its participant beside `participants`.
subjects = Table(
    "subjects",
    METADATA,
    Column("participant_id", Text, primary_key=True),
    Column("subject_number", Text),
)

infusions = Table(
    "infusions",
    METADATA,
    Column("participant_id", Text, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("infusion", Json, comment="as a report tells it"),
    Column("weight_kg", ExactDecimal),
)

# The cases whose clocks are kept, and how far their streams have come.
cases = Table(
    "cases",
    METADATA,
    Column("adverse_event_id", Text, primary_key=True),
    Column("serious", Boolean, comment="an alert was raised; a later downgrade changes nothing here"),
    Column("adverse_event_version", Integer),
    Column("case_version", Integer),
    Column("traceparent", Text),
)

expectations = Table(
    "expectations",
    METADATA,
    Column("stream", Text, primary_key=True, comment="of the reference safety information"),
    Column("version", Integer, comment="how far it has come"),
)

# The clocks' own memory, written by nothing else: what they have looked at, and when to look again.
case_looks = Table(
    "case_looks",
    METADATA,
    Column("adverse_event_id", Text, primary_key=True),
    Column("adverse_event_version", Integer, nullable=False),
    Column("case_version", Integer, nullable=False),
    Column("expectations_version", Integer, nullable=False),
    Column("protocol", Text, nullable=False),
    Column("look_again_at", Instant, comment="when time alone brings about the next step"),
)

# Whose laboratory results the watch over baselines looks at, and how far their streams have come.
laboratory_courses = Table(
    "laboratory_courses",
    METADATA,
    Column("participant_id", Text, primary_key=True),
    Column("version", Integer, comment="of the last event that brought, changed or cancelled a result"),
)

# The watch's own memory, written by nothing else: what it has looked at.
laboratory_looks = Table(
    "laboratory_looks",
    METADATA,
    Column("participant_id", Text, primary_key=True),
    Column("version", Integer, nullable=False, comment="of the results"),
    Column("treatment_changed_by", Text, comment="as in participants when it looked"),
    Column("protocol", Text, nullable=False),
)

# Rows of laboratories that could not be read, as they were sent: no events, because nobody knows yet what they say.
lab_quarantine = Table(
    "lab_quarantine",
    METADATA,
    Column("quarantine_id", Text, primary_key=True),
    Column("laboratory_id", Text, nullable=False),
    Column("site_id", Text, nullable=False),
    Column("row_key", Text, comment="what the laboratory knows the row by"),
    Column("row", Json, nullable=False),
    Column("problem", Text, nullable=False),
    Column("says", Text, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("received_by", Text, nullable=False),
    Column("state", Text, nullable=False, index=True),
    Column("settled_at", Instant),
    Column("settled_by", Text),
    Column("reason", Text),
    Index("ix_lab_quarantine_row", "laboratory_id", "row_key"),
)
