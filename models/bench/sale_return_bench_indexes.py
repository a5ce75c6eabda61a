from odoo import models

# The bench finds what was scanned by equality. Odoo's own indexes on these columns serve searches
# for parts of them (trigram): they answer an equality, but look at thousands of rows for numbers
# that are alike.


class SaleReturn(models.Model):
    _inherit = 'sale.return'

    _bench_name = models.Index('(name)')
    _bench_tracking = models.Index('(tracking_ref) WHERE tracking_ref IS NOT NULL')
    _bench_external_ref = models.Index('(external_ref) WHERE external_ref IS NOT NULL')


class SaleReturnLine(models.Model):
    _inherit = 'sale.return.line'

    _bench_waiting = models.Index('(product_id) WHERE qty_held > 0 OR qty_to_inspect > 0')


class SaleOrder(models.Model):
    _inherit = 'sale.order'

    _sale_return_bench_name = models.Index('(name)')
    _sale_return_bench_ref = models.Index('(client_order_ref) WHERE client_order_ref IS NOT NULL')
    _sale_return_bench_ref_part = models.Index(
        lambda registry: (
            'USING gin (client_order_ref gin_trgm_ops) WHERE client_order_ref IS NOT NULL'
            if registry.has_trigram
            else ''
        )
    )


class StockLot(models.Model):
    _inherit = 'stock.lot'

    _sale_return_bench_name = models.Index('(name)')


class ResPartner(models.Model):
    _inherit = 'res.partner'

    # Names with mistakes, and parts of telephone numbers, on labels of parcels.
    _sale_return_bench_name = models.Index(
        lambda registry: 'USING gin (complete_name gin_trgm_ops)' if registry.has_trigram else ''
    )
    _sale_return_bench_phone = models.Index(
        lambda registry: (
            "USING gin (regexp_replace(phone, '\\D', '', 'g') gin_trgm_ops) WHERE phone IS NOT NULL"
            if registry.has_trigram
            else ''
        )
    )
