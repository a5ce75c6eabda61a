"""Customers who pay in all possible ways, and providers with all possible answers."""

from contextlib import contextmanager
from unittest.mock import patch

from odoo import Command
from odoo.exceptions import ValidationError

from odoo.addons.payment.models.payment_transaction import PaymentTransaction

from .common import SaleReturnCommon


class RefundCommon(SaleReturnCommon):
    """Adds payments to the world of the tests."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.bank = cls._create_journal("Bank One", 'bank', 'BNK7')
        cls.wechat = cls._create_journal("WeChat Pay", 'bank', 'WCP')
        cls.cash = cls._create_journal("Till", 'cash', 'TILL')
        cls.manager = cls._create_user(
            'refund_manager', 'base.group_user', 'sale_return.group_manager'
        )
        cls.clerk = cls._create_user('refund_clerk', 'base.group_user', 'sale_return.group_user')

    @classmethod
    def _create_journal(cls, name, kind, code, **values):
        return cls.env['account.journal'].create(
            {'name': name, 'type': kind, 'code': code, 'company_id': cls.company.id, **values}
        )

    @classmethod
    def _pay(cls, invoices, amount=None, journal=None, date=None, **values):
        """Pay invoices the way an accountant does; `amount` in the currency of the invoice."""
        wizard = (
            cls.env['account.payment.register']
            .with_context(active_model='account.move', active_ids=invoices.ids)
            .create(
                {
                    'journal_id': (journal or cls.bank).id,
                    'payment_date': date or cls._get_today(),
                    **({'amount': amount} if amount is not None else {}),
                    **values,
                }
            )
        )
        return wizard._create_payments()

    @classmethod
    def _get_today(cls):
        return cls.env.cr.now().date()

    @classmethod
    def _create_paid_sale(cls, *lines, journal=None, **values):
        order = cls._create_sale(*lines, **values)
        cls._pay(order.invoice_ids, journal=journal)
        return order

    # === PROVIDERS === #

    @classmethod
    def _create_provider(cls):
        """Create a provider without its own code; its answers are patched."""
        method = cls.env.ref('payment.payment_method_unknown').sudo()
        provider = (
            cls.env['payment.provider']
            .sudo()
            .create(
                {
                    'name': "Test Provider",
                    'code': 'none',
                    'state': 'test',
                    'company_id': cls.company.id,
                    'payment_method_ids': [Command.set(method.ids)],
                }
            )
        )
        method.write({'active': True, 'support_refund': 'partial'})
        account_method = (
            cls.env['account.payment.method']
            .sudo()
            .create({'name': "Test Provider", 'code': 'none', 'payment_type': 'inbound'})
        )
        cls.env['account.payment.method.line'].sudo().create(
            {
                'payment_method_id': account_method.id,
                'journal_id': cls.wechat.id,
                'payment_provider_id': provider.id,
            }
        )
        provider.journal_id = cls.wechat
        return provider

    @classmethod
    def _pay_online(cls, invoice, amount=None, **values):
        """Pay an invoice by a transaction of the provider; return the transaction."""
        transaction = (
            cls.env['payment.transaction']
            .sudo()
            .create(
                {
                    'provider_id': cls.provider.id,
                    'payment_method_id': cls.provider.payment_method_ids[:1].id,
                    'reference': f"{invoice.name}-{amount or ''}",
                    'amount': amount or invoice.amount_residual,
                    'currency_id': invoice.currency_id.id,
                    'partner_id': invoice.partner_id.id,
                    'operation': 'online_direct',
                    'invoice_ids': [Command.set(invoice.ids)],
                    **values,
                }
            )
        )
        transaction._set_done()
        transaction._post_process()
        return transaction

    @contextmanager
    def _provider_answers(self, answer, support='partial'):
        """Make the provider answer refund requests.

        :param answer: function of the refund transaction, or the state it sets.
        """
        sent = []

        def send(transaction):
            sent.append((transaction.reference, -transaction.amount))
            if callable(answer):
                return answer(transaction)
            return getattr(transaction, f'_set_{answer}')(
                **({'state_message': "Insufficient balance."} if answer == 'error' else {})
            )

        with (
            patch.object(PaymentTransaction, '_send_refund_request', send),
            patch.object(
                type(self.provider), '_compute_feature_support_fields', self._support(support)
            ),
        ):
            self.provider.invalidate_recordset(['support_refund'])
            yield sent
        self.provider.invalidate_recordset(['support_refund'])

    def _support(self, value):
        def compute(providers):
            providers.update(
                {
                    'support_express_checkout': False,
                    'support_manual_capture': None,
                    'support_tokenization': False,
                    'support_refund': value,
                }
            )

        return compute

    def _refuse(self, message="The payment provider rejected the request."):
        def answer(_transaction):
            raise ValidationError(message)

        return answer

    def _lose(self, cause):
        """Answer as Odoo does when the request to the provider failed by `cause`."""

        def answer(_transaction):
            error = ValidationError("Could not establish the connection to the payment provider.")
            error.__context__ = cause
            raise error

        return answer

    def _run_refund_job(self):
        with self.enter_registry_test_mode():
            self.env.ref('sale_return.ir_cron_send_refunds').sudo().method_direct_trigger()
        self.env.invalidate_all()

    # === ASSERTIONS === #

    def _post_refunds(self, refunds):
        """Post the prepared payments like an accountant."""
        refunds.payment_id.action_post()

    def assert_at_zero(self, *documents):
        """Assert that invoices, notes and the entries of payments are fully settled."""
        for document in documents:
            for move in document:
                receivable = move.line_ids.filtered(
                    lambda line: line.account_id.account_type == 'asset_receivable'
                )
                self.assertTrue(receivable, move.name)
                self.assertFalse(any(receivable.mapped('amount_residual')), move.name)
                self.assertFalse(any(receivable.mapped('amount_residual_currency')), move.name)

    def assert_payouts(self, refunds, *expected):
        """Assert `(journal, amount)` of payouts in the order of their creation."""
        self.assertEqual(
            [(refund.journal_id, refund.amount) for refund in refunds.sorted('id')],
            list(expected),
        )

    def _get_account_balance(self, account):
        lines = self.env['account.move.line'].search(
            [
                ('account_id', 'in', account.ids),
                ('company_id', '=', self.company.id),
                ('parent_state', '=', 'posted'),
            ]
        )
        return self.currency.round(sum(lines.mapped('balance')))
