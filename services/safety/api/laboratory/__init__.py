"""The routes of laboratories, their results, and the grades that these amount to."""
