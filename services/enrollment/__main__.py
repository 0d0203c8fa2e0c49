"""python -m services.enrollment api | worker | migrate | rebuild"""

from services.enrollment.app import SERVICE
from shared.process import main

main(SERVICE)
