"""`python -m services.efficacy api | worker | migrate | rebuild NAME | ...`"""

from shared.process import start

start("services.efficacy.app")
