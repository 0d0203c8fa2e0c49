"""Safety: adverse events graded by CTCAE, and the alerts that serious ones raise until somebody has them in hand.

Owns the CTCAE dictionary, adverse events with their corrections, alerts and their delivery. Owns no incidence table
and no worklist: those are the projector's, over the events published here.
"""
