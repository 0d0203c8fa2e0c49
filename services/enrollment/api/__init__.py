"""The routes of enrollment: one router per resource, and who may call it."""
