"""The processes that run a service from its manifest: api, worker, and the commands of an operator.

    start("services.safety.app")     # services/safety/__main__.py: api | worker | migrate | rebuild NAME | ...

`start` stands here, before anything else of this project is imported.
"""

import gc
from importlib import import_module


def start(wiring: str) -> None:
    """Run the command that was given, on the `SERVICE` of this module.

    The garbage collector rests until the process serves (`running.freeze`): what a start makes, a few hundred
    thousand objects, stays for good, and walking through it again and again took a tenth of the start.
    """
    gc.disable()
    service = import_module(wiring).SERVICE
    from shared.process.commands import main  # noqa: PLC0415 - see above

    main(service)
