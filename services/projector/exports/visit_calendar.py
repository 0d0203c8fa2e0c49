"""A site's visits as iCalendar (RFC 5545): an all-day event for each window, nobody's time blocked."""

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from services.projector.domain.visit_calendar import CalendarEntry

if TYPE_CHECKING:
    from icalendar import Event

MEDIA_TYPE = "text/calendar"
REFRESH = timedelta(hours=4)  # RFC 7986: how often a client is asked to look again


def visit_calendar(name: str, domain: str, entries: Sequence[CalendarEntry]) -> bytes:
    """The whole calendar. It says the same, octet by octet, as long as nothing that it rests on changes.

    A published calendar has no METHOD, so DTSTAMP is when an entry was last revised (RFC 5545, section 3.8.7.2).
    DTEND is the day after the last one (section 3.6.1).
    """
    # A process that nobody asks for a calendar is spared the library.
    from icalendar import Calendar  # noqa: PLC0415

    calendar = Calendar()
    calendar.add("prodid", "-//CMD03 trial//visits//EN")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("name", name)
    calendar.add("x-wr-calname", name)
    calendar.add("refresh-interval", REFRESH, parameters={"VALUE": "DURATION"})
    for entry in entries:
        calendar.add_component(_event(domain, entry))
    return bytes(calendar.to_ical())


def _event(domain: str, entry: CalendarEntry) -> "Event":
    from icalendar import Event  # noqa: PLC0415

    event = Event()
    event.add("uid", f"{entry.uid}@{domain}")
    event.add("dtstamp", entry.revision.at)
    event.add("last-modified", entry.revision.at)
    event.add("sequence", entry.revision.number)
    event.add("dtstart", entry.opens_on)
    event.add("dtend", entry.closes_on + timedelta(days=1))
    event.add("summary", entry.summary)
    event.add("description", f"Nominal day {entry.nominal_on.isoformat()}; window until {entry.closes_on.isoformat()}")
    event.add("status", "CANCELLED" if entry.cancelled else "CONFIRMED")
    event.add("transp", "TRANSPARENT")
    return event
