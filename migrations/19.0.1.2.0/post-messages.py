"""Combine events within minutes in one mail, signed by the shop, including the money.

Templates that somebody has changed stay as they are, and so do the messages that use them.
"""

from odoo import SUPERUSER_ID, api

# Sent with the news template from now on.
MERGED = ('approved_keep', 'arrived', 'inspected', 'credited', 'refunded', 'closed')
# Written again from their data file.
RENEWED = {
    'data/document/mail_template_data.xml': ('approved', 'reminder', 'expired', 'lapsed'),
    'data/message/mail_template_message_data.xml': ('received', 'refused', 'delayed', 'appeal'),
    'data/portal/mail_template_withdrawal_data.xml': ('withdrawal', 'return_link'),
}
WAIT_MINUTES = 10


def migrate(cr, version):
    """Merge the unchanged templates, and rewrite the others."""
    env = api.Environment(cr, SUPERUSER_ID, {})
    kinds = env['sale.return.message.kind'].with_context(active_test=False)
    news = env.ref('sale_return.mail_template_news')
    for name in MERGED:
        template = _find_unchanged(env, name)
        if not template:
            continue
        kinds.search([('template_id', '=', template.id)]).write(
            {'template_id': news.id, 'wait_minutes': WAIT_MINUTES}
        )
        template.unlink()
    for path, names in RENEWED.items():
        for name in names:
            if template := _find_unchanged(env, name):
                template.template_fs = f'sale_return/{path}'
                template.reset_template()


def _find_unchanged(env, name):
    """Return the template of a name if nobody has changed it, an empty one otherwise."""
    template = env.ref(f'sale_return.mail_template_{name}', raise_if_not_found=False)
    template = template or env['mail.template']
    return template.filtered(lambda t: t.write_uid.id == SUPERUSER_ID)
