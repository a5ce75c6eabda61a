"""Settlements of channels come into the ledger when an accountant posts them, once, to the cent."""

from odoo import SUPERUSER_ID, Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from ..channel.test_channel_import import ChannelFilesCommon
from ..channel.test_channel_readers import FILES

AMAZON = FILES / 'amazon_settlement_v2' / 'us_27010000011.txt'
STRIPE = FILES / 'stripe_balance' / 'balance_change_from_activity_itemized_eur.csv'


@tagged('post_install', '-at_install')
class TestChannelSettlement(ChannelFilesCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.bookkeeper = cls._create_user('channel_books', 'account.group_account_basic')
        company = cls.env.company
        env = cls.env(su=True)
        cls.expense = env['account.account'].create(
            {'name': "Fees", 'code': 'CHFEE', 'account_type': 'expense'}
        )
        cls.special = cls.expense.copy({'name': "Commission", 'code': 'CHCOM'})
        cls.input_tax = cls.expense.copy({'name': "Input tax", 'code': 'CHTAX'})
        cls.tax = env['account.tax'].create(
            {
                'name': "Tax in fees",
                'type_tax_use': 'purchase',
                'amount': 25,
                'invoice_repartition_line_ids': cls._get_repartition('invoice'),
                'refund_repartition_line_ids': cls._get_repartition('refund'),
            }
        )
        cls.journal = env['account.journal'].create(
            {'name': "Channel", 'code': 'CHAN', 'type': 'bank', 'company_id': company.id}
        )

    @classmethod
    def _get_repartition(cls, kind):
        return [
            Command.create({'document_type': kind, 'repartition_type': 'base'}),
            Command.create(
                {'document_type': kind, 'repartition_type': 'tax', 'account_id': cls.input_tax.id}
            ),
        ]

    def _make_settled(self, platform, path, book, **values):
        currency = self.env['res.currency'].search(
            [('name', '=', 'USD' if platform == 'amazon' else 'EUR')]
        )
        self.journal.currency_id = currency
        channel = self._make_channel(platform, currency_id=currency.id)
        channel.sudo().write(
            {
                'journal_id': self.journal.id,
                'fee_account_id': self.expense.id,
                'fee_tax_id': self.tax.id,
                **values,
            }
        )
        self._make_book(book)
        result = self._import(channel, path)[0]
        file = self.env['sale.return.channel.file'].browse(result['id'])
        return file.with_user(self.bookkeeper)

    def _get_balances(self, statement):
        """Return what the entries of a statement come to, by account, in its currency."""
        sums = {}
        for item in statement.sudo().line_ids.move_id.line_ids:
            sums[item.account_id] = sums.get(item.account_id, 0) + item.amount_currency
        return {account: round(amount, 2) for account, amount in sums.items()}

    def _make_stripe(self, content, name='stripe'):
        """Import a balance report of Stripe; return its file, as the bookkeeper."""
        self.journal.currency_id = self.env.ref('base.EUR')
        channel = self._make_channel('stripe', name=name)
        channel.sudo().journal_id = self.journal
        result = channel.with_user(self.accountant)._import(f'{name}.csv', content)[0]
        file = self.env['sale.return.channel.file'].browse(result['id'])
        return file.with_user(self.bookkeeper)

    def _count(self):
        return self.env['account.bank.statement.line'].sudo().search_count([])

    def test_settlement_is_drafted_and_posted_once_to_the_cent(self):
        word = self.env['sale.return.channel.word'].sudo()
        word.create(
            {
                'name': 'Commission',
                'platform': 'amazon',
                'kind': 'fee',
                'company_id': self.env.company.id,
                'fee_account_id': self.special.id,
            }
        )
        file = self._make_settled('amazon', AMAZON, 'amazon')
        before = self._count()
        file.action_draft_settlement()
        self.assertEqual((file.settlement_state, self._count()), ('draft', before))
        self.assertEqual((file.amount_paid_out, file.amount_left), (75.34, 0.0))
        file.action_post_settlement()
        statement, posted = file.statement_id, self._count()
        self.assertGreater(posted, before)
        file.action_post_settlement()
        file.action_draft_settlement()
        self.assertEqual((file.statement_id, self._count()), (statement, posted))
        # The journal holds what the channel owes: nothing, as all of it was paid out.
        balances = self._get_balances(statement)
        self.assertEqual(balances[self.journal.default_account_id], 0.0)
        self.assertEqual(statement.balance_end, statement.balance_start)
        self.assertEqual(balances[self.env.company.transfer_account_id], 75.34)
        # Fees by name; the others with their tax: 62.24 in all.
        tax = self.input_tax
        self.assertEqual(
            round(balances[self.expense] + balances[self.special] + balances[tax], 2), 62.24
        )
        self.assertEqual(round(balances[self.expense] / 4, 2), balances[tax])
        for move in statement.line_ids.move_id:
            self.assertEqual(round(sum(move.line_ids.mapped('balance')), 2), 0.0)

    def test_refunds_pay_the_notes_they_match_and_only_those(self):
        file = self._make_settled('stripe', STRIPE, 'stripe')
        channel = file.channel_id
        refunds = self.env['sale.return.channel.refund'].search([('channel_id', '=', channel.id)])
        matched = refunds.filtered(lambda refund: refund.state == 'match')
        notes = self.env['account.move'].search(
            [('move_type', '=', 'out_refund'), ('partner_id', '=', self.customer.id)]
        )
        others = notes - matched.note_ids
        self.assertTrue(matched.note_ids and others)
        finder = self.env['sale.return.reconciler']
        finder._reconcile(self.env.company)
        rows = self.env['sale.return.reconciliation']
        listed = set(rows.search([('state', '=', 'open')]).mapped('key'))
        file.action_post_settlement()
        self.assertEqual(set(matched.note_ids.mapped('amount_residual')), {0.0})
        self.assertTrue(all(others.mapped('amount_residual')))
        finder._reconcile(self.env.company)
        self.assertEqual(set(rows.search([('state', '=', 'open')]).mapped('key')), listed)
        # Taken back: all of it, and posted anew on purpose.
        statement = file.statement_id
        with self.assertRaisesRegex(UserError, 'Reverse the settlement'):
            statement.unlink()
        file.action_reverse_settlement()
        self.assertEqual(file.settlement_state, 'draft')
        self.assertTrue(all(matched.note_ids.mapped('amount_residual')))
        lines = self.env['account.bank.statement.line'].search(
            [('journal_id', '=', self.journal.id)]
        )
        both = self._get_balances(lines.statement_id)
        self.assertEqual(set(both.values()), {0.0})
        file.action_post_settlement()
        self.assertNotEqual(file.statement_id, statement)
        self.assertEqual(set(matched.note_ids.mapped('amount_residual')), {0.0})

    def test_rows_in_two_files_are_posted_once(self):
        file = self._make_settled('amazon', AMAZON, 'amazon')
        channel = file.channel_id
        file.action_post_settlement()
        other = self._import(channel, FILES / 'amazon_settlement_v1' / 'us_27010000011_v1.txt')[0]
        twin = self.env['sale.return.channel.file'].browse(other['id'])
        with self.assertRaisesRegex(UserError, '27010000011'):
            twin.with_user(self.bookkeeper).action_draft_settlement()
        longer = STRIPE.read_bytes()
        head, *rows = longer.splitlines(keepends=True)
        stripe = self._make_channel('stripe', name='both')
        stripe.sudo().journal_id = self.journal.copy(
            {'code': 'CHEUR', 'currency_id': self.env.ref('base.EUR').id}
        )
        parts = []
        for number, data in enumerate((head + b''.join(rows[:12]), longer)):
            result = stripe.with_user(self.accountant)._import(f'{number}.csv', data)[0]
            part = self.env['sale.return.channel.file'].browse(result['id'])
            part.with_user(self.bookkeeper).action_draft_settlement()
            parts.append(part.movement_ids)
        self.assertTrue(parts[0] and parts[1])
        self.assertFalse(set(parts[0].mapped('key')) & set(parts[1].mapped('key')))
        self.assertEqual(round(sum((parts[0] + parts[1]).mapped('amount')), 2), 0.0)

    def test_who_may_not_and_what_is_incomplete(self):
        file = self._make_settled('amazon', AMAZON, 'amazon')
        manager = self._create_user('channel_boss', 'sale_return.group_manager')
        for user in (self.accountant, manager):
            for action in ('draft', 'post', 'reverse'):
                with self.subTest(user=user.login, action=action):
                    with self.assertRaises(AccessError):
                        getattr(file.with_user(user), f'action_{action}_settlement')()
        with self.assertRaisesRegex(UserError, 'not posted'):
            file.action_reverse_settlement()
        file.channel_id.sudo().journal_id = False
        with self.assertRaisesRegex(UserError, 'no journal'):
            file.action_post_settlement()
        file.channel_id.sudo().journal_id = self.journal
        self.journal.currency_id = self.env.ref('base.EUR')
        with self.assertRaisesRegex(UserError, 'USD'):
            file.action_draft_settlement()
        short = AMAZON.read_bytes().replace(b'\t412.37\t', b'\t402.37\t')
        result = file.channel_id.with_user(self.accountant)._import('short.txt', short)[0]
        broken = self.env['sale.return.channel.file'].browse(result['id'])
        before = self._count()
        with self.assertRaisesRegex(UserError, 'not explained'):
            broken.with_user(self.bookkeeper).action_post_settlement()
        self.assertEqual(self._count(), before)
        refunds = FILES / 'shopify_orders' / 'orders_export_1.csv'
        shop = self._make_channel('shopify')
        shop.sudo().journal_id = self.journal
        result = self._import(shop, refunds)[0]
        with self.assertRaisesRegex(UserError, 'nothing new'):
            self.env['sale.return.channel.file'].browse(result['id']).with_user(
                self.bookkeeper
            ).action_draft_settlement()

    def test_row_whose_money_cannot_be_read_is_not_left_out(self):
        # The import reads no fees, so that the row is not broken there.
        file = self._make_stripe(STRIPE.read_bytes().replace(b',51.30,1.02,', b',51.30,none,'))
        self.assertFalse(file.broken_count)
        for action in ('draft', 'post'):
            with (
                self.assertRaisesRegex(UserError, 'cannot be settled.*line 3'),
                self.env.cr.savepoint(),
            ):
                getattr(file, f'action_{action}_settlement')()
        self.assertFalse(file.movement_ids or file.statement_id)

    def test_file_that_cannot_be_read_any_more_gets_a_sentence(self):
        file = self._make_stripe(STRIPE.read_bytes())
        for content in (b'no,such,columns', b''):
            # Nobody can, but somebody with access to the file store.
            file.with_user(SUPERUSER_ID).attachment_id.raw = content
            with self.assertRaisesRegex(UserError, 'stripe.csv'), self.env.cr.savepoint():
                file.action_draft_settlement()

    def test_journal_of_another_currency_after_the_draft_is_refused(self):
        file = self._make_stripe(STRIPE.read_bytes())
        file.action_draft_settlement()
        self.journal.currency_id = self.env.ref('base.USD')
        with self.assertRaisesRegex(UserError, 'drafted in EUR'):
            file.action_post_settlement()
        self.journal.currency_id = self.env.ref('base.EUR')
        file.action_post_settlement()
        self.assertTrue(file.statement_id)

    def test_settlement_of_nothing_is_refused(self):
        file = self._make_stripe(STRIPE.read_bytes())
        file.action_draft_settlement()
        file.sudo().movement_ids.amount = 0
        with self.assertRaisesRegex(UserError, 'come to nothing'):
            file.action_post_settlement()
        self.assertFalse(file.statement_id)

    def test_lines_stay_on_the_statement_of_a_settlement(self):
        file = self._make_stripe(STRIPE.read_bytes())
        file.action_post_settlement()
        statement = file.statement_id.sudo()
        line = statement.line_ids[0]
        self.assertGreater(len(statement.line_ids), 1)
        stray = {'journal_id': self.journal.id, 'payment_ref': "stray", 'amount': 1}
        other = line.create(stray)
        for change in (
            line.unlink,
            lambda: (line.move_id.button_draft(), line.move_id.unlink()),
            lambda: line.write({'statement_id': False}),
            lambda: other.write({'statement_id': statement.id}),
            lambda: line.create({**stray, 'statement_id': statement.id}),
            lambda: statement.write({'line_ids': [Command.unlink(line.id)]}),
            lambda: line.write({'amount': line.amount + 1}),
        ):
            with (
                self.assertRaisesRegex(UserError, 'Reverse the settlement|valid statement'),
                self.env.cr.savepoint(),
            ):
                change()
        line.write({'statement_id': statement.id, 'amount': line.amount})
        file.action_reverse_settlement()
        line.write({'statement_id': False})

    def test_base_of_a_tax_is_in_the_currency_of_the_company(self):
        foreign = self.env.ref('base.USD')
        if foreign == self.env.company.currency_id:
            foreign = self.env.ref('base.EUR')
            file = self._make_settled('stripe', STRIPE, 'stripe')
        else:
            file = self._make_settled('amazon', AMAZON, 'amazon')
        self.env['res.currency.rate'].sudo().create(
            {'currency_id': foreign.id, 'name': '2000-01-01', 'rate': 2.0}
        )
        file.action_post_settlement()
        for entry in file.statement_id.sudo().line_ids.move_id:
            base = entry.line_ids.filtered('tax_ids')
            tax = entry.line_ids.filtered('tax_repartition_line_id')
            self.assertEqual(len(base), len(tax))
            if base:
                self.assertNotEqual(base.balance, base.amount_currency)
                self.assertAlmostEqual(tax.tax_base_amount, base.balance, delta=0.011)
        statement = file.statement_id
        file.action_reverse_settlement()
        taxes = statement.search([('journal_id', '=', self.journal.id)]).sudo().line_ids.move_id
        self.assertAlmostEqual(sum(taxes.line_ids.mapped('tax_base_amount')), 0.0)

    def test_refunds_that_share_a_note_pay_no_more_than_is_open(self):
        file = self._make_settled('stripe', STRIPE, 'stripe')
        refunds = self.env['sale.return.channel.refund'].search(
            [('channel_id', '=', file.channel_id.id), ('state', '=', 'match')]
        )
        alone = refunds.filtered(lambda refund: len(refund.note_ids) == 1).sorted('date')
        first, second = alone[:2]
        note = first.note_ids
        self.assertGreaterEqual(note.amount_total, second.amount)
        settler = self.env['sale.return.channel.settler']
        lines = [
            {
                'kind': 'refund',
                'label': '',
                'refund': refund.sudo(),
                'date': refund.date.date(),
                'amount': -refund.amount,
            }
            for refund in (first, second)
        ]
        for refund, notes in ((first, note + second.note_ids), (second, note)):
            refund.sudo().note_data = notes.ids
        note.line_ids.filtered('date_maturity').date_maturity = '2000-01-01'
        statement = settler._create_statement(file.sudo(), lines)
        settler._reconcile(file.sudo(), lines, statement)
        items = statement.sudo().line_ids.move_id.line_ids.filtered(
            lambda item: item.account_id.account_type == 'asset_receivable'
        )
        self.assertEqual(len(items), 1)
        self.assertTrue(items.reconciled)
        self.assertEqual(note.amount_residual, 0.0)

    def test_two_like_items_are_taken_back_each_by_its_own(self):
        file = self._make_stripe(STRIPE.read_bytes())
        file.action_post_settlement()
        line = file.statement_id.sudo().line_ids.filtered(
            lambda line: not round(line.amount * 100) % 2
        )[0]
        account = self.env.company.transfer_account_id
        suspense = line._seek_for_lines()[1] or line._seek_for_lines()[2]
        half = {
            'account_id': account.id,
            'currency_id': suspense.currency_id.id,
            'amount_currency': round(suspense.amount_currency / 2, 2),
            'balance': round(suspense.balance / 2, 2),
        }
        line.with_context(
            skip_account_move_synchronization=True, force_delete=True, skip_readonly_check=True
        ).move_id.write(
            {'line_ids': [Command.delete(suspense.id), Command.create(half), Command.create(half)]}
        )
        file.action_reverse_settlement()
        halves = line.move_id.line_ids.filtered(lambda item: item.account_id == account)
        self.assertEqual(halves.mapped('reconciled'), [True, True])

    def test_word_for_all_companies_names_no_account_of_another(self):
        company = self.env['res.company'].sudo().create({'name': "Elsewhere"})
        foreign = self.special.copy({'code': 'CHELS', 'company_ids': [Command.set(company.ids)]})
        word = {'name': 'Commission', 'platform': 'amazon', 'kind': 'fee'}
        self.env['sale.return.channel.word'].sudo().create({**word, 'fee_account_id': foreign.id})
        file = self._make_settled('amazon', AMAZON, 'amazon')
        file.action_post_settlement()
        balances = self._get_balances(file.statement_id)
        self.assertNotIn(foreign, balances)
        self.assertEqual(round(balances[self.expense] + balances[self.input_tax], 2), 62.24)
