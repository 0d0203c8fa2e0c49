"""What the trial reports, computed from rows: pure functions, no input or output."""
