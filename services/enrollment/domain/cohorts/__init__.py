"""Dose escalation, enforced: slots at the open dose level, the committee's decisions, and the gate on infusions.

One stream for the trial. Everything here is a function of that stream's state and of what is known of the participants.
"""
