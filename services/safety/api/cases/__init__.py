"""The routes of cases: what the sponsor decides, sends and files, and what was expected."""
