"""Customers who want another size instead of their money."""

from odoo import Command

from .common_reconciliation import ReconciliationCommon
from .common_refund import RefundCommon


class ExchangeCommon(RefundCommon, ReconciliationCommon):
    """Adds a shirt in three sizes, and exchanges of it, to the world of the tests."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._switch_exchanges()
        cls.small, cls.medium, cls.large = cls._create_sizes("Shirt", 1000)
        cls.inspector = cls._create_user(
            'exchange_inspector', 'base.group_user', 'sale_return.group_inspector'
        )
        cls.policy.exchange_payment = 'account'

    @classmethod
    def _switch_exchanges(cls, on=True):
        group = cls.env.ref('sale_return.group_user').sudo()
        part = cls.env.ref('sale_return.group_exchange').sudo()
        if on:
            group._apply_group(part)
        else:
            group._remove_group(part)

    @classmethod
    def _create_sizes(cls, name, stock, sizes=('S', 'M', 'L'), **values):
        """Create a product in some sizes, with a quantity of each in stock."""
        attribute = cls.env['product.attribute'].create(
            {'name': "Size", 'value_ids': [Command.create({'name': size}) for size in sizes]}
        )
        template = cls.env['product.template'].create(
            {
                'name': name,
                'type': 'consu',
                'is_storable': True,
                'categ_id': cls.category.id,
                'list_price': 100.0,
                'invoice_policy': 'delivery',
                'taxes_id': [Command.clear()],
                'supplier_taxes_id': [Command.clear()],
                'attribute_line_ids': [
                    Command.create(
                        {
                            'attribute_id': attribute.id,
                            'value_ids': [Command.set(attribute.value_ids.ids)],
                        }
                    )
                ],
                **values,
            }
        )
        variants = template.product_variant_ids
        for variant in variants:
            variant.standard_price = 60.0
            cls._put_in_stock(variant, stock)
        return variants

    @classmethod
    def _create_exchange(cls, sale_line, product, quantity=1.0, submit=True, **values):
        """Exchange goods of an order line for a product, as the staff does."""
        sale_return = cls.env['sale.return'].create(
            {
                'partner_id': sale_line.order_id.partner_id.id,
                'line_ids': [
                    Command.create(
                        {
                            'sale_line_id': sale_line.id,
                            'qty_requested': quantity,
                            'reason_id': cls.reason_changed_mind.id,
                            'resolution': 'exchange',
                            'exchange_product_id': product.id,
                            **values,
                        }
                    )
                ],
            }
        )
        if submit:
            sale_return.action_submit()
        return sale_return

    @classmethod
    def _exchange_goods(cls, sale_line, product, quantity=1.0, disposition='restock', **values):
        """Go through all steps: request, receipt, inspection, credit, exchange invoice."""
        sale_return = cls._create_exchange(sale_line, product, quantity, **values)
        cls._receive(sale_return)
        sale_return.action_inspect_all(disposition)
        return sale_return

    def _get_held(self, sale_return):
        """Return what is held, by product."""
        moves = sale_return.sudo().line_ids.exchange_hold_ids.filtered(
            lambda move: move.state not in ('done', 'cancel')
        )
        return {move.product_id: move.quantity for move in moves}

    def _get_money(self, sale_return):
        """Return `(notes, invoices, left of the notes, left of the invoices)`, as amounts."""
        notes = sale_return.credit_note_ids.filtered(lambda move: move.state == 'posted')
        invoices = sale_return.exchange_order_ids.invoice_ids
        return tuple(
            round(sum(moves.mapped(name)), 2)
            for name in ('amount_total', 'amount_residual')
            for moves in (notes, invoices)
        )
