"""The routes of biomarkers: one router per resource, and who may call it."""
