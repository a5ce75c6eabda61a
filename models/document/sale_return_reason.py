from odoo import api, fields, models

from ...const import LIABILITIES


class SaleReturnReason(models.Model):
    """Why the customer returns something, as they state it, not as we find it."""

    _name = 'sale.return.reason'
    _description = "Return Reason"
    _inherit = ['sale.return.code.mixin']
    _check_company_auto = True
    _parent_store = True

    parent_id = fields.Many2one(
        'sale.return.reason',
        string="Part of",
        index='btree_not_null',
        check_company=True,
        ondelete='restrict',
        help="Policies and rules for a reason also apply to its sub-reasons.",
    )
    parent_path = fields.Char(index=True)
    child_ids = fields.One2many('sale.return.reason', 'parent_id', string="More precise reasons")
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
        string="Whose Fault",
        required=True,
        default='company',
        help=(
            "Whose fault it is unless the inspection finds otherwise. It is shown in the "
            "reports and does not affect credits."
        ),
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
    photo_required = fields.Boolean(
        help=(
            "A request without a photo is not approved automatically; a rule of the policy may be"
            " stricter."
        )
    )
    default_resolution = fields.Selection(
        selection='_selection_resolution', help="Proposed on lines with this reason."
    )
    return_expected = fields.Boolean(
        default=True,
        help="Unticked: nothing comes back (e.g. goods missing from the delivery). There is no "
        "receipt and the approval is the acceptance, so an approver always decides.",
    )
    on_returns = fields.Boolean(
        string="Offered on Returns",
        default=True,
        help="Unticked: only goodwill is granted for it, which names no goods.",
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

    @api.model
    def _selection_resolution(self):
        # As offered on lines: some are switched off.
        wishes = self.env['sale.return.line'].fields_get(['resolution'])['resolution']['selection']
        return [wish for wish in wishes if wish[0] != 'none']

    @api.depends('name', 'parent_id')
    def _compute_display_name(self):
        for reason in self:
            parent = reason.parent_id
            reason.display_name = (
                f"{parent.display_name} / {reason.name}" if parent else reason.name
            )

    def _is_one_of(self, reasons):
        """Tell whether the reason is one of these or below one of them."""
        own = {int(key) for key in (self.parent_path or '').split('/') if key} | set(self.ids)
        return bool(own & set(reasons.ids))

    # Guards against concurrent inserts; `_check_code` reports other duplicates in the user's
    # language.
    _code_unique = models.UniqueIndex('(COALESCE(company_id, 0), code) WHERE active')

    @api.depends('default_liability')
    def _compute_restocking_fee(self):
        for reason in self:
            reason.restocking_fee = reason.default_liability == 'customer'
