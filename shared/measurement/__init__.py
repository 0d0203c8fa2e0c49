"""Units of measurements: what a laboratory or a physician writes, as UCUM codes, and exact factors between them."""
