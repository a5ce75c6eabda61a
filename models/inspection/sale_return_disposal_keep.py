from collections import defaultdict

from odoo import api, models
from odoo.exceptions import UserError


class SaleReturnDisposal(models.AbstractModel):
    """The customer keeps the goods: nothing moves, and nothing of it is expected any more."""

    _inherit = 'sale.return.disposal'

    @api.model
    def _ensure_may_leave(self, lines):
        """Refuse to credit goods that nobody gets to see to whoever may not decide on that.

        :param lines: `sale.return.line` records whose goods the customer is to keep.
        :raise AccessError: without the role of approver.
        :raise UserError: when the user asked for the return.
        """
        if not lines:
            return
        returns = lines.return_id.with_env(self.env)
        returns._ensure_group('group_approver')
        if self.env.su:
            return
        # sudo: the role was checked; see `_get_left_to`.
        for sale_return in returns - returns.sudo()._get_left_to(self.env.user):
            if reason := sale_return._get_own_request_reason(self.env.user):
                raise UserError(reason)

    @api.model
    def _ensure_keepable(self, lines, vals_list):
        """Refuse to leave more with the customer than is expected and has not come.

        :param list vals_list: values of the new rows whose goods the customer keeps.
        :raise UserError: naming the product and how much has not come.
        """
        wanted = defaultdict(float)
        for vals in vals_list:
            wanted[lines.browse(vals['line_id'])] += vals['quantity']
        # Other rows come with a move of the goods, which nobody else can move; these do not.
        self.env['sale.order.line'].union(
            *[line.sale_line_id for line in wanted]
        )._take_return_counter()
        for line, quantity in wanted.items():
            missing = line._get_qty_missing()
            if line.product_uom_id.compare(quantity, missing) > 0:
                raise UserError(
                    self.env._(
                        "The customer cannot keep %(quantity)s %(unit)s of %(product)s in return "
                        "%(return)s: %(missing)s are expected and have not come. What has come "
                        "goes another way.",
                        quantity=quantity,
                        unit=line.product_uom_id.name,
                        product=line.product_id.display_name,
                        missing=missing,
                        **{'return': line.return_id.name},
                    )
                )
            uninvoiced = line.sale_line_id._get_qty_uninvoiced(
                self.env['sale.return.ledger']._get_invoiced(line.sale_line_id)[0]
            )
            if line.resolution == 'refund' and line.product_uom_id.compare(uninvoiced, 0.0) > 0:
                raise UserError(
                    self.env._(
                        "%(product)s of order %(order)s is not invoiced completely. Invoice it "
                        "first: what the customer keeps is credited from its invoice.",
                        product=line.product_id.display_name,
                        order=line.order_id.name,
                    )
                )

    @api.model
    def _dispose_keep(self, rows, buckets):
        """Take what the customer keeps off the receipts that expect it."""
        for line, group in rows.grouped('line_id').items():
            left = self._get_kept_goods(line, group)
            receipts = line.move_ids.filtered(
                lambda move: move.state not in ('done', 'cancel') and move._is_sale_return_receipt()
            )
            # The newest first: the oldest parcel is the likeliest one under way.
            for move in receipts.sorted('id', reverse=True):
                part = min(left.get(move.product_id, 0.0), move.product_qty)
                if move.product_id.uom_id.compare(part, 0.0) > 0:
                    self._reduce_receipt(move, part)
                    left[move.product_id] -= part

    @api.model
    def _get_kept_goods(self, line, rows):
        """Return `{product: quantity in its unit}` of what the customer keeps of a line."""
        kit = line.sale_line_id._get_return_kit()
        goods = defaultdict(float)
        for row in rows:
            if row.component_id or not kit:
                goods[row.product_id] += row._get_stock_quantity()
                continue
            for product, (in_one, _share) in kit.items():
                goods[product] += row.quantity * in_one
        return goods

    @api.model
    def _reduce_receipt(self, move, quantity):
        """Expect less of a receipt move (quantity in the unit of the product)."""
        uom = move.product_id.uom_id
        if uom.compare(quantity, move.product_qty) >= 0:
            move._action_cancel()
            return
        move._do_unreserve()
        move.product_uom_qty = uom._compute_quantity(
            move.product_qty - quantity, move.product_uom, rounding_method='HALF-UP'
        )
        move._action_assign()
