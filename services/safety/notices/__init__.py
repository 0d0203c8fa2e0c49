"""Telling people: who is to be told of what, by which channel, until somebody has it in hand."""
