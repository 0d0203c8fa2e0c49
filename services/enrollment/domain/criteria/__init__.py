"""What answers an eligibility criterion: the person it is asked of, a quantity in any of its units, a threshold.

One rule for two callers: a participant's assessment, which is recorded, and the calculator, which keeps nothing.
"""
