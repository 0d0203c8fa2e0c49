"""The routes of safety: one router per resource, and who may call it."""
