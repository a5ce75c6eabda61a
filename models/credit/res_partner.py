from odoo import fields, models


class ResPartner(models.Model):
    _name = 'res.partner'

    _inherit = ['res.partner', 'sale.return.owned']

    # Written by whoever grants, see `sale.return.goodwill._ensure_limits`.
    sale_return_goodwill_guard = fields.Integer(readonly=True, copy=False, groups='base.group_user')

    # For the returns desk, see the indexes of `sale.return`.
    # Names with mistakes, and parts of telephone numbers, on labels of parcels.
    _sale_return_bench_name = models.Index(
        lambda registry: 'USING gin (complete_name gin_trgm_ops)' if registry.has_trigram else ''
    )
    # Whole and parts of e-mail addresses, in the search of returns.
    _sale_return_search_email = models.Index(
        lambda registry: (
            'USING gin (email_normalized gin_trgm_ops) WHERE email_normalized IS NOT NULL'
            if registry.has_trigram
            else '(email_normalized) WHERE email_normalized IS NOT NULL'
        )
    )
    _sale_return_bench_phone = models.Index(
        lambda registry: (
            "USING gin (regexp_replace(phone, '\\D', '', 'g') gin_trgm_ops) WHERE phone IS NOT NULL"
            if registry.has_trigram
            else ''
        )
    )
