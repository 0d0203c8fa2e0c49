"""`python -m services.efficacy api | worker | migrate | rebuild NAME | ...`"""

from services.efficacy.app import SERVICE
from shared.process import main

main(SERVICE)
