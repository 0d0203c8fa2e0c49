"""The gating hierarchy of a flow cytometry report: events per population, each within its parent.

Events, and the subsets of CAR+ cells, that a report leaves out beside its gates are read from them.
"""

from collections.abc import Mapping
from decimal import Decimal

from services.biomarkers.domain.laboratory_report import ContradictoryReport, NothingMeasured
from shared.contracts.biomarkers import CarSubsets, FlowReport, Gate, GatedPopulation

# Where each subset of the CAR+ cells is gated.
SUBSETS: Mapping[GatedPopulation, str] = {
    GatedPopulation.CAR_CD4: "cd4_percent",
    GatedPopulation.CAR_CD8: "cd8_percent",
    GatedPopulation.CAR_NAIVE: "naive_percent",
    GatedPopulation.CAR_CENTRAL_MEMORY: "central_memory_percent",
    GatedPopulation.CAR_EFFECTOR_MEMORY: "effector_memory_percent",
    GatedPopulation.CAR_TEMRA: "temra_percent",
}
FOUR_PLACES = Decimal("1e-4")
TOLERANCE = Decimal(1)  # percentage points between a reported share and that of the events: both are rounded


def with_gates(report: FlowReport) -> FlowReport:
    """The report, completed by what its gates hold; itself where it has none.

    Raises:
        ContradictoryReport: the gates are no hierarchy, or contradict the rest of the report.
        NothingMeasured: no event was acquired in the parent population.
    """
    if report.gates is None:
        return report
    gates = {gate.name: gate for gate in report.gates}
    if len(gates) < len(report.gates):
        raise ContradictoryReport("two gates have the same name: give each its own")
    if any(gate.parent is not None and gate.parent not in gates for gate in report.gates):
        raise ContradictoryReport("a gate names a parent that is not among the gates: send that one too")
    for gate in report.gates:
        _check_place(gate, gates, report)
    holding = _by_population(report.gates)
    parent, car = holding.get(GatedPopulation(report.parent_population.value)), holding.get(GatedPopulation.CAR)
    for each in SUBSETS:
        if each in holding and (car is None or car not in _above(holding[each], gates)):
            raise ContradictoryReport(f"the gate of {each} does not lie within that of car: set its parent right")
    read = report.model_copy(update={"subsets": _subsets(report, car, holding)})
    if parent is None or car is None:
        return read
    if parent not in _above(car, gates):
        raise ContradictoryReport("the gate of car does not lie within that of parent_population: send its own parent")
    return _with_events(read, parent, car)


def _with_events(report: FlowReport, parent: Gate, car: Gate) -> FlowReport:
    if parent.events == 0:
        raise NothingMeasured("no event was acquired in the gate of parent_population")
    counted = {"parent_events": parent.events, "car_events": car.events}
    for name, events in counted.items():
        if getattr(report, name) not in (None, events):
            raise ContradictoryReport(f"{name} are not those of its gate: send the one that is right")
    return report.model_copy(update=counted)


def _check_place(gate: Gate, gates: Mapping[str, Gate], report: FlowReport) -> None:
    within = report.events_acquired if gate.parent is None else gates[gate.parent].events
    if within is not None and gate.events > within:
        raise ContradictoryReport("a gate holds more events than what it was set in: check the events of both")
    _above(gate, gates)


def _above(gate: Gate, gates: Mapping[str, Gate]) -> list[Gate]:
    """The gates that a gate lies within, the nearest first; each parent is among the gates.

    Raises:
        ContradictoryReport: one of them lies within itself.
    """
    above: list[Gate] = []
    parent = gate.parent
    while parent is not None:
        if len(above) == len(gates):
            raise ContradictoryReport("a gate lies within itself: set the parents right")
        above.append(gates[parent])
        parent = gates[parent].parent
    return above


def _by_population(gates: tuple[Gate, ...]) -> dict[GatedPopulation, Gate]:
    holding: dict[GatedPopulation, Gate] = {}
    for gate in gates:
        if gate.population is not None and holding.setdefault(gate.population, gate) is not gate:
            raise ContradictoryReport(f"two gates hold {gate.population}: name the one that was reported")
    return holding


def _subsets(report: FlowReport, car: Gate | None, holding: Mapping[GatedPopulation, Gate]) -> CarSubsets | None:
    """Shares of the CAR+ events beside those reported; none where there are no CAR+ events to share."""
    gated = {field: holding[each] for each, field in SUBSETS.items() if each in holding}
    if car is None or car.events == 0 or not gated:
        return report.subsets
    said = CarSubsets() if report.subsets is None else report.subsets
    missing = {}
    for field, gate in gated.items():
        share = (Decimal(gate.events) / car.events * 100).quantize(FOUR_PLACES)
        told = getattr(said, field)
        if told is None:
            missing[field] = Decimal(format(share.normalize(), "f"))
        elif abs(told - share) > TOLERANCE:
            raise ContradictoryReport(f"{field} of subsets is not that of its gate: send the one that is right")
    return said.model_copy(update=missing)
