"""The processes that run a service from its manifest: api, worker, and the commands of an operator.

# services/safety/__main__.py
main(SERVICE)          python -m services.safety api | worker | migrate | rebuild NAME | ...
"""

from shared.process.commands import main
from shared.process.service import Service, Task

__all__ = ["Service", "Task", "main"]
