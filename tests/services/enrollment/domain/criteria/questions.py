"""Questions asked shortly: a criterion of CMD03, findings, and what they come to."""

import json
from datetime import date
from typing import Any

from services.enrollment.domain.criteria.evaluation import CriterionEvaluated, Evaluation, evaluate
from services.enrollment.domain.criteria.findings import Finding
from services.enrollment.domain.criteria.person import Person
from shared.contracts.enrollment_terms import Sex
from shared.protocol import Criterion, Protocol
from tests.services.enrollment.builders import PROTOCOL

DAY = date(2026, 3, 6)
GIRL = Person(Sex.FEMALE, "2017-03")

# What makes the usual girl eligible, by the quantity.
USUAL: dict[str, dict[str, Any]] = {
    "b7h3_expression": {"choice": "POSITIVE"},
    "measurable_disease": {"flag": True},
    "relapsed_or_refractory": {"flag": True},
    "b7h3_h_score": {"number": "180", "unit": "{score}"},
    "performance_score": {"number": "80", "unit": "{score}"},
    "life_expectancy_weeks": {"number": "16", "unit": "wk"},
    "ast_x_uln": {"number": "62", "unit": "U/L", "upper_limit_of_normal": "40"},
    "alt_x_uln": {"number": "0.9", "unit": "{xULN}"},
    "bilirubin_x_uln": {"number": "0.5", "unit": "mg/dL", "upper_limit_of_normal": "1.2"},
    "creatinine_x_uln": {"number": "40", "unit": "umol/L", "upper_limit_of_normal": "62"},
    "spo2_percent": {"number": "98", "unit": "%"},
    "days_since_chemotherapy_or_biologic": {"number": "3", "unit": "wk"},
    "days_since_antitumour_antibody": {"never": True},
    "days_since_cellular_infusion": {"never": True},
    "dexamethasone_mg_per_m2_per_day": {"number": "0", "unit": "mg/m2/d"},
    "consent": {"flag": True},
    "pregnancy_test": {"choice": "NEGATIVE", "observed_on": "2026-03-04"},
    "breast_feeding": {"flag": False},
    "hiv_infection": {"flag": False},
    "days_since_interfering_therapy": {"number": "14", "unit": "d"},
    "rapidly_progressing_disease": {"flag": False},
}


def finding(finding_id: str, **said: Any) -> Finding:
    return Finding.model_validate({"finding_id": finding_id, **said})


def findings(**changed: Any) -> list[Finding]:
    """The usual girl's, with what matters to a test replaced; None leaves it out."""
    told = {key: changed.get(key, said) for key, said in USUAL.items()}
    return [
        finding(f"f{number}", quantity=key, **said)
        for number, (key, said) in enumerate(told.items())
        if said is not None
    ]


def a_criterion(like: str = "AN-04", **fields: Any) -> Criterion:
    """A criterion of CMD03 with what matters to a test replaced."""
    content = PROTOCOL.criterion(like).model_dump(mode="json") | fields
    return Criterion.model_validate_json(json.dumps(content))


def protocol_of(*criteria: Criterion) -> Protocol:
    return PROTOCOL.model_copy(update={"eligibility": criteria})


def evaluated(*told: Finding, person: Person = GIRL, on: date = DAY, under: Protocol = PROTOCOL) -> Evaluation:
    return evaluate(person, told, on, under)


def answered(criterion: str | Criterion, *told: dict[str, Any], **how: Any) -> CriterionEvaluated:
    """One criterion's answer to findings of its quantity, unless they are named otherwise."""
    asked = PROTOCOL.criterion(criterion) if isinstance(criterion, str) else criterion
    named = [
        finding(
            f"f{number}",
            **({} if {"quantity", "analyte", "loinc"} & said.keys() else {"quantity": asked.quantity}),
            **said,
        )
        for number, said in enumerate(told)
    ]
    [found] = evaluated(*named, under=protocol_of(asked), **how).criteria
    return found


def said(criterion: str | Criterion, *told: dict[str, Any], **how: Any) -> str:
    """The answer and what it rests on, as `met: compared`."""
    found = answered(criterion, *told, **how)
    return f"{found.answer}: {found.weighed.answered.why}"
