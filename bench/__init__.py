"""Figures beside their floors, in the same rounds: `make bench`. A ratio counts, never a time."""
