"""Who calls, and what they may: an actor and permissions from the bearer token of the hospital's issuer."""
