"""Attack by two at once: the same step by two users, or two steps that exclude each other.

Real transactions on real connections, retried as Odoo's server does. Each pair is tried several
times on documents of its own, and afterwards nothing may have been decided, credited, paid or
spent twice: whatever was answered, the sums have to be right.
"""

import logging
import threading
from collections import Counter

from odoo import api
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.service.model import call_kw, retrying

PRICE = 100.0
QUANTITY = 4
# Budgets that one decision keeps, and two exceed.
LIMIT = 150.0
GROUPS = {
    'clerk': ('sale_return.group_user', 'sales_team.group_sale_salesman_all_leads'),
    'inspector': ('sale_return.group_inspector', 'stock.group_stock_user'),
    'approver': ('sale_return.group_approver', 'sales_team.group_sale_salesman_all_leads'),
    'accountant': ('sale_return.group_approver', 'account.group_account_invoice'),
}


def run(env, times='4', only=''):
    """Try each pair several times and print what was answered, and what came through.

    :param str times: how often each pair is tried.
    :param str only: part of the name of the pairs that are tried.
    :return: whether nothing came through, and nothing failed.
    :rtype: bool
    """
    logging.getLogger('odoo.sql_db').setLevel(logging.CRITICAL)
    logging.getLogger('odoo.service.model').setLevel(logging.CRITICAL)
    world = World(env)
    wrong, calls = [], 0
    for name in sorted(name for name in dir(Pairs) if name.startswith('try_') and only in name):
        answers = Counter()
        for _time in range(int(times)):
            pairs = Pairs(world)
            found = []
            try:
                found = getattr(pairs, name)() or []
            except Exception as error:  # noqa: BLE001
                found = [f"set-up: {error!r}"]
                env.cr.rollback()
            answers.update(pairs.answers)
            calls += len(pairs.answers)
            wrong += [f"{name[4:]}: {text}" for text in found]
            broken = [text for text in pairs.answers if text.startswith('broken')]
            wrong += [f"{name[4:]}: {text}" for text in broken]
        print(f"{name[4:]:40} {dict(answers)}", flush=True)
    print(f"{calls} calls; wrong: {len(wrong)}")
    for text in wrong:
        print(f"  {text}")
    return not wrong


class World:
    """Users with one role each, customers with a login, and a policy that asks an approver."""

    def __init__(self, env):
        from odoo.addons.sale_return.benchmarks import shop

        self.env, self.shop = env, shop
        self.company = env.company
        self.company.write(
            {
                'sale_return_unbacked_agent_limit': 0,
                'sale_return_unbacked_customer_limit': 0,
                'sale_return_unbacked_order_limit': 0,
            }
        )
        self.product = shop.create_products(env, ["Raced"], standard_price=6.0)
        self.warehouse = env['stock.warehouse'].search(
            [('company_id', '=', env.company.id)], limit=1
        )
        shop.put_in_stock(self.warehouse.lot_stock_id, {self.product: 5000.0})
        self.tag = env['res.partner.category'].create({'name': "Raced"})
        env.ref('sale_return.policy_standard').copy(
            {
                'name': "Raced",
                'sequence': 1,
                'partner_category_ids': self.tag.ids,
                'approval': 'always',
            }
        )
        self.journal = env['account.journal'].search(
            [('type', '=', 'bank'), ('company_id', '=', env.company.id)], limit=1
        )
        self.users = {}
        for role, groups in GROUPS.items():
            for number in (1, 2):
                self.users[role, number] = env['res.users'].create(
                    {
                        'name': f"{role} {number}",
                        'login': f'race_{role}_{number}',
                        'group_ids': [Command.set([env.ref(group).id for group in groups])],
                    }
                )
        env.cr.commit()

    def sell(self, quantity=QUANTITY, partner=None, paid=False):
        """Return an order that is delivered, billed and, if asked for, paid."""
        env = self.env
        partner = partner or env['res.partner'].create(
            {'name': "Raced Customer", 'category_id': self.tag.ids, 'email': 'raced@example.com'}
        )
        line = {
            'product_id': self.product.id,
            'product_uom_qty': quantity,
            'price_unit': PRICE,
            'tax_ids': [Command.clear()],
        }
        order = env['sale.order'].create(
            {'partner_id': partner.id, 'order_line': [Command.create(line)]}
        )
        order.action_confirm()
        self.shop.deliver(order)
        invoice = self.shop.invoice(order)
        if paid:
            env['account.payment.register'].with_context(
                active_model='account.move', active_ids=invoice.ids
            ).create({'journal_id': self.journal.id})._create_payments()
        return order

    def ask(self, order, quantity=1, reason='defective', **values):
        """Return a submitted return."""
        sale_return = self.env['sale.return'].create(
            {
                'partner_id': order.partner_id.id,
                'line_ids': [Command.create(self.prepare_line(order, quantity, reason))],
                **values,
            }
        )
        sale_return.action_submit()
        return sale_return

    def prepare_line(self, order, quantity=1, reason='defective'):
        return {
            'sale_line_id': order.order_line.id,
            'qty_requested': quantity,
            'reason_id': self.env.ref(f'sale_return.reason_{reason}').id,
        }

    def receive(self, sale_return, inspected=True):
        """Approve and receive a return, and inspect it if asked for."""
        sale_return.with_user(self.users['approver', 1]).action_approve()
        self.shop.validate(sale_return.picking_ids)
        if inspected:
            sale_return.action_inspect_all('restock')
        return sale_return

    def call(self, role, number, records, method, *args, **kwargs):
        """Return a call for `Pairs.race`; `records` are those of the set-up."""
        uid = self.users[role, number].id
        ids = [] if method in ('create', 'create_from') else [records.ids]
        return uid, records._name, method, [*ids, *args], kwargs


class Pairs:
    """The pairs; each returns what is wrong afterwards."""

    def __init__(self, world):
        self.world, self.env = world, world.env
        self.call = world.call
        self.answers = []

    def race(self, *calls):
        """Do the calls at the same moment, each in a transaction that Odoo retries."""
        self.env.cr.commit()
        barrier = threading.Barrier(len(calls))
        dbname = self.env.cr.dbname
        lock = threading.Lock()

        def work(uid, model, method, args, kwargs):
            threading.current_thread().dbname = dbname
            with self.env.registry.cursor() as cr:
                env = api.Environment(cr, uid, {})
                env[model].browse()
                barrier.wait()
                try:
                    retrying(lambda: call_kw(env[model], method, args, kwargs), env)
                    answer = 'done'
                except UserError as error:
                    cr.rollback()
                    answer = f"refused: {str(error)[:60]}"
                except Exception as error:  # noqa: BLE001
                    cr.rollback()
                    answer = f"broken: {method}: {error!r}"[:160]
            with lock:
                self.answers.append(answer)

        threads = [threading.Thread(target=work, args=call) for call in calls]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.env.cr.rollback()
        self.env.invalidate_all()

    def check(self, *expectations):
        return [
            f"{what}: {got}, not {wanted}" for what, got, wanted in expectations if got != wanted
        ]

    def count_notes(self, records):
        notes = records.credit_note_ids.filtered(lambda note: note.state == 'posted')
        return sum(notes.mapped('amount_total'))

    # === DECISIONS === #

    def _decide(self, first, second, done):
        sale_return = self.world.ask(self.world.sell())
        self.race(
            self.call(*first[0], sale_return, *first[1:]),
            self.call(*second[0], sale_return, *second[1:]),
        )
        receipts = sale_return.picking_ids.filtered(lambda p: p.state != 'cancel')
        steps = sale_return.event_ids.filtered(lambda e: e.state_from == 'submitted')
        return self.check(
            ("receipts", len(receipts), int(sale_return.state == 'approved')),
            ("decisions", len(steps), 1),
            ("state", sale_return.state in done, True),
        )

    def try_approve_approve(self):
        return self._decide(
            (('approver', 1), 'action_approve'), (('approver', 2), 'action_approve'), ['approved']
        )

    def try_approve_refuse(self):
        return self._decide(
            (('approver', 1), 'action_approve'),
            (('approver', 2), 'action_refuse', "No."),
            ['approved', 'refused'],
        )

    def try_approve_draft(self):
        return self._decide(
            (('approver', 1), 'action_approve'),
            (('clerk', 1), 'action_draft'),
            ['approved', 'draft'],
        )

    def try_approve_cancel(self):
        sale_return = self.world.ask(self.world.sell())
        self.race(
            self.call('approver', 1, sale_return, 'action_approve'),
            self.call('clerk', 1, sale_return, 'action_cancel'),
        )
        receipts = sale_return.picking_ids.filtered(lambda p: p.state != 'cancel')
        return self.check(
            ("receipts", len(receipts), int(sale_return.state == 'approved')),
            ("state", sale_return.state in ('approved', 'cancelled'), True),
        )

    def try_approve_while_the_line_changes(self):
        """An approver decides on one unit while it becomes four."""
        sale_return = self.world.ask(self.world.sell())
        line = sale_return.line_ids
        self.race(
            self.call('approver', 1, sale_return, 'action_approve'),
            self.call('clerk', 1, line, 'write', {'qty_requested': 4}),
        )
        if sale_return.state != 'approved':
            return []
        return self.check(
            ("authorized", line.qty_authorized <= line.qty_requested, True),
            (
                "expected",
                sum(sale_return.picking_ids.move_ids.mapped('product_uom_qty')),
                line.qty_authorized,
            ),
        )

    def try_more_than_was_delivered(self):
        order = self.world.sell()
        drafts = self.env['sale.return'].create(
            [
                {
                    'partner_id': order.partner_id.id,
                    'line_ids': [Command.create(self.world.prepare_line(order, 3))],
                }
                for _number in range(2)
            ]
        )
        self.race(
            *(self.call('clerk', n + 1, draft, 'action_submit') for n, draft in enumerate(drafts))
        )
        asked = drafts.filtered(lambda r: r.state in ('submitted', 'approved'))
        return self.check(("returns", len(asked), 1))

    def try_same_reference(self):
        order = self.world.sell()
        vals = {
            'partner_id': order.partner_id.id,
            'external_ref': f'RACE-{order.id}',
            'line_ids': [Command.create(self.world.prepare_line(order))],
        }
        self.race(*(self.call('clerk', n, self.env['sale.return'], 'create', vals) for n in (1, 2)))
        found = self.env['sale.return'].search([('external_ref', '=', f'RACE-{order.id}')])
        return self.check(("returns", len(found), 1))

    # === GOODS === #

    def try_receive_receive(self):
        sale_return = self.world.ask(self.world.sell(), 2)
        sale_return.with_user(self.world.users['approver', 1]).action_approve()
        picking = sale_return.picking_ids
        self.race(*(self.call('inspector', n, picking, 'button_validate') for n in (1, 2)))
        return self.check(("received", sale_return.line_ids.qty_received, 2.0))

    def try_receive_cancel(self):
        sale_return = self.world.ask(self.world.sell(), 2)
        sale_return.with_user(self.world.users['approver', 1]).action_approve()
        picking = sale_return.picking_ids
        self.race(
            self.call('inspector', 1, picking, 'button_validate'),
            self.call('approver', 1, sale_return, 'action_cancel'),
        )
        received = sale_return.line_ids.qty_received
        return self.check(
            ("cancelled with goods", sale_return.state == 'cancelled' and received > 0, False)
        )

    def try_inspect_inspect(self):
        sale_return = self.world.receive(self.world.ask(self.world.sell(), 2), inspected=False)
        self.race(
            *(
                self.call('inspector', n, sale_return, 'action_inspect_all', 'restock')
                for n in (1, 2)
            )
        )
        line = sale_return.line_ids
        return self.check(
            ("inspected", line.qty_inspected, 2.0),
            ("credited", self.count_notes(sale_return), 200.0),
        )

    def try_inspect_two_ways(self):
        sale_return = self.world.receive(self.world.ask(self.world.sell(), 2), inspected=False)
        self.race(
            self.call('inspector', 1, sale_return, 'action_inspect_all', 'restock'),
            self.call('inspector', 2, sale_return, 'action_inspect_all', 'scrap'),
        )
        return self.check(
            ("inspected", sale_return.line_ids.qty_inspected, 2.0),
            ("credited", self.count_notes(sale_return), 200.0),
        )

    # === MONEY === #

    def try_credit_credit(self):
        sale_return = self.world.receive(self.world.ask(self.world.sell(), 2))
        self.race(
            *(self.call('accountant', n, sale_return, 'action_create_credit_notes') for n in (1, 2))
        )
        return self.check(("credited", self.count_notes(sale_return), 200.0))

    def _pay(self, *calls):
        sale_return = self.world.receive(self.world.ask(self.world.sell(paid=True), 2))
        self.env.cr.commit()
        self.race(*(self.call(*who, sale_return, *what) for who, *what in calls))
        self.race(*(self.call('accountant', n, sale_return, 'action_post_refunds') for n in (1, 2)))
        return sale_return

    def _get_paid(self, sale_return):
        refunds = sale_return.credit_note_ids.sale_return_refund_ids
        return sum(
            refunds.filtered(lambda r: r.state not in ('cancelled', 'failed')).mapped('amount')
        )

    def try_refund_refund(self):
        sale_return = self._pay(
            (('accountant', 1), 'action_refund'), (('accountant', 2), 'action_refund')
        )
        return self.check(("paid", self._get_paid(sale_return), 200.0))

    def try_refund_on_account(self):
        sale_return = self._pay(
            (('accountant', 1), 'action_refund'),
            (('accountant', 2), 'action_leave_on_account', "They want it."),
        )
        notes = sale_return.credit_note_ids
        both = any(notes.mapped('sale_return_on_account')) and self._get_paid(sale_return) > 0
        return self.check(("both", both, False))

    def try_two_payouts_of_a_person(self):
        """Each is within the limit of one person, and both are above it."""
        order = self.world.sell(paid=True)
        other = self.world.sell(partner=order.partner_id, paid=True)
        asked = [self.world.receive(self.world.ask(one)) for one in (order, other)]
        self._limit(sale_return_second_person_above=LIMIT)
        for sale_return in asked:
            self.race(self.call('accountant', 1, sale_return, 'action_refund'))
        self.race(*(self.call('accountant', 1, one, 'action_post_refunds') for one in asked))
        paid = asked[0].union(*asked).credit_note_ids.sale_return_refund_ids
        paid = paid.filtered(lambda p: p.released_by_id == self.world.users['accountant', 1])
        self._limit(sale_return_second_person_above=0)
        return self.check(("paid alone", sum(paid.mapped('amount')) <= LIMIT, True))

    def try_exchange_of_rights(self):
        """An approver loses the role while they approve."""
        sale_return = self.world.ask(self.world.sell())
        users = self.world.users
        group = self.env.ref('sale_return.group_approver').id
        admin = self.env.user.id, 'res.users', 'write'
        leave = (*admin, [users['approver', 2].ids, {'group_ids': [Command.unlink(group)]}], {})
        self.race(self.call('approver', 2, sale_return, 'action_approve'), leave)
        self.race(
            (*leave[:3], [users['approver', 2].ids, {'group_ids': [Command.link(group)]}], {})
        )
        return self.check(
            ("receipts", len(sale_return.picking_ids), int(sale_return.state == 'approved'))
        )

    def try_refund_pay_by_hand(self):
        sale_return = self.world.receive(self.world.ask(self.world.sell(paid=True), 2))
        notes = sale_return.credit_note_ids
        accountant = self.world.users['accountant', 2]
        wizard = (
            self.env['account.payment.register']
            .with_user(accountant)
            .with_context(active_model='account.move', active_ids=notes.ids)
            .create({'journal_id': self.world.journal.id})
        )
        self.race(
            self.call('accountant', 1, sale_return, 'action_refund'),
            self.call('accountant', 2, wizard, 'action_create_payments'),
        )
        self.race(*(self.call('accountant', n, sale_return, 'action_post_refunds') for n in (1, 2)))
        payments = self.env['account.payment'].search(
            [
                ('partner_id', '=', sale_return.partner_id.id),
                ('payment_type', '=', 'outbound'),
                ('state', 'in', ('in_process', 'paid')),
            ]
        )
        return self.check(("paid", sum(payments.mapped('amount')) <= 200.0, True))

    def try_goodwill_goodwill(self):
        self._limit(sale_return_unbacked_customer_limit=LIMIT)
        order = self.world.sell()
        arguments = (100.0, self.env.ref('sale_return.reason_goodwill_gesture').id, "Sorry")
        self.race(
            *(
                self.call('accountant', n, order.invoice_ids, 'grant_goodwill', *arguments)
                for n in (1, 2)
            )
        )
        notes = order.invoice_ids.reversal_move_ids.filtered(lambda m: m.state == 'posted')
        self._limit(sale_return_unbacked_customer_limit=0)
        return self.check(("granted", sum(notes.mapped('amount_total')) <= LIMIT, True))

    def _limit(self, **values):
        self.world.company.write(values)
        self.env.cr.commit()

    def _spend(self, orders, users, **limit):
        self._limit(**limit)
        asked = [self.world.ask(order, reason='missing') for order in orders]
        self.race(
            *(
                self.call('approver', n, sale_return, 'action_approve')
                for n, sale_return in zip(users, asked, strict=True)
            )
        )
        self._limit(**dict.fromkeys(limit, 0))
        returns = asked[0].union(*asked)
        return self.check(
            ("credited", self.count_notes(returns) <= LIMIT, True),
            ("approved", len(returns.filtered(lambda r: r.state in ('approved', 'closed'))), 1),
        )

    def try_budget_of_a_customer(self):
        order = self.world.sell()
        other = self.world.sell(partner=order.partner_id)
        return self._spend([order, other], (1, 2), sale_return_unbacked_customer_limit=LIMIT)

    def try_budget_of_an_order(self):
        order = self.world.sell()
        return self._spend([order, order], (1, 2), sale_return_unbacked_order_limit=LIMIT)

    def try_budget_of_a_person(self):
        orders = [self.world.sell(), self.world.sell()]
        spent = self.env['sale.return.unbacked'].search(
            [('user_id', '=', self.world.users['approver', 1].id)]
        )
        used = sum(spent.mapped('amount'))
        return self._spend(orders, (1, 1), sale_return_unbacked_agent_limit=used + LIMIT)

    def try_goodwill_missing(self):
        """Two kinds of credits without goods share one budget."""
        self._limit(sale_return_unbacked_customer_limit=LIMIT)
        order = self.world.sell()
        sale_return = self.world.ask(order, reason='missing')
        reason = self.env.ref('sale_return.reason_goodwill_gesture').id
        self.race(
            self.call('approver', 1, sale_return, 'action_approve'),
            self.call('accountant', 2, order.invoice_ids, 'grant_goodwill', 100.0, reason, "Sorry"),
        )
        self._limit(sale_return_unbacked_customer_limit=0)
        notes = order.invoice_ids.reversal_move_ids.filtered(lambda m: m.state == 'posted')
        return self.check(("credited", sum(notes.mapped('amount_total')) <= LIMIT, True))

    def try_close_credit(self):
        sale_return = self.world.receive(self.world.ask(self.world.sell(), 2), inspected=False)
        self.race(
            self.call('inspector', 1, sale_return, 'action_inspect_all', 'restock'),
            self.call('approver', 2, sale_return, 'action_close', "Done."),
        )
        inspected = sale_return.line_ids.qty_inspected
        return self.check(("credited", self.count_notes(sale_return), 100.0 * inspected))

    # === APPEALS AND DIFFERENCES === #

    def try_appeal_appeal(self):
        sale_return = self.world.ask(self.world.sell())
        sale_return.with_user(self.world.users['approver', 1]).action_refuse("No.")
        self.race(*(self.call('clerk', n, sale_return, 'action_appeal', "But") for n in (1, 2)))
        return self.check(("appeals", len(sale_return.appeal_ids), 1))

    def try_resolve_resolve(self):
        sale_return = self.world.ask(self.world.sell(), 3)
        sale_return.with_user(self.world.users['approver', 1]).action_approve()
        values = {'kind': 'short', 'quantity': 1, 'line_id': sale_return.line_ids.id}
        row = sale_return.register_discrepancies([values])
        self.race(
            *(self.call('inspector', n, row, 'action_resolve', 'write_off', "Lost") for n in (1, 2))
        )
        steps = sale_return.event_ids.filtered(lambda e: e.kind == 'discrepancy_resolved')
        return self.check(("resolved", len(steps), 1))
