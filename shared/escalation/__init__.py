"""Dose escalation: designs, what the trial's escalation stands on, and the gate on infusions.

Enrollment decides by it, and the cohort board of the projector shows what it would decide.
"""
