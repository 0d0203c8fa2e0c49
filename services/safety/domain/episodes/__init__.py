"""Episodes of CRS, ICANS and IEC-HS: observed, graded by ASTCT and CTCAE, followed by an adverse event."""
