"""The projector's HTTP API: questions about the trial, answered as JSON or as CSV."""
