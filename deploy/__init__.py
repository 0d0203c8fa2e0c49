"""How the trial is run: declarations for containers, and `native` for a machine without any."""
