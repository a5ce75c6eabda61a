"""Texts of others where HTML is wanted."""

from lxml import html
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


def drop_links(text):
    """Return HTML in which no link leads anywhere: those of a mail belong to who gets it.

    :param str text: HTML that we have made.
    :rtype: str

    >>> drop_links('<p>See <a class="x" href="/my/returns/1?access_token=abc">it</a></p>')
    '<div><p>See <a class="x">it</a></p></div>'
    >>> drop_links('')
    ''
    """
    if not text:
        return ''
    tree = html.fragment_fromstring(str(text), create_parent='div')
    for link in tree.iter('a'):
        link.attrib.pop('href', None)
    return html.tostring(tree, encoding='unicode')
