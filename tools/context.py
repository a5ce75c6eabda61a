"""What a service in superuser mode may take over of the context of its caller."""

# Whose words and which companies; and who wants no messages, e.g. an import.
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
    """Return the part of a context that changes no document.

    Clients send what context they like, and Odoo has keys that switch off the balance of entries
    or the lines that follow from others (`skip_invoice_sync`). Whoever may not write entries by
    themselves must not reach them that way either.

    :param dict context: that of the caller.
    :rtype: dict

    >>> get_service_context({'lang': 'nl_BE', 'skip_invoice_sync': True, 'default_date': 'x'})
    {'lang': 'nl_BE'}
    """
    return {key: value for key, value in context.items() if key in KEPT_KEYS}
