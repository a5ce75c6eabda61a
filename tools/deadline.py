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


def advance(intervals, start, hours):
    """Return when so many hours of work are done.

    :param list intervals: working times `(start, stop)`, in order, naive in UTC.
    :param datetime start: when the work may begin.
    :param float hours: hours of work.
    :return: None where the intervals are not enough.
    :rtype: datetime

    From Friday 16:00, 4 hours, work from 8 to 17 and on Monday again:

    >>> from datetime import datetime
    >>> friday = (datetime(2026, 3, 6, 8), datetime(2026, 3, 6, 17))
    >>> monday = (datetime(2026, 3, 9, 8), datetime(2026, 3, 9, 17))
    >>> advance([friday, monday], datetime(2026, 3, 6, 16), 4)
    datetime.datetime(2026, 3, 9, 11, 0)
    >>> advance([friday], datetime(2026, 3, 6, 16), 4) is None
    True
    """
    left = timedelta(hours=hours)
    for begin, stop in intervals:
        begin = max(begin, start)
        if begin >= stop:
            continue
        if left <= stop - begin:
            return begin + left
        left -= stop - begin
    return None


def retreat(intervals, end, hours):
    """Return from when on only so many hours of work are left until a moment.

    :return: None where the intervals are not enough.
    :rtype: datetime

    >>> from datetime import datetime
    >>> friday = (datetime(2026, 3, 6, 8), datetime(2026, 3, 6, 17))
    >>> monday = (datetime(2026, 3, 9, 8), datetime(2026, 3, 9, 17))
    >>> retreat([friday, monday], datetime(2026, 3, 9, 11), 4)
    datetime.datetime(2026, 3, 6, 16, 0)
    """
    left = timedelta(hours=hours)
    for begin, stop in reversed(intervals):
        stop = min(stop, end)
        if begin >= stop:
            continue
        if left <= stop - begin:
            return stop - left
        left -= stop - begin
    return None


def worked(intervals, start, stop):
    """Return the hours of work between two moments.

    >>> from datetime import datetime
    >>> friday = (datetime(2026, 3, 6, 8), datetime(2026, 3, 6, 17))
    >>> worked([friday], datetime(2026, 3, 5, 8), datetime(2026, 3, 6, 10, 30))
    2.5
    """
    seconds = sum(
        max((min(end, stop) - max(begin, start)).total_seconds(), 0) for begin, end in intervals
    )
    return seconds / 3600


def close_of_day(intervals, first, days, zone):
    """Return when work ends on a later day; the day of the event itself does not count.

    :param datetime first: the event, naive in UTC.
    :param int days: how many days with work, from the day after it on.
    :param str zone: name of the time zone in which days begin and end.
    :return: None where the intervals are not enough.
    :rtype: datetime

    Two days from Friday noon, work on Friday and Monday morning and afternoon and on Tuesday:

    >>> from datetime import datetime
    >>> moment = lambda day, hour: datetime(2026, 3, day, hour)
    >>> times = [(6, 8, 17), (9, 8, 12), (9, 13, 17), (10, 8, 16)]
    >>> times = [(moment(day, begin), moment(day, stop)) for day, begin, stop in times]
    >>> close_of_day(times, moment(6, 12), 2, 'UTC')
    datetime.datetime(2026, 3, 10, 16, 0)
    >>> close_of_day(times, moment(6, 12), 1, 'UTC')
    datetime.datetime(2026, 3, 9, 17, 0)
    """
    closes = {}
    for begin, stop in intervals:
        day = local_day(begin, zone)
        if day > local_day(first, zone):
            closes[day] = stop
    closes = [closes[day] for day in sorted(closes)]
    return closes[days - 1] if 0 < days <= len(closes) else None


def pick_least_loaded(candidates, loads):
    """Return who has the least to do; the first of those who have the same.

    :param list candidates: ids, in the order in which ties are broken.
    :param dict loads: how much each has to do.

    >>> pick_least_loaded([3, 5, 8], {3: 2, 5: 1})
    8
    >>> pick_least_loaded([5, 8], {})
    5
    """
    return min(candidates, key=lambda candidate: loads.get(candidate, 0))


def pick_next(candidates, last):
    """Return whose turn it is: the one after the last, the first after the end.

    :param list candidates: ids, in their order, ascending.
    :param last: id of who had the last turn; None for nobody, they may be gone.

    >>> pick_next([3, 5, 8], 5), pick_next([3, 5, 8], 8), pick_next([3, 5, 8], None)
    (8, 3, 3)
    >>> pick_next([3, 8], 5)
    8
    """
    return next((c for c in candidates if last is not None and c > last), candidates[0])


def find_circle(start, above):
    """Return the circle that a chain of superiors runs into, [] where it ends.

    :param start: where the chain begins.
    :param dict above: who comes after whom.

    >>> find_circle('A', {'A': 'B', 'B': 'C', 'C': 'B'})
    ['B', 'C']
    >>> find_circle('A', {'A': 'B'})
    []
    """
    seen, current = [], start
    while current is not None and current not in seen:
        seen.append(current)
        current = above.get(current)
    return seen[seen.index(current) :] if current is not None else []
