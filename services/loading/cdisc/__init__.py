"""Loading a study from SDTM CSV: dm, ex, ae, tu and tr through the API, lb counted.

files.py reads rows; subjects.py, adverse_events.py and tumours.py say what each row means to the trial, and why where
it cannot be said; study.py puts a subject's commands in order; command.py is `python -m services load cdisc`.
"""
