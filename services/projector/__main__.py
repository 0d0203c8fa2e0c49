"""`python -m services.projector api | worker | migrate | rebuild NAME | ...`"""

from shared.process import start

start("services.projector.app")
