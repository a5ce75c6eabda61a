"""Contexts: clients can send any, so keys of ours are read here only, as what they may be."""

from .own_value import OwnValue

# Language and companies; and the suppression of messages, e.g. by an import.
KEPT_KEYS = frozenset(
    {
        'allowed_company_ids',
        'lang',
        'mail_create_nolog',
        'mail_create_nosubscribe',
        'mail_notrack',
        'tracking_disable',
        'tz',
    }
)


def get_service_context(context):
    """Return the part of a context that cannot change documents.

    Clients can send any context, and Odoo has keys that switch off the balance check of entries or
    the computation of lines (`skip_invoice_sync`). Users without the right to write entries must
    not use these either.

    :param dict context: the caller's context.
    :rtype: dict

    >>> get_service_context({'lang': 'nl_BE', 'skip_invoice_sync': True, 'default_date': 'x'})
    {'lang': 'nl_BE'}
    """
    return {key: value for key, value in context.items() if key in KEPT_KEYS}


def get_own(env, key, kind=OwnValue):
    """Return the value of a key that our own code has set, None for any that a client sends.

    :param env: the environment.
    :param str key: of the context.
    :param type kind: of the value, which no client can send.
    """
    value = env.context.get(key)
    return value if isinstance(value, kind) else None


def get_flag(env, key):
    """Tell whether a key is on. Clients may send it as well, so it may not give them anything.

    :param env: the environment.
    :param str key: of the context.
    :rtype: bool
    """
    return env.context.get(key) is True


def get_text(env, key):
    """Return the text that the context, or a client, gives for a key; empty for anything else.

    :param env: the environment.
    :param str key: of the context.
    :rtype: str
    """
    value = env.context.get(key)
    return value if isinstance(value, str) else ''


def get_ids(env, key):
    """Return the record IDs in the context, without values that are none: clients send any.

    :param env: the environment.
    :param str key: of the context; its value is one ID or several.
    :rtype: list
    """
    value = env.context.get(key)
    values = value if isinstance(value, (list, tuple)) else [value]
    return [one for one in values if type(one) is int and 0 < one < 2**31]


def in_force(records):
    """Return records whose searches and lines leave out what is archived.

    Clients can ask for archived records as well (`active_test`): decisions do not follow them.

    :param records: of any model.
    """
    return records.with_context(active_test=True)
