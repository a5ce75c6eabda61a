from odoo import models


class SaleReturn(models.Model):
    _inherit = 'sale.return'

    # Differences are few among millions of returns: the nightly check reads these indexes only.
    _refund_open_index = models.Index("(company_id) WHERE refund_state IN ('pending', 'partial')")


class SaleReturnLine(models.Model):
    _inherit = 'sale.return.line'

    # See `sale.return.reconciler._get_candidate_lines`, which has the same condition.
    _difference_index = models.Index(
        "(company_id) WHERE state IN ('submitted', 'approved', 'closed')"
        " AND (resolution = 'refund' OR qty_credited_posted <> 0)"
        " AND qty_credited_posted <> CASE WHEN return_expected"
        " THEN qty_received + qty_kept - qty_rejected - qty_uninvoiced"
        " ELSE qty_accepted - qty_uninvoiced END"
    )
