"""Efficacy: lesions, tumour assessments, and the response that the protocol's criteria assign to each assessment.

It owns raw measurements and what follows from them for one participant. It does not own who the participant is
(enrollment), nor rates over participants (the projector).
"""
