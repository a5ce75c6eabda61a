# pylint: disable=translation-required
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from ..common_exchange import ExchangeCommon
from ..common_portal import PortalCommon
from ..common_wallet import WalletCommon


@tagged('post_install', '-at_install')
class TestGiftClerk(PortalCommon, ExchangeCommon, WalletCommon):
    """Recipients come to the shop or call: clerks and programs enter the return of a gift."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.sudo().write({'sale_return_gift': True, 'sale_return_portal': True})
        cls.buyer = cls._create_customer("Granny Weatherwax", email='granny@example.com')
        cls.recipient = cls._create_customer("Tiffany Aching", email='tiffany@example.com')
        cls.salesman = cls._create_user(
            'gift_salesman', 'sales_team.group_sale_salesman_all_leads', 'sale_return.group_user'
        )
        cls.line = cls._give()
        cls.mails = cls.env['mail.mail'].sudo().search([])

    # === HELPERS === #

    @classmethod
    def _give(cls, gift=True, pay=True):
        order = cls._create_order(
            {'product': cls.small, 'quantity': 1, 'taxes': cls.tax_21},
            partner_id=cls.buyer.id,
            sale_return_gift=gift,
        )
        cls._deliver(order)
        invoice = cls._invoice(order)
        if pay:
            cls._pay(invoice)
        return order.order_line

    def _enter(self, line=None, recipient=None, user=None, **values):
        """Enter the return by RPC, as a program does."""
        returns = self._env_of(user or self.clerk)['sale.return']
        sale_return = returns.create(
            {
                'line_ids': [
                    {
                        'sale_line_id': (line or self.line).id,
                        'qty_requested': 1,
                        'reason_id': self.reason_changed_mind.id,
                        'resolution': 'store_credit',
                        **values,
                    }
                ]
            }
        )
        sale_return.action_take_gift((recipient or self.recipient).id)
        return sale_return

    def _get_names(self):
        """Return who got a mail."""
        self._run_message_job()
        mails = self.env['mail.mail'].sudo().search([]) - self.mails
        return mails.recipient_ids.mapped('name') + [m.email_to for m in mails if m.email_to]

    # === WHAT OTHERS ASKED FOR === #

    def test_clerk_takes_no_request_of_a_customer(self):
        """A request that a customer has not sent, or that was reset to draft, stays theirs."""
        accomplice = self._create_customer("Nanny Ogg", email='nanny@example.com')
        line = self._give()
        picking = line.order_id.picking_ids
        for kind in ('gift', 'request'):
            with self.subTest(kind=kind):
                choices = [
                    {
                        'line_id': line.id,
                        'quantity': 1.0,
                        'reason_id': self.reason_changed_mind.id,
                        'resolution': 'store_credit',
                        'note': "",
                        'photos': [],
                    }
                ]
                draft = self.env['sale.return.portal.request']._prepare_draft(
                    line.order_id, choices, f'{kind}-1', kind
                )
                if kind == 'gift':
                    draft._write_facts({'gift_picking_id': picking.id})
                before = draft.partner_id
                with self.assertRaisesRegex(UserError, "has not sent yet"):
                    draft.with_env(self._env_of(self.clerk)).action_take_gift(accomplice.id)
                draft._write_facts({'submission_count': 1})
                with self.assertRaisesRegex(UserError, "was requested by the customer"):
                    draft.with_env(self._env_of(self.clerk)).action_take_gift(accomplice.id)
                self.assertEqual(draft.partner_id, before)
                draft.unlink()

    # === THE WAY === #

    def test_dialog_gives_store_credit_to_the_recipient(self):
        env = self._env_of(self.salesman)
        action = env['sale.order'].browse(self.line.order_id.ids).action_create_return()
        form = Form(env[action['res_model']].with_context(**action['context']))
        form.gift_recipient_id = self.recipient.with_env(env)
        form.reason_id = self.reason_changed_mind.with_env(env)
        with form.line_ids.edit(0) as row:
            row.quantity = 1.0
            row.resolution = 'store_credit'
        sale_return = (
            env['sale.return']
            .browse(form.save().action_create_and_submit()['res_id'])
            .with_env(self.env)
        )
        self.assertEqual((sale_return.partner_id, sale_return.is_gift), (self.recipient, True))
        self.assertEqual(sale_return.gift_picking_id.sale_id, self.line.order_id)
        self._receive(sale_return)
        sale_return.action_inspect_all('restock')
        self.assertEqual(sale_return.credit_note_ids.partner_id, self.recipient)
        card = self.env['loyalty.card'].sudo().search([('partner_id', '=', self.recipient.id)])
        self.assertEqual(card.points, 133.1)
        self.assertFalse(self._refresh())
        self.assert_ledger_balanced()
        names = " ".join(self._get_names())
        self.assertNotIn("Granny", names)
        self.assertNotIn('granny', names)
        self.assertNotIn(self.buyer, sale_return.message_partner_ids)

    def test_program_exchanges_for_the_recipient(self):
        values = {'resolution': 'exchange', 'exchange_product_id': self.medium.id}
        sale_return = self._enter(**values)
        sale_return.action_submit()
        order = sale_return.sudo().exchange_order_ids
        self.assertEqual(order.partner_id | order.partner_shipping_id, self.recipient)
        self.assertEqual(order.order_line.product_id, self.medium)

    def test_other_orders_need_no_recipient(self):
        env = self._env_of(self.salesman)
        order = self._give(gift=False).order_id
        action = env['sale.order'].browse(order.ids).action_create_return()
        form = Form(env[action['res_model']].with_context(**action['context']))
        self.assertFalse(form.is_gift_order)

    # === REFUSED === #

    def test_what_is_no_gift_is_refused_with_a_sentence(self):
        unpaid, plain = self._give(pay=False), self._give(gift=False)
        documents = self._count_documents()
        for text, values in (
            ("cannot be returned as a gift", {'line': plain}),
            ("cannot be returned as a gift", {'line': unpaid}),
            ("has bought these goods", {'recipient': self.buyer}),
            ("store credit, or another size", {'resolution': 'refund'}),
        ):
            with self.subTest(text):
                with self.assertRaises(UserError) as caught:
                    self._enter(**values)
                self.assertIn(text, str(caught.exception))
                self.env.invalidate_all()
                self.assertEqual(self._count_documents(), documents)

    def test_what_was_changed_since_is_refused_when_submitted(self):
        draft = self._enter()
        draft.line_ids.resolution = 'refund'
        with self.assertRaisesRegex(UserError, "store credit, or another size"):
            draft.action_submit()
        draft.line_ids.resolution = 'store_credit'
        draft.partner_id = self.buyer
        with self.assertRaisesRegex(UserError, "has bought these goods"):
            draft.action_submit()

    def test_submitted_returns_and_strangers_are_refused(self):
        draft = self._enter()
        draft.action_submit()
        with self.assertRaisesRegex(UserError, "has been submitted already"):
            draft.action_take_gift(self.recipient.id)
        stranger = self._create_user('gift_stranger', 'base.group_user')
        with self.assertRaises(AccessError):
            draft.with_user(stranger).action_take_gift(self.recipient.id)
