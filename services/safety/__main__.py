"""`python -m services.safety api | worker | migrate | rebuild NAME | ...`"""

from services.safety.app import SERVICE
from shared.process import main

main(SERVICE)
