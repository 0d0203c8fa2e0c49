"""Instants and days as HL7 writes them: CCYYMMDDhhmmss+ZZzz, and as much of CCYYMMDD as is known."""

from datetime import date, datetime
from zoneinfo import ZoneInfo


def instant(at: datetime, zone: str) -> str:
    """In the local time of an IANA zone, to the second, with its distance from UTC."""
    return at.astimezone(ZoneInfo(zone)).strftime("%Y%m%d%H%M%S%z")


def partial_day(day: str) -> str:
    """Of an ISO 8601 date that may lack its day, or its month too."""
    return day.replace("-", "")


def local_day(at: datetime, zone: str) -> date:
    return at.astimezone(ZoneInfo(zone)).date()
