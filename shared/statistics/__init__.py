"""Statistics that more than one table needs: proportions with their intervals, and the time to an event. Pure."""
