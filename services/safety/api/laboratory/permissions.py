"""Who may do what to laboratory results, within their sites.

Who measures samples reads what belongs to the laboratory: its codes, its ranges, its rows in quarantine. Grades of a
child over time, and what became of them, are read by those who read courses.
"""

from typing import Annotated

from fastapi import Depends, Request

from services.safety.laboratory.intake import LabIntake
from services.safety.laboratory.laboratories import Laboratories
from services.safety.laboratory.record import LabRecords
from shared.auth.permissions import COURSE_READERS, allow
from shared.kernel.actor import Actor, Role

MaySendResults = Annotated[Actor, Depends(allow(Role.LABORATORY, Role.SYSTEM))]

# What a laboratory's codes mean, and what becomes of rows that could not be read.
MayKeepLaboratories = Annotated[Actor, Depends(allow(Role.LABORATORY, Role.COORDINATOR, Role.SYSTEM))]

MayReadLaboratories = Annotated[Actor, Depends(allow(*COURSE_READERS, Role.LABORATORY))]


async def _laboratories(request: Request) -> Laboratories:
    laboratories: Laboratories = request.app.state.laboratories
    return laboratories


async def _intake(request: Request) -> LabIntake:
    intake: LabIntake = request.app.state.lab_intake
    return intake


async def _records(request: Request) -> LabRecords:
    records: LabRecords = request.app.state.lab_records
    return records


LaboratoriesDep = Annotated[Laboratories, Depends(_laboratories)]
LabIntakeDep = Annotated[LabIntake, Depends(_intake)]
LabRecordsDep = Annotated[LabRecords, Depends(_records)]
