"""The routes of efficacy: one router per resource, and who may call it."""
