"""The trial protocol as versioned data: read once at start, validated, and never changed while running.

`load_protocol()` gives the CMD03 protocol, `load_protocol(path)` that of another trial. Study days, visit
windows and intervals follow from it by the pure functions of `shared.protocol.schedule`.
"""

from shared.protocol.biomarkers import (
    Analyte,
    BelowLimit,
    Cytokines,
    DetectableFrom,
    LoincStatus,
    ParentPopulation,
    Persistence,
    SpecimenType,
)
from shared.protocol.criteria import (
    AppliesTo,
    Consent,
    ConsentDocument,
    ConsentDocumentKind,
    Criterion,
    CriterionType,
    Enrolment,
    Operator,
    ValueType,
)
from shared.protocol.efficacy import Denominator, Reference, ResponseCriteria, TumourMeasure
from shared.protocol.loading import ProtocolUnusable, load_protocol, parse_protocol
from shared.protocol.marked import Mark, Setting
from shared.protocol.model import Protocol
from shared.protocol.safety import (
    AppliesWhen,
    Causality,
    DoseLevel,
    Dosing,
    GradingCriteria,
    Limit,
    Recipient,
    ReportingClock,
    StartsFrom,
)
from shared.protocol.units import Unit
from shared.protocol.visits import (
    Anchor,
    Assessment,
    Incidence,
    MeasureId,
    Moment,
    OutcomeMeasure,
    Rank,
    Schedule,
    Side,
    TimePoint,
    Visit,
    Window,
)

__all__ = [
    "Analyte",
    "Anchor",
    "AppliesTo",
    "AppliesWhen",
    "Assessment",
    "BelowLimit",
    "Causality",
    "Consent",
    "ConsentDocument",
    "ConsentDocumentKind",
    "Criterion",
    "CriterionType",
    "Cytokines",
    "Denominator",
    "DetectableFrom",
    "DoseLevel",
    "Dosing",
    "Enrolment",
    "GradingCriteria",
    "Incidence",
    "Limit",
    "LoincStatus",
    "Mark",
    "MeasureId",
    "Moment",
    "Operator",
    "OutcomeMeasure",
    "ParentPopulation",
    "Persistence",
    "Protocol",
    "ProtocolUnusable",
    "Rank",
    "Recipient",
    "Reference",
    "ReportingClock",
    "ResponseCriteria",
    "Schedule",
    "Setting",
    "Side",
    "SpecimenType",
    "StartsFrom",
    "TimePoint",
    "TumourMeasure",
    "Unit",
    "ValueType",
    "Visit",
    "Window",
    "load_protocol",
    "parse_protocol",
]
