"""`python -m services.enrollment api | worker | migrate | rebuild NAME | ...`"""

from shared.process import start

start("services.enrollment.app")
