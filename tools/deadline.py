"""Deadlines of steps: legal clocks, times of reminders, next owners."""

from datetime import timedelta

from .window import end_of_day, last_day, local_day


def last_moment(day, zone):
    """Return the last second of a local day, in UTC: still the same day in its own zone.

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
    """Return a legal deadline: whole local days after the day of the event.

    :param int days: number of days, 0 for no clock.
    :param datetime start: the event that starts the clock, naive in UTC; None: not yet.
    :param str zone: name of the time zone in which days begin and end.
    :param datetime release: event that ended a right to withhold; if it is later than the last day,
        its day becomes the last one.
    :return: naive, in UTC; None without a clock.
    :rtype: datetime

    Requested on 1 March, to be paid back within 14 days:

    >>> from datetime import datetime
    >>> legal_due(14, datetime(2026, 3, 1, 12), 'UTC')
    datetime.datetime(2026, 3, 15, 23, 59, 59)

    The goods were only sent on the 20th (Directive 2011/83/EU art. 13(3)):

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
    """Return when a number of working hours have passed.

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
    """Return the time that is a number of working hours before another time.

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
    """Return the working hours between two times.

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
    """Return the end of work on a later day; the day of the event itself does not count.

    :param datetime first: time of the event, naive in UTC.
    :param int days: number of working days, starting on the next day.
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
    """Return the candidate with the least load; the first one in case of a tie.

    :param list candidates: ids, in the order in which ties are broken.
    :param dict loads: how much each has to do.

    >>> pick_least_loaded([3, 5, 8], {3: 2, 5: 1})
    8
    >>> pick_least_loaded([5, 8], {})
    5
    """
    return min(candidates, key=lambda candidate: loads.get(candidate, 0))


def pick_next(candidates, last):
    """Return whose turn it is: the one after the last, starting again after the end.

    :param list candidates: ids, in their order, ascending.
    :param last: id of the last one; None for nobody; may have left.

    >>> pick_next([3, 5, 8], 5), pick_next([3, 5, 8], 8), pick_next([3, 5, 8], None)
    (8, 3, 3)
    >>> pick_next([3, 8], 5)
    8
    """
    return next((c for c in candidates if last is not None and c > last), candidates[0])


def find_circle(start, above):
    """Return the cycle in a chain of superiors, [] if there is none.

    :param start: where the chain begins.
    :param dict above: the superior of each.

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
