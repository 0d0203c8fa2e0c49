"""`python -m services.biomarkers api | worker | migrate | rebuild NAME | ...`"""

from shared.process import start

start("services.biomarkers.app")
