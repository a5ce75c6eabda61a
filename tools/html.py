"""Texts of others where HTML is wanted."""

from markupsafe import Markup, escape


def as_html(text):
    """Return a text as HTML that shows it as it was written, and in which nothing works.

    Notes of activities are HTML: what a stranger wrote must not become a link or a picture there.
    `tests/base/test_html_of_others.py` finds notes that do not come from here.

    :param str text: of anybody.
    :rtype: markupsafe.Markup

    >>> as_html("<img src=x>\\nhttp://a.example")
    Markup('&lt;img src=x&gt;<br/>http://a.example')
    >>> as_html(None)
    Markup('')
    """
    return Markup('<br/>').join(escape(text or '').splitlines())
