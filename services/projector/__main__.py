"""`python -m services.projector api | worker | migrate | rebuild NAME | ...`."""

from services.projector.app import SERVICE
from shared.process import main

main(SERVICE)
