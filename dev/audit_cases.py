"""More cases for the trade that errors are planted into: money paid out twice over, lots, sizes."""

from odoo import Command


def add_cases(trade):
    """Add customers whose money was paid back, lots, and an exchange to the trade.

    They come after the others, so that plants on those see the trade they were written for.
    """
    trade.other_paid = trade.make_return('Other paid', pay=True, refund=True)
    trade.foreign_paid = trade.make_return(
        'Foreign paid', pay=True, refund=True, pricelist_id=trade.price_list.id
    )
    trade.two_goods = trade.make_return('Two goods', second=True, pay=True)
    trade.lots = make_lots(trade)
    trade.exchange = make_exchange(trade)
    trade.env.flush_all()


def make_lots(trade):
    """Sell goods of one lot, and take four of them back."""
    env = trade.env
    tracked = env['product.product'].create(
        {
            'name': "Audited by lot",
            'type': 'consu',
            'is_storable': True,
            'tracking': 'lot',
            'categ_id': trade.product.categ_id.id,
            'standard_price': 60.0,
            'invoice_policy': 'delivery',
            'taxes_id': [Command.clear()],
        }
    )
    lots = env['stock.lot'].create(
        [{'name': name, 'product_id': tracked.id} for name in ('AUDIT-1', 'AUDIT-2')]
    )
    env['stock.quant']._update_available_quantity(
        tracked, trade.warehouse.lot_stock_id, 100, lot_id=lots[0]
    )
    plain, trade.product = trade.product, tracked
    try:
        sale = trade.make_return('Lots')
    finally:
        trade.product = plain
    return {**sale, 'lots': lots}


def make_exchange(trade):
    """Exchange one table for a lamp: credited, delivered and invoiced."""
    env = trade.env
    group = env.ref('sale_return.group_user')
    group._apply_group(env.ref('sale_return.group_exchange'))
    trade.lamp.lst_price = 121.0  # what a table costs with its tax
    sale = trade.make_sale('Exchange', pay=True)
    sale_return = env['sale.return'].create(
        {
            'partner_id': sale['customer'].id,
            'line_ids': [
                {
                    'sale_line_id': sale['order'].order_line.id,
                    'qty_requested': 1,
                    'reason_id': trade.reason.id,
                    'resolution': 'exchange',
                    'exchange_product_id': trade.lamp.id,
                }
            ],
        }
    )
    sale_return.action_submit()
    if sale_return.state == 'submitted':
        sale_return.action_approve()
    trade.process(sale_return.picking_ids)
    sale_return.action_inspect_all('restock')
    order = sale_return.exchange_order_ids
    trade.process(order.picking_ids)
    for invoice in order.invoice_ids.filtered(lambda move: move.state == 'draft'):
        invoice.action_post()
    return {
        **sale,
        'return': sale_return,
        'note': sale_return.credit_note_ids,
        'line': sale_return.credit_note_ids.invoice_line_ids.filtered('sale_line_ids')[:1],
        'new_order': order,
        'new_invoice': order.invoice_ids,
    }
