from odoo import api, fields, models
from odoo.exceptions import UserError

from ...tools.reader import needed, reads, record_id, text


class SaleReturnLine(models.Model):
    """Goods that are repaired and given back: nothing is credited, and they stay the customer's."""

    _inherit = 'sale.return.line'

    resolution = fields.Selection(
        selection_add=[('repair', "Repair")],
        ondelete={'repair': lambda lines: lines._write_facts({'resolution': 'refund'})},
    )

    @api.model
    def fields_get(self, allfields=None, attributes=None):
        """Override of `base` to offer no repair where the part is switched off."""
        result = super().fields_get(allfields, attributes)
        options = result.get('resolution', {}).get('selection')
        if options and not self.env['sale.return.repair']._is_on():
            result['resolution']['selection'] = [o for o in options if o[0] != 'repair']
        return result

    # === ACTION METHODS === #

    def action_view_repairs(self):
        """Show the repair orders of lines, by the rights of the user on repairs."""
        self.check_access('read')
        self.env['sale.return.repair']._ensure_on()
        # sudo: only the receipts of a line; Odoo's own rights decide which repairs are shown.
        repairs = self.env['sale.return.repair'].sudo()._get_repairs(self.sudo())
        return repairs.with_env(self.env)._get_records_action(name=self.env._("Repairs"))

    @reads(resolution=needed(text), product_id=record_id)
    def action_cannot_repair(self, resolution='refund', product_id=None):
        """Record irreparable goods: they become ours, and the customer gets another resolution.

        :param str resolution: what happens instead: `refund`, `replace` or `exchange`.
        :param int product_id: with `exchange`: what the customer gets.
        :return: True
        :raise AccessError: without the role of inspector.
        :raise UserError: when a line is not to be repaired, was given back, or cannot be exchanged.
        """
        self.return_id._ensure_group('group_inspector')
        self.check_access('read')
        if resolution not in ('refund', 'replace', 'exchange'):
            raise UserError(
                self.env._(
                    "What cannot be repaired is refunded, replaced or exchanged (%(choices)s), not "
                    "%(resolution)s.",
                    choices="refund, replace, exchange",
                    resolution=resolution,
                )
            )
        # sudo: the resolution follows from what the inspector found; their group is checked above.
        for line in self.sudo():
            line._ensure_repair_open()
            line._give_up_repair(resolution, product_id)
        return True

    def _ensure_repair_open(self):
        self.ensure_one()
        if (
            self.resolution != 'repair'
            or self.return_id.state != 'approved'
            or self.qty_inspected
            or not self.qty_received
        ):
            raise UserError(
                self.env._(
                    "%(product)s of return %(return)s is not waiting for a repair. Only goods "
                    "that are here, and were not given back, can be found beyond repair.",
                    product=self.product_id.display_name,
                    **{'return': self.return_id.name},
                )
            )

    def _give_up_repair(self, resolution, product_id):
        """Make irreparable goods ours, and continue with another resolution."""
        self.ensure_one()
        twins = self.return_id.line_ids.filtered(
            lambda other: (
                other != self
                and other.sale_line_id == self.sale_line_id
                and other.reason_id == self.reason_id
                and other.resolution == resolution
            )
        )
        if twins:
            raise UserError(
                self.env._(
                    "Return %(return)s already has %(product)s with this reason and resolution."
                    " Choose another resolution.",
                    product=self.product_id.display_name,
                    **{'return': self.return_id.name},
                )
            )
        service = self.env['sale.return.repair']
        repairs = service._get_repairs(self).filtered(lambda repair: repair.state != 'done')
        repairs.action_repair_cancel()
        self._write_facts({'resolution': resolution})
        service._make_ours(self)
        if resolution == 'exchange':
            self._exchange_beyond_repair(product_id)
        service._log(self, 'repair_impossible', self.product_id.display_name)
        self.return_id._after_step()

    def _exchange_beyond_repair(self, product_id):
        """Choose another product instead of a repair, and hold it.

        :raise UserError: when the return already has an exchange, or the product is not available.
        """
        self.ensure_one()
        if self.return_id.exchange_order_ids:
            raise UserError(
                self.env._(
                    "Return %(return)s already has an exchange. Choose a refund for %(product)s.",
                    product=self.product_id.display_name,
                    **{'return': self.return_id.name},
                )
            )
        product = self.env['product.product'].browse(product_id or []).exists()
        self._write_facts(
            {'exchange_product_id': product.id, 'exchange_quantity': self.qty_received}
        )
        if product:
            prices = self.env['sale.return.exchange']._get_proposed_prices(self)
            self._write_facts({'exchange_price': prices[self]})
        self._ensure_exchangeable()
        self.env['sale.return.exchange.order']._begin(self.return_id)

    # === QUANTITIES === #

    def _has_open_replacement(self):
        """Extend to wait for repaired goods until they have left."""
        if self.resolution == 'repair':
            return self._get_measure().compare(self.qty_sent_back, self.qty_inspected) < 0
        return super()._has_open_replacement()

    # === RESOLVE === #

    @api.model
    def _resolve_repair(self, lines):
        """Plan the repair of received goods."""
        # sudo: users who receive goods need no rights in Repairs.
        lines = lines.sudo().filtered(lambda line: line.return_id.state == 'approved')
        if lines and 'repair.order' in self.env:
            self.env['sale.return.repair'].sudo()._plan(lines)

    # === GUARDS === #

    def _ensure_submittable(self, returns):
        """Extend to refuse to repair what cannot be repaired.

        :raise UserError: naming the product and what to do.
        """
        result = super()._ensure_submittable(returns)
        lines = self.filtered(lambda line: line.resolution == 'repair')
        service = self.env['sale.return.repair']
        if lines:
            service._ensure_on()
        # sudo: the result does not depend on what the clerk may read.
        for line in lines.sudo():
            repairable = line.sale_line_id and service._is_repairable(line.sale_line_id)
            if not repairable or not line.return_expected:
                raise UserError(
                    self.env._(
                        "%(product)s cannot be repaired: it is a service or a kit, belongs to "
                        "no order, or is not sent back. Choose another resolution.",
                        product=line.product_id.display_name,
                    )
                )
        return result
