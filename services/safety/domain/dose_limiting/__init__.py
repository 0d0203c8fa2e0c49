"""Dose-limiting toxicity: what the protocol's rules find, who is evaluable, and what people decide."""
