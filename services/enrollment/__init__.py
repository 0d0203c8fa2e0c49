"""Enrollment: sites, participants, consent, eligibility, lymphodepletion, infusions, new anticancer therapy, and
how a life in the trial ends.

It owns who takes part and where each participant stands. It does not own what happens to them: adverse events are
safety's, tumours efficacy's, laboratory results biomarkers'. Of other services it hears one thing: that safety's
stopping rules halt dosing.
"""
