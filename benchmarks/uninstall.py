"""Check that uninstalling leaves stock and credit notes right, and Odoo working.

Run by `dev/lifecycle uninstall` in two processes: the first one creates trade and uninstalls, the
second one restarts Odoo and checks the rest.
"""

import importlib.util
import json
from pathlib import Path

from odoo.fields import Command

# By path: Odoo must not load the add-on in the second process.
HERE = Path(__file__).parent
STATE = 'sale_return.uninstall_check'
PRODUCT = "Uninstall Check"
DOCUMENTS = ('stock.move', 'stock.picking', 'account.move', 'account.move.line', 'stock.quant')


def load(name):
    spec = importlib.util.spec_from_file_location(f'sale_return_{name}', HERE / f'{name}.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


shop, report = load('shop'), load('report')


def run(env, phase):
    """Run one of the two phases.

    :param str phase: `uninstall` or `check`.
    :return: whether all is well.
    :rtype: bool
    """
    return {'uninstall': trade_and_uninstall, 'check': check}[phase](env)


# --- before --------------------------------------------------------------------------------------


def trade_and_uninstall(env):
    """Create returns in every state, record the data, and uninstall."""
    orders = sell(env, 6)
    waiting = create_return(orders[0])
    inspecting = receive(create_return(orders[1]))
    credited = receive(create_return(orders[2]))
    credited.action_inspect_all('restock')
    # Open returns keep the terms under which they were requested.
    env.ref('sale_return.policy_standard').credit_posting = 'draft'
    draft = receive(create_return(orders[3], quantity=2))
    draft.action_inspect_all('restock')
    refused = receive(create_return(orders[4], quantity=1))
    refused.action_inspect_all('send_back')
    returns = waiting | inspecting | credited | draft | refused
    print(
        "Returns:", ", ".join(f"{r.state}/{r.inspection_state}/{r.credit_state}" for r in returns)
    )
    print("Notes:", ", ".join(returns.credit_note_ids.mapped('state')))
    warehouse = orders.warehouse_id
    env.flush_all()
    state = {
        'orders': orders.ids,
        'notes': returns.credit_note_ids.ids,
        'open_transfers': get_open_transfers(env, warehouse).ids,
        'warehouse': warehouse.id,
        'return_type': warehouse.sale_return_type_id.id,
        'quarantine': warehouse.sale_return_loc_id.id,
        'snapshot': take_snapshot(env),
    }
    env['ir.config_parameter'].sudo().set_param(STATE, json.dumps(state))
    env.cr.commit()
    module = env['ir.module.module'].search([('name', '=', 'sale_return')])
    module.button_immediate_uninstall()
    return True


def get_open_transfers(env, warehouse):
    """Return pending moves into or out of the quarantine, demo data included."""
    quarantine = warehouse.sale_return_loc_id
    pickings = env['stock.picking'].search(
        ['|', ('location_id', '=', quarantine.id), ('location_dest_id', '=', quarantine.id)]
    )
    return pickings.filtered(lambda picking: picking.state not in ('done', 'cancel'))


def sell(env, count):
    """Return orders for 5 pieces each, delivered and invoiced."""
    product = shop.create_products(env, [PRODUCT], list_price=10, standard_price=6)
    partner = env['res.partner'].create({'name': PRODUCT})
    orders = env['sale.order'].create(
        [
            {
                'partner_id': partner.id,
                'order_line': [Command.create({'product_id': product.id, 'product_uom_qty': 5})],
            }
            for _order in range(count)
        ]
    )
    orders.action_confirm()
    shop.put_in_stock(orders.warehouse_id.lot_stock_id, {product: 5 * count})
    shop.deliver(orders)
    shop.invoice(orders)
    return orders


def create_return(order, quantity=5):
    sale_return = order.env['sale.return'].create(
        {
            'partner_id': order.partner_id.id,
            'line_ids': [
                {
                    'sale_line_id': order.order_line.id,
                    'qty_requested': quantity,
                    'reason_id': order.env.ref('sale_return.reason_other').id,
                }
            ],
        }
    )
    sale_return.action_submit()
    return sale_return


def receive(sale_return):
    sale_return.picking_ids.move_ids.picked = True
    shop.validate(sale_return.picking_ids)
    return sale_return


def take_snapshot(env):
    """Return data that must not change: documents, stock by location, amounts of accounts."""
    snapshot = {model: env[model].search_count([]) for model in DOCUMENTS}
    env.cr.execute("SELECT location_id, SUM(quantity)::text FROM stock_quant GROUP BY 1 ORDER BY 1")
    snapshot['stock'] = env.cr.fetchall()
    env.cr.execute(
        "SELECT account_id, SUM(balance)::text FROM account_move_line GROUP BY 1 ORDER BY 1"
    )
    snapshot['ledger'] = env.cr.fetchall()
    # In the form in which it is read from the parameter.
    return json.loads(json.dumps(snapshot))


# --- after ---------------------------------------------------------------------------------------


def check(env):
    """Check what remains after the uninstallation, and continue with Odoo alone."""
    checks = report.Checks()
    state = json.loads(env['ir.config_parameter'].sudo().get_param(STATE))
    checks.add("the add-on is gone", 'sale.return' not in env)
    for name, value in take_snapshot(env).items():
        checks.add(f"{name} as before", value == state['snapshot'][name])
    warehouse = env['stock.warehouse'].browse(state['warehouse'])
    checks.equal(
        "deliveries come back as receipts",
        warehouse.out_type_id.return_picking_type_id,
        warehouse.in_type_id,
    )
    check_quarantine(env, checks, state, warehouse)
    check_notes(env, checks, state)
    check_trade(env, checks)
    check_leftovers(env, checks)
    checks.print()
    return checks.passed


def check_quarantine(env, checks, state, warehouse):
    """Finish the open transfers, then empty the quarantine with one of Odoo's own."""
    quarantine = env['stock.location'].browse(state['quarantine'])
    checks.add(
        "returns type exists", env['stock.picking.type'].browse(state['return_type']).exists()
    )
    for transfer in env['stock.picking'].browse(state['open_transfers']):
        before = transfer.state
        transfer.move_ids.picked = True
        shop.validate(transfer)
        name = f"{transfer.name}, open before, can be done"
        checks.equal(name, (before, transfer.state), ('assigned', 'done'))
    quants = env['stock.quant'].search([('location_id', '=', quarantine.id), ('quantity', '>', 0)])
    own = quants.filtered(lambda quant: quant.product_id.name == PRODUCT)
    checks.equal("goods in quarantine", sum(own.mapped('quantity')), 10.0)
    transfer = env['stock.picking'].create(
        {
            'picking_type_id': warehouse.int_type_id.id,
            'location_id': quarantine.id,
            'location_dest_id': warehouse.lot_stock_id.id,
            'move_ids': [
                Command.create(
                    {
                        'product_id': product.id,
                        'product_uom_qty': sum(group.mapped('quantity')),
                        'location_id': quarantine.id,
                        'location_dest_id': warehouse.lot_stock_id.id,
                    }
                )
                for product, group in quants.grouped('product_id').items()
            ],
        }
    )
    transfer.action_confirm()
    transfer.action_assign()
    transfer.move_ids.picked = True
    shop.validate(transfer)
    checks.equal("goods can leave quarantine", transfer.state, 'done')
    quarantine.action_archive()
    checks.add("the empty quarantine can be archived", not quarantine.active)


def check_notes(env, checks, state):
    notes = env['account.move'].browse(state['notes'])
    drafts = notes.filtered(lambda note: note.state == 'draft')
    checks.equal("draft notes", len(drafts), 1)
    drafts.action_post()
    checks.equal("notes are posted", set(notes.mapped('state')), {'posted'})
    checks.equal(
        "notes keep their invoices",
        notes.reversed_entry_id.mapped('state'),
        ['posted'] * len(notes),
    )
    orders = env['sale.order'].browse(state['orders'])
    checks.equal("delivered", orders.order_line.mapped('qty_delivered'), [0, 0, 0, 3, 5, 5])


def check_trade(env, checks):
    """Sell, return with Odoo's wizard, credit with Odoo's reversal."""
    order = sell(env, 1)
    delivery = order.picking_ids
    wizard = (
        env['stock.return.picking']
        .with_context(active_id=delivery.id, active_ids=delivery.ids, active_model=delivery._name)
        .create({})
    )
    wizard.product_return_moves.quantity = 2
    receipt = delivery.browse(wizard.action_create_returns()['res_id'])
    checks.equal("returned to", receipt.location_dest_id, order.warehouse_id.lot_stock_id)
    receipt.move_ids.picked = True
    shop.validate(receipt)
    checks.equal("delivered after return", order.order_line.qty_delivered, 3.0)
    checks.equal("to invoice after return", order.order_line.qty_to_invoice, -2.0)
    note = order._create_invoices(final=True)
    note.action_post()
    checks.equal("credited", (note.move_type, note.amount_untaxed), ('out_refund', 20.0))


def check_leftovers(env, checks):
    """Find references to the uninstalled add-on in the database."""
    env.cr.execute(
        """
        SELECT table_name || '.' || column_name FROM information_schema.columns
         WHERE table_schema = 'public'
           AND (table_name LIKE 'sale\\_return%' OR column_name LIKE '%sale\\_return%'
                OR column_name IN ('credited_line_id', 'qty_returned'))
        """
    )
    checks.equal("columns left", [name for (name,) in env.cr.fetchall()], [])
    env.cr.execute("SELECT proname FROM pg_proc WHERE proname LIKE 'sale\\_return%'")
    checks.equal("functions left", [name for (name,) in env.cr.fetchall()], [])
    for model in ('ir.cron', 'ir.actions.actions', 'ir.ui.view', 'res.groups'):
        env.cr.execute(
            "SELECT COUNT(*) FROM ir_model_data WHERE module = 'sale_return' AND model = %s",
            [model],
        )
        checks.equal(f"{model} left", env.cr.fetchone()[0], 0)
