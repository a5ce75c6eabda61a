from odoo import models


class ResPartner(models.Model):
    """For finding customers by labels and searches, see the indexes of `sale.return`."""

    _inherit = 'res.partner'

    # Names with mistakes, and parts of telephone numbers, on labels of parcels.
    _sale_return_bench_name = models.Index(
        lambda registry: 'USING gin (complete_name gin_trgm_ops)' if registry.has_trigram else ''
    )
    # Whole e-mail addresses and parts of them, for the search of returns.
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
