"""Who may act for the sponsor, and who may report, within their sites.

A safety officer acts for the sponsor in matters of safety; the role sponsor may do the same, at every site. An
investigator reports what a site owes: to the sponsor and to the ethics committee, not to regulators.
"""

from typing import Annotated

from fastapi import Depends, Request

from services.safety.cases.application import Cases
from services.safety.cases.expectations import Expectations
from shared.auth.permissions import allow
from shared.kernel.actor import Actor, Role

MayActAsSponsor = Annotated[Actor, Depends(allow(Role.SAFETY_OFFICER, Role.SPONSOR))]

MaySendReports = Annotated[Actor, Depends(allow(Role.SAFETY_OFFICER, Role.SPONSOR, Role.INVESTIGATOR))]


async def _cases(request: Request) -> Cases:
    cases: Cases = request.app.state.cases
    return cases


async def _expectations(request: Request) -> Expectations:
    expectations: Expectations = request.app.state.expectations
    return expectations


CasesDep = Annotated[Cases, Depends(_cases)]
ExpectationsDep = Annotated[Expectations, Depends(_expectations)]
