from odoo import api, fields, models

from ..const import LIABILITIES


class SaleReturnReason(models.Model):
    """Why the customer returns something: what he says, not what we find."""

    _name = 'sale.return.reason'
    _description = "Return Reason"
    _inherit = ['sale.return.code.mixin']
    _check_company_auto = True

    root_cause = fields.Selection(
        [
            ('product', "Product"),
            ('description', "Description"),
            ('logistics', "Logistics"),
            ('warehouse', "Warehouse"),
            ('customer', "Customer"),
            ('fraud', "Fraud"),
            ('other', "Other"),
        ],
        required=True,
        default='other',
    )
    default_liability = fields.Selection(
        LIABILITIES,
        required=True,
        default='company',
        help="Who pays unless the inspection finds otherwise.",
    )
    restocking_fee = fields.Boolean(
        string="Charge Fees",
        compute='_compute_restocking_fee',
        store=True,
        readonly=False,
        precompute=True,
        help="Restocking fee and return freight of the policy are charged for this reason; by "
        "default where the customer is liable.",
    )
    photo_required = fields.Boolean(help="The request needs a photo.")
    return_expected = fields.Boolean(
        default=True,
        help="Unticked: nothing comes back (e.g. goods missing from the delivery). There is no "
        "receipt and the approval is the acceptance.",
    )
    return_class = fields.Selection(
        [
            ('right_of_return', "Right of return"),
            ('like_for_like', "Exchange like for like"),
            ('warranty', "Warranty"),
            ('goodwill', "Goodwill"),
        ],
        required=True,
        default='right_of_return',
        help="How the return counts in the accounts (IFRS 15).",
    )

    # Two at once; what else is not unique `_check_code` tells in the words of the user.
    _code_unique = models.UniqueIndex('(COALESCE(company_id, 0), code) WHERE active')

    @api.depends('default_liability')
    def _compute_restocking_fee(self):
        for reason in self:
            reason.restocking_fee = reason.default_liability == 'customer'
