"""The part of the caller's context that a service in superuser mode may use."""

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
