"""The processes that run a service from its manifest: api, worker, and the commands of an operator.

    start("services.safety.app")     # services/safety/__main__.py: api | worker | migrate | rebuild NAME | ...

`start` stands here, before anything else of this project is imported.
"""

import gc
import warnings
from importlib import import_module


def start(wiring: str) -> None:
    """Run the command that was given, on the `SERVICE` of this module.

    The garbage collector rests until the process serves (`running.freeze`): what a start makes, a few hundred
    thousand objects, stays for good, and walking through it again and again took a tenth of the start.

    A model is made when it is first used: of several hundred a process uses some dozens, and to make them all took
    a fifth of the start. Tests do not pass here and make each when it is imported: one that cannot be made fails there.
    """
    gc.disable()
    _make_models_when_used()
    service = import_module(wiring).SERVICE
    from shared.process.commands import main  # noqa: PLC0415 - see above

    main(service)


def _make_models_when_used() -> None:
    from pydantic import BaseModel  # noqa: PLC0415 - see above
    from pydantic.warnings import UnsupportedFieldAttributeWarning  # noqa: PLC0415 - see above

    BaseModel.model_config["defer_build"] = True
    # FastAPI keeps it silent where it declares a body, which is too early now.
    warnings.simplefilter("ignore", UnsupportedFieldAttributeWarning)
