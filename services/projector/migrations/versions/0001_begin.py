"""Begin: positions of the projections, and the read models."""

from alembic import op
from sqlalchemy import Boolean, Column, Date, Integer, Text, Uuid, false

from shared.db import ExactDecimal, Instant, Json
from shared.eventstore.ddl import create_leases_v1
from shared.projection.ddl import create_projection_tables_v1

revision = "0001"
down_revision = None


def upgrade() -> None:
    create_leases_v1(op)
    create_projection_tables_v1(op)
    op.create_table(
        "participants",
        Column("participant_id", Uuid, primary_key=True),
        Column("site_id", Text),
        Column("subject_number", Text),
        Column("screening_number", Text),
        Column("subject_label", Text),
        Column("birth_month", Text),
        Column("sex", Text),
        Column("diagnosis", Text),
        Column("diagnosis_text", Text),
        Column("status", Text),
        Column("screened_on", Date),
        Column("eligibility", Text),
        Column("enrolled_on", Date),
        Column("dose_level", Text),
        Column("first_infused_at", Instant),
        Column("day_zero", Instant),
        Column("screen_failed_on", Text),
        Column("off_treatment_on", Text),
        Column("lost_on", Text),
        Column("withdrawn_on", Text),
        Column("completed_on", Text),
        Column("died_on", Text),
    )
    op.create_table(
        "infusions",
        Column("participant_id", Uuid, primary_key=True),
        Column("infusion_number", Integer, primary_key=True, autoincrement=False),
        Column("started_at", Instant),
        Column("ended_at", Instant),
        Column("route", Text),
        Column("lot", Text),
        Column("weight_kg", ExactDecimal),
        Column("cells_per_kg", ExactDecimal),
        Column("total_car_positive_cells", ExactDecimal),
    )
    op.create_table(
        "adverse_events",
        Column("adverse_event_id", Uuid, primary_key=True),
        Column("participant_id", Uuid, index=True),
        Column("edition", Text),
        Column("meddra_code", Text),
        Column("term", Text),
        Column("soc", Text),
        Column("specification", Text),
        Column("onset", Text),
        Column("ended_on", Text),
        Column("became_aware_at", Instant),
        Column("serious", Boolean),
        Column("seriousness", Json),
        Column("action_taken", Text),
        Column("outcome", Text),
        Column("retracted", Boolean, nullable=False, server_default=false()),
        Column("version", Integer, comment="of the event's stream: the ETag to change it with"),
    )
    op.create_table(
        "adverse_event_grades",
        Column("adverse_event_id", Uuid, primary_key=True),
        Column("place", Integer, primary_key=True, autoincrement=False),
        Column("grade", Integer),
        Column("since", Text),
        Column("basis", Json),
    )
    op.create_table(
        "adverse_event_causality",
        Column("adverse_event_id", Uuid, primary_key=True),
        Column("agent", Text, primary_key=True),
        Column("attribution", Text),
    )
    op.create_table(
        "alerts",
        Column("alert_id", Text, primary_key=True),
        Column("adverse_event_id", Uuid),
        Column("participant_id", Uuid),
        Column("site_id", Text),
        Column("number", Integer),
        Column("because", Text),
        Column("seriousness", Json),
        Column("grade", Integer),
        Column("became_aware_at", Instant),
        Column("notices", Json),
        Column("raised_at", Instant),
        Column("delivered_at", Instant),
        Column("acknowledged_at", Instant),
        Column("acknowledged_by", Text),
        Column("note", Text),
    )
    op.create_table(
        "tumour_assessments",
        Column("assessment_id", Uuid, primary_key=True),
        Column("participant_id", Uuid, index=True),
        Column("evaluator", Text),
        Column("baseline", Boolean),
        Column("assessed_on", Text),
        Column("criteria", Text),
        Column("assigned", Text),
        Column("overridden", Text, comment="what counts instead of the assigned response"),
        Column("override_to_review", Boolean, nullable=False, server_default=false()),
        Column("retracted", Boolean, nullable=False, server_default=false()),
    )
    op.create_table(
        "flow_results",
        Column("flow_result_id", Uuid, primary_key=True),
        Column("participant_id", Uuid, index=True),
        Column("specimen", Text),
        Column("collected_at", Instant),
        Column("parent_population", Text),
        Column("below_lloq", Boolean),
        Column("detectable", Boolean),
        Column("percent", ExactDecimal),
        Column("lloq_percent", ExactDecimal),
        Column("cells_per_ul", ExactDecimal),
        Column("lloq_cells_per_ul", ExactDecimal),
        Column("cancelled", Boolean, nullable=False, server_default=false()),
    )
    op.create_table(
        "cytokine_panels",
        Column("cytokine_panel_id", Uuid, primary_key=True),
        Column("participant_id", Uuid, index=True),
        Column("specimen", Text),
        Column("collected_at", Instant),
        Column("platform", Text),
        Column("kit", Text),
        Column("lot", Text),
        Column("results", Json, comment="as in the event: CytokineResult"),
        Column("cancelled", Boolean, nullable=False, server_default=false()),
    )
    op.create_table(
        "timeline",
        Column("stream", Text, primary_key=True),
        Column("version", Integer, primary_key=True, autoincrement=False),
        Column("participant_id", Uuid, index=True),
        Column("event_id", Uuid),
        Column("type", Text),
        Column("occurred", Text, comment="a date as far as it is known, or an instant; NULL: when it was recorded"),
        Column("recorded_at", Instant),
        Column("actor", Text),
        Column("role", Text),
        Column("reason", Text),
        Column("data", Text, comment="the event as JSON, as it was stored"),
    )
