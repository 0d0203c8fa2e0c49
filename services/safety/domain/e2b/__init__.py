"""ICH E2B(R3): a report of a case as a message to a regulator, and the regulator's acknowledgement read back.

What was checked against which source, and what could not be, is in the README beside the data.
"""
