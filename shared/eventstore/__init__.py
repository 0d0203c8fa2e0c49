"""The event store: streams with expected versions, and the outbox that is filled by the same statement."""
