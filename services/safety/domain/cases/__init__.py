"""Cases: the sponsor's assessment, reports by version, expectedness, SUSAR, reporting clocks."""
