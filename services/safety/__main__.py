"""`python -m services.safety api | worker | migrate | rebuild NAME | ...`"""

from shared.process import start

start("services.safety.app")
