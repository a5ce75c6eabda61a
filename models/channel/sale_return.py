from odoo import fields, models


class SaleReturn(models.Model):
    """Returns that a channel has reported. External references are unique within a channel."""

    _inherit = 'sale.return'

    channel_id = fields.Many2one(
        'sale.return.channel',
        string="Sales Channel",
        check_company=True,
        copy=False,
        index='btree_not_null',
        ondelete='restrict',
        help=(
            "Where the customer requested the return, if not here. External references are unique"
            " within a channel."
        ),
    )
    channel_refund_count = fields.Integer(
        string="Refunds by the Channel", compute='_compute_channel_refund_count', compute_sudo=True
    )

    _external_ref_unique = models.UniqueIndex(
        '(company_id, COALESCE(channel_id, 0), external_ref) WHERE external_ref IS NOT NULL',
        "There is already a return with this external reference.",
    )

    def _compute_channel_refund_count(self):
        counts = dict(
            self.env['sale.return.channel.refund']._read_group(
                [('order_id', 'in', self.line_ids.order_id.ids)], ['order_id'], ['__count']
            )
        )
        for sale_return in self:
            sale_return.channel_refund_count = sum(
                counts.get(order, 0) for order in sale_return.line_ids.order_id
            )

    def _get_reference_key(self, vals):
        """Extend to tell references of different channels apart."""
        key = super()._get_reference_key(vals)
        return key and (*key, vals.get('channel_id') or False)

    def _find_keys(self, returns):
        """Extend to tell references of different channels apart."""
        found = {}
        for sale_return in returns:
            for key in super()._find_keys(sale_return):
                found[*key, sale_return.channel_id.id] = sale_return
        return found

    def action_view_channel_refunds(self):
        """Show what channels paid back on the orders of the returns."""
        self.check_access('read')
        action = self.env['ir.actions.actions']._for_xml_id(
            'sale_return.sale_return_channel_refund_action'
        )
        # sudo: only the ids; access is checked when the refunds are shown.
        orders = self.sudo().line_ids.order_id
        return {**action, 'domain': [('order_id', 'in', orders.ids)], 'context': {}}
