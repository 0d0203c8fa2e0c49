"""Alerts and notices of clocks: their lives, the chain they go up, what receivers read."""
