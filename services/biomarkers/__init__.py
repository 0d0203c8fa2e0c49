"""Biomarkers: CAR-T cells by flow cytometry and cytokine panels, as reported and as read from the report.

Owns laboratory results, their corrections and cancellations, the derivation of absolute counts and the
conversion of units. Owns no cohort figure and no kinetics: those are the projector's, over the events published here.
"""
