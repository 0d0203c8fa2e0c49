"""Consent as every service understands it: what is on record, and what of a day it covers.

Enrollment records consents; the other services hold copies of its events and ask the same questions of them. Pure.
"""
