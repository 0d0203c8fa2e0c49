"""Answers as flat tables, for spreadsheets and statistics programs."""
