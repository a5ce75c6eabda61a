"""Time windows for requests, counted in whole local days."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

# Limit for calendars without working days.
MAX_DAYS = 3660


def local_day(moment, zone):
    """Return the local day of a time in UTC.

    :param datetime moment: naive, in UTC.
    :param str zone: name of the time zone.
    :rtype: datetime.date

    >>> local_day(datetime(2026, 3, 1, 23, 30), 'Asia/Shanghai')
    datetime.date(2026, 3, 2)
    >>> local_day(datetime(2026, 3, 1, 23, 30), 'America/New_York')
    datetime.date(2026, 3, 1)
    """
    return moment.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).date()


def last_day(first, days, is_working=None):
    """Return the last day of a window, inclusive; the day after `first` is day one.

    Regulation (EEC) 1182/71 art. 3: the day of the event itself does not count.

    :param datetime.date first: the day of the event.
    :param int days: length of the window.
    :param is_working: function of a day saying whether it counts; all days do by default.
    :rtype: datetime.date

    Received on 1 March, 14 days:

    >>> from datetime import date
    >>> last_day(date(2026, 3, 1), 14)
    datetime.date(2026, 3, 15)

    On Thursday, 5 working days:

    >>> last_day(date(2026, 3, 5), 5, lambda day: day.weekday() < 5)
    datetime.date(2026, 3, 12)

    Without any working days, all days count:

    >>> last_day(date(2026, 3, 1), 3, lambda day: False)
    datetime.date(2026, 3, 4)
    >>> last_day(date(2026, 3, 1), 0)
    datetime.date(2026, 3, 1)
    """
    if is_working is None:
        return first + timedelta(days=days)
    day, left = first, days
    for _step in range(MAX_DAYS):
        if left <= 0:
            return day
        day += timedelta(days=1)
        left -= bool(is_working(day))
    return first + timedelta(days=days)


def end_of_day(day, zone):
    """Return the time in UTC at which a local day has ended, exclusive.

    :param datetime.date day: the day.
    :param str zone: name of the time zone.
    :return: naive, in UTC.
    :rtype: datetime

    >>> from datetime import date
    >>> end_of_day(date(2026, 3, 15), 'Asia/Shanghai')
    datetime.datetime(2026, 3, 15, 16, 0)

    The day on which the clocks change is an hour shorter:

    >>> end_of_day(date(2026, 3, 29), 'Europe/Brussels')
    datetime.datetime(2026, 3, 29, 22, 0)
    """
    midnight = datetime.combine(day + timedelta(days=1), time.min, ZoneInfo(zone))
    return midnight.astimezone(UTC).replace(tzinfo=None)


def is_within(now, day, zone):
    """Tell whether a local day is not over yet.

    :param datetime now: naive, in UTC.
    :rtype: bool

    >>> from datetime import date
    >>> is_within(datetime(2026, 3, 15, 15, 59), date(2026, 3, 15), 'Asia/Shanghai')
    True
    >>> is_within(datetime(2026, 3, 15, 16, 0), date(2026, 3, 15), 'Asia/Shanghai')
    False
    """
    return now < end_of_day(day, zone)
