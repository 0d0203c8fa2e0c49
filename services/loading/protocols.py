"""Which protocol a trial serves, asked before anything is sent: data of one study do not go into another."""

from typing import Any

from services.loading.client import TrialClient
from shared.kernel.actor import Role
from shared.kernel.errors import TrialError


class OtherProtocol(TrialError):
    """The trial serves another protocol than the data are of. Nothing was sent."""


async def require_protocol(client: TrialClient, protocol_id: str, what: str, advice: str = "") -> dict[str, Any]:
    """The protocol that the trial serves.

    Raises:
        OtherProtocol: it is not the one that `what` is of.
    """
    protocol = await client.get("/trial/v1/protocol", role=Role.SPONSOR)
    served = protocol["protocol_id"]
    if served != protocol_id:
        why = f"the trial serves {served}, and {what} is of {protocol_id}: nothing was sent"
        raise OtherProtocol(f"{why}; {advice}" if advice else why)
    return protocol
