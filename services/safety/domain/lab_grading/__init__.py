"""CTCAE grades from laboratory values and vital signs: the limits of 62 terms as data, and what one value says.

`analytes` finds what was measured, `units` reads its unit, `bands` and `ladders` hold the limits in that unit,
`grading` grades and explains, `baseline` chooses the value before treatment. Source: see `README.md`.
"""
