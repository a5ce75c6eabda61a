"""Odoo's own part of a sale, with Odoo's own methods: stock, delivery, invoice.

Used by the stories in `dev/`, by the benchmark and by the test that replays real trade.
"""

from odoo.fields import Command

# Dialogs that Odoo may open when a transfer is validated, and their confirming button.
DIALOGS = {
    'stock.backorder.confirmation': 'process',
    'confirm.stock.sms': 'dont_send_sms',
    'expiry.picking.confirmation': 'process',
}


def put_in_stock(location, quantities):
    """Make sure that quantities are there for orders just confirmed, by an inventory adjustment.

    Waiting orders for the same products would take the new stock, so they get theirs, too.

    :param location: `stock.location`.
    :param dict quantities: `{product.product: quantity in its unit}`.
    """
    vals_list = []
    for product, quantity in quantities.items():
        in_location = product.with_context(location=location.id)
        wanted = max(in_location.outgoing_qty, quantity)
        if product.is_storable and in_location.qty_available < wanted:
            vals_list.append(
                {
                    'product_id': product.id,
                    'location_id': location.id,
                    'inventory_quantity': wanted,
                }
            )
    if vals_list:
        quants = location.env['stock.quant'].with_context(inventory_mode=True).create(vals_list)
        quants.action_apply_inventory()


def validate(pickings):
    """Validate transfers as their button does, answering the dialogs that it may open.

    :param pickings: `stock.picking` records that are ready.
    """
    answer = pickings.button_validate()
    while isinstance(answer, dict) and answer.get('res_model') in DIALOGS:
        model = pickings.env[answer['res_model']].with_context(**answer['context'])
        wizard = model.browse(answer.get('res_id')) or model.create({})
        answer = getattr(wizard, DIALOGS[answer['res_model']])()


def deliver(orders):
    """Deliver everything that confirmed orders have open.

    :param orders: `sale.order` records with enough stock.
    :return: the deliveries.
    :rtype: stock.picking
    """
    pickings = orders.picking_ids.filtered(lambda picking: picking.state not in ('done', 'cancel'))
    pickings.action_assign()
    validate(pickings)
    return pickings


def invoice(orders):
    """Invoice orders, one invoice each, and post the invoices.

    :param orders: `sale.order` records.
    :return: the posted invoices, in the order of the orders.
    :rtype: account.move
    """
    invoices = orders._create_invoices(grouped=True)
    invoices.action_post()
    return invoices


def create_products(env, names, **values):
    """Create storable products that are invoiced on delivery.

    :param list names: their names.
    :return: the products, in the order of the names.
    :rtype: product.product
    """
    return env['product.product'].create(
        [
            {
                'name': name,
                'type': 'consu',
                'is_storable': True,
                'invoice_policy': 'delivery',
                'taxes_id': [Command.clear()],
                **values,
            }
            for name in names
        ]
    )


def get_sale_tax(env, percent=20.0):
    """Return the sale tax with this percentage, not included in prices; created if missing."""
    domain = [
        ('type_tax_use', '=', 'sale'),
        ('amount_type', '=', 'percent'),
        ('amount', '=', percent),
        ('price_include_override', '!=', 'tax_included'),
        ('company_id', '=', env.company.id),
    ]
    tax = env['account.tax'].search(domain, limit=1)
    return tax or env['account.tax'].create(
        {
            'name': f"{percent:g}%",
            'type_tax_use': 'sale',
            'amount_type': 'percent',
            'amount': percent,
            'price_include_override': 'tax_excluded',
        }
    )
