"""Safety: adverse events graded by CTCAE, what leads to them, and what follows from them.

Owns the CTCAE dictionary, adverse events with their corrections, and four rooms beside them: `notices` (who is told of
alerts and clocks), `cases` (reports of serious events, SUSAR, reporting clocks), `toxicity` (CRS, ICANS, IEC-HS,
dose-limiting toxicity, halts of dosing) and `laboratory` (results graded on arrival, candidates, quarantine). Owns no
incidence table, no worklist and no list of what is open: those are the projector's, over the events published here.
"""
