"""Judging responses: every set of criteria over one course, beside plain sums of the same diameters.

An evaluation is one assessment judged under one set within its course: sums, nadir, rule, numbers and words. The course
is a baseline and the protocol's four time points, with three targets, one of them a node. The floor adds what each set
has to add, as plain decimals, and compares it with baseline and nadir. Seconds are the processor's: one core's.
"""

import gc
import time
from collections.abc import Callable
from decimal import Decimal
from uuid import UUID

from bench.harness import Case, Goal, Result, compare, rounds
from services.efficacy.domain.criteria import engines
from services.efficacy.domain.criteria.course import judged
from services.efficacy.domain.criteria.readings import Reading, Target
from shared.contracts.efficacy_terms import (
    LesionState,
    NeuroblastomaFindings,
    NeuroOncologyFindings,
    NonTargetStatus,
    Uptake,
)
from shared.protocol import load_protocol

COURSES = 200  # each once under every set
ASKED = 5_000.0  # evaluations a second and core that the trial asks for
SIZES = {  # longest diameter and perpendicular of each target, mm
    "2026-01-05": (("60", "40"), ("30.5", "20"), ("25", "22")),
    "2026-02-05": (("56", "37.5"), ("29.5", "19"), ("24", "21")),
    "2026-04-07": (("41", "30"), ("22", "14.5"), ("19", "16")),
    "2026-07-06": (("28", "21"), ("14", "11"), ("15", "12.5")),
    "2027-01-05": (("33", "27.5"), ("15", "12"), ("18", "14")),
}
NODE = 2


def _reading(on: str, *, node: bool) -> Reading:
    """One time point, told of as fully as any set asks; RANO and RAPNO know no nodes."""
    targets = tuple(
        Target(UUID(int=at), node and at == NODE, LesionState.MEASURED, Decimal(longest), Decimal(across))
        for at, (longest, across) in enumerate(SIZES[on])
    )
    return Reading(
        on,
        targets,
        NonTargetStatus.NONE,
        new_lesion=False,
        neuro_oncology=NeuroOncologyFindings(dexamethasone_mg_per_day=Decimal(0)),
        neuroblastoma=NeuroblastomaFindings(primary_uptake=Uptake.IMPROVED),
    )


def _rate(evaluate: Callable[[], int]) -> Case:
    def run() -> dict[str, float]:
        gc.freeze()  # as every process of the trial does after its start
        begun, done = time.process_time(), 0
        for _ in range(COURSES):
            done += evaluate()
        return {"rate": done / (time.process_time() - begun)}

    return run


def ours() -> Case:
    sets = engines(load_protocol())
    courses = [
        (engine, [_reading(on, node=not name.startswith("RA")) for on in SIZES]) for name, engine in sets.items()
    ]

    def evaluate() -> int:
        for engine, (baseline, *later) in courses:
            for current in later:
                judged(engine, baseline, later, current)
        return len(courses) * (len(SIZES) - 1)

    return _rate(evaluate)


def sums() -> Case:
    course = [[(Decimal(longest), Decimal(across)) for longest, across in each] for each in SIZES.values()]

    def evaluate() -> int:
        for at in range(1, len(course)):
            sizes = [sum((longest + across for longest, across in each), Decimal()) for each in course[: at + 1]]
            baseline, nadir, now = sizes[0], min(sizes[:-1]), sizes[-1]
            assert (now - baseline) / baseline * 100 < (now - nadir) / nadir * 100 or nadir == baseline
        return len(course) - 1

    return _rate(evaluate)


def measure(count: int) -> list[Result]:
    found = rounds({"ours": ours(), "sums": sums(), "asked": lambda: {"rate": ASKED}}, count)
    evaluations = "evaluations of a response, one core"
    return [
        compare(Goal(evaluations, "asked for", 1, 2, "more"), found, "ours", "asked", "rate", "/s"),
        compare(Goal("same", "sums of decimals alone", 1 / 40, 1 / 20, "more"), found, "ours", "sums", "rate", "/s"),
    ]
