"""Specimens: what was drawn for the laboratory, where it went, and what became of it."""
