"""`python -m services.biomarkers api | worker | migrate | rebuild NAME | ...`"""

from services.biomarkers.app import SERVICE
from shared.process import main

main(SERVICE)
