"""Laboratory results on record: laboratories, what a row says, grades on arrival, candidates for adverse events.

The grades themselves are `services.safety.domain.lab_grading`'s; here they are kept, frozen with what they rest on.
"""
