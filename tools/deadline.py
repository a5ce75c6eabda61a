"""By when a step has to be done: clocks of the law, moments of reminders, who comes next."""

from datetime import timedelta

from .window import end_of_day, last_day, local_day


def last_moment(day, zone):
    """Return the last second of a local day, in UTC: shown in its zone it is still that day.

    :param datetime.date day: the day.
    :param str zone: name of the time zone.
    :return: naive, in UTC.
    :rtype: datetime

    >>> from datetime import date
    >>> last_moment(date(2026, 3, 15), 'Asia/Shanghai')
    datetime.datetime(2026, 3, 15, 15, 59, 59)
    """
    return end_of_day(day, zone) - timedelta(seconds=1)


def legal_due(days, start, zone, release=None):
    """Return until when the law gives time: whole local days after the day of the event.

    :param int days: how many, 0 for no clock.
    :param datetime start: the event that starts the clock, naive in UTC; None: not yet.
    :param str zone: name of the time zone in which days begin and end.
    :param datetime release: what ended a right to withhold; where it comes after the days are over,
        the day it falls on is the last one.
    :return: naive, in UTC; None without a clock.
    :rtype: datetime

    Asked for on 1 March, to be paid back within 14 days:

    >>> from datetime import datetime
    >>> legal_due(14, datetime(2026, 3, 1, 12), 'UTC')
    datetime.datetime(2026, 3, 15, 23, 59, 59)

    The goods were sent on the 20th only (Directive 2011/83/EU art. 13(3)):

    >>> legal_due(14, datetime(2026, 3, 1, 12), 'UTC', release=datetime(2026, 3, 20, 8))
    datetime.datetime(2026, 3, 20, 23, 59, 59)
    >>> legal_due(0, datetime(2026, 3, 1), 'UTC') is legal_due(14, None, 'UTC') is None
    True
    """
    if not days or not start:
        return None
    due = last_moment(last_day(local_day(start, zone), days), zone)
    return max(due, last_moment(local_day(release, zone), zone)) if release else due
