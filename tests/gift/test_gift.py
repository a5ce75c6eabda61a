# pylint: disable=translation-required
import re

from odoo.exceptions import AccessError, UserError
from odoo.http import Request
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..common_exchange import ExchangeCommon
from ..common_portal import PortalHttpCommon
from ..common_wallet import WalletCommon

LEAN = "no wallets, on which the value of gifts goes"

PRICE = re.compile(r'121|133[.,]10|100[.,]00|\$')


@tagged('post_install', '-at_install')
class TestGift(PortalHttpCommon, ExchangeCommon, WalletCommon):
    """Granny has bought a shirt and paid it; her grandchild has the slip, and wants another one."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.sudo().write({'sale_return_gift': True, 'sale_return_portal': True})
        cls.buyer = cls._create_customer("Granny Weatherwax", street="1 Mill Lane", city="Bad Ass")
        cls.granny = cls._create_portal_user('granny', cls.buyer)
        cls.buyer.write({'name': "Granny Weatherwax", 'email': 'granny@example.com'})

    # === HELPERS === #

    def _give(self, quantity=1, **values):
        """Sell shirts as a gift; return order line, delivery and code."""
        order = self._create_order(
            {'product': self.small, 'quantity': quantity, 'taxes': self.tax_21},
            partner_id=self.buyer.id,
            sale_return_gift=True,
            **values,
        )
        self._deliver(order)
        self._pay(self._invoice(order))
        picking = order.picking_ids
        return order.order_line, picking, picking._get_sale_return_gift_code()

    def _type(self, code):
        """Type a code as a guest; return the page."""
        self._log_in(None)
        return self._post('/returns/gift', {'csrf_token': Request.csrf_token(self), 'code': code})

    def _prepare(self, line, code, quantity=1, wish='store_credit', /, **changes):
        return {
            'csrf_token': Request.csrf_token(self),
            'code': code,
            'form_key': line.order_id._get_return_form_key(),
            f'q_{line.id}': quantity,
            f'reason_{line.id}': self.reason_changed_mind.id,
            f'wish_{line.id}': wish,
            'name': "Tiffany Aching",
            'email': 'Tiffany@Example.com',
            'street': "2 Chalk Road",
            'zip': '1010',
            'city': "Home Farm",
            **changes,
        }

    def _ask_gift(self, line, code, /, *args, **changes):
        """Send the form; return the page and the request, if there is one."""
        self._log_in(None)
        known = self._get_gifts()
        page = self._post('/returns/gift/ask', self._prepare(line, code, *args, **changes))
        return page, self._get_gifts() - known

    def _confirm(self, draft):
        """Open the link of the mail, and confirm."""
        page = self._open(draft._get_gift_confirmation_url().partition(draft.get_base_url())[2])
        self.assertNotRegex(self._text(page), PRICE)
        return self._post(*self._form(page))

    def _take_back(self, line, code, /, *args, **changes):
        _page, draft = self._ask_gift(line, code, *args, **changes)
        self._confirm(draft)
        self._receive(draft)
        draft.action_inspect_all('restock')
        return draft

    def _get_gifts(self):
        return self.env['sale.return'].search([('is_gift', '=', True)])

    def _get_mails(self):
        return self.env['mail.mail'].sudo().search([])

    # === THE WAY === #

    def test_the_recipient_gets_store_credit_and_the_buyer_sees_nothing(self):
        line, picking, code = self._give()
        mails = self._get_mails()
        slip = (
            self.env['ir.actions.report']
            ._render_qweb_html('stock.action_report_delivery', picking.ids)[0]
            .decode()
        )
        self.assertIn(code, slip)
        self.assertNotRegex(slip, r'121|100[.,]00')
        page = self._type(code.lower().replace('-', ' '))
        text = self._text(page)
        self.assertIn(self.small.display_name, text)
        for secret in ("Granny", "Mill Lane", 'granny@'):
            self.assertNotIn(secret, text)
        self.assertNotRegex(text, PRICE)

        _page, draft = self._ask_gift(line, code)
        new = self._get_mails() - mails
        mail = new.filtered(lambda mail: mail.recipient_ids == draft.partner_id)
        self.assertEqual(mail.recipient_ids.mapped('email'), ['tiffany@example.com'])
        self.assertEqual((draft.state, line.qty_returnable), ('draft', 1.0))
        page = self._confirm(draft)
        self.assertEqual(draft.state, 'approved')
        self.assertNotRegex(self._text(page), PRICE)
        self._receive(draft)
        draft.action_inspect_all('restock')

        card = self._ensure_credited_to_recipient(line, draft)

        # The buyer gets no mail, and sees nothing.
        self._run_message_job()
        new = self._get_mails() - mails
        recipient = draft.partner_id
        colleagues = self.env['res.users'].search([('share', '=', False)]).partner_id
        self.assertEqual(new.recipient_ids - colleagues, recipient)
        self.assertNotIn('granny', " ".join(filter(None, new.mapped('email_to'))))
        theirs = new.filtered(lambda mail: mail.recipient_ids == recipient)
        self.assertNotRegex(" ".join(theirs.mapped('body_html')), r'121[.,]00')
        self.assertFalse(draft.credit_note_ids.is_move_sent)
        self._ensure_hidden_from_buyer(line, draft)

        # The recipient sees what is on the card, and no price.
        self._log_in(None)
        page = self._open(draft.get_portal_url())
        self.assertIn(card.code, self._text(page))
        self.assertFalse(self._find(page, 'o_sale_return_exchange'))
        self.assertNotIn(draft.credit_note_ids.name, self._text(page))

    def _ensure_credited_to_recipient(self, line, draft):
        """The note lowers revenue and tax, and nobody owes anything; return the card."""
        note, invoice = draft.credit_note_ids, line.order_id.invoice_ids - draft.credit_note_ids
        recipient = draft.partner_id
        self.assertEqual((note.amount_total, note.amount_residual), (121.0, 0.0))
        self.assertEqual(note.reversed_entry_id, invoice)
        self.assertEqual(note.line_ids.partner_id, recipient)
        self.assertEqual((invoice.amount_residual, invoice.payment_state), (0.0, 'paid'))
        self.assertNotIn(note, invoice._get_reconciled_invoices())
        buyers = self.env['account.move.line'].search([('partner_id', '=', self.buyer.id)])
        self.assertEqual(buyers.move_id.filtered(lambda m: m.date >= note.date) & note, note[:0])
        card = self.env['loyalty.card'].sudo().search([('partner_id', '=', recipient.id)])
        self.assertEqual((card.points, self._get_liability()), (133.1, 133.1))
        self.assertEqual(draft.state, 'closed')
        self.assertFalse(self._refresh())
        self.assert_ledger_balanced()
        draft._after_step()
        self.assertEqual(card.points, 133.1)
        return card

    def _ensure_hidden_from_buyer(self, line, draft):
        """Pages, files, fields and messages of the order tell its buyer nothing of the return."""
        note, invoice = draft.credit_note_ids, line.order_id.invoice_ids - draft.credit_note_ids
        self._log_in(self.granny)
        for url in (
            '/my/returns',
            '/my/invoices',
            f'/my/orders/{line.order_id.id}',
            line.order_id._get_return_url(),
        ):
            text = self.url_open(url).text
            for secret in (draft.name, note.name, "Tiffany", draft.picking_ids.name, "under way"):
                self.assertNotIn(secret, text, url)
        self.assertIn(
            "It cannot be returned.", self._product(self._open(self._url(line.order_id)), line)
        )
        for url in (f'/my/returns/{draft.id}', f'/my/invoices/{note.id}'):
            self.assertNotIn("Tiffany", self.url_open(url).text)
        self.assertEqual(
            self.url_open(f'/my/orders/{line.order_id.id}/return/{draft.id}').status_code, 403
        )
        for name in ('return_ids', 'return_count', 'return_status'):
            with self.subTest(name=name), self.assertRaises(AccessError):
                line.order_id.with_user(self.granny).read([name])
        token = line.order_id._portal_ensure_token()
        receipt = f'/my/picking/pdf/{draft.picking_ids.id}?access_token={token}'
        with mute_logger('odoo.http'):  # Odoo returns its error instead of raising it
            self.assertEqual(self.url_open(receipt).status_code, 404)
        messages = line.order_id.message_ids | invoice.message_ids
        self.assertNotIn(draft.name, " ".join(map(str, messages.mapped('body'))))

    def test_the_code_in_the_parcel_is_scanned_at_the_bench(self):
        line, _picking, code = self._give()
        lookup = self.env['sale.return.bench.lookup']
        (found,) = lookup._find([code], self.company)
        self.assertEqual((found['kind'], found['order_id']), ('delivery', line.order_id.id))
        _page, draft = self._ask_gift(line, code)
        self._confirm(draft)
        for text in (code, code.lower().replace('-', ' ')):
            (found,) = lookup._find([text], self.company)
            self.assertEqual((found['kind'], found['return_id']), ('return', draft.id))
        self.assertFalse(lookup._find([code[:-1] + '0'], self.company))

    def test_another_size_goes_to_the_recipient(self):
        line, _picking, code = self._give()
        draft = self._take_back(line, code, 1, 'exchange', **{f'variant_{line.id}': self.medium.id})
        order = draft.exchange_order_ids
        self.assertEqual(order.partner_id | order.partner_shipping_id, draft.partner_id)
        self.assertEqual(order.partner_id.street, "2 Chalk Road")
        self.assertEqual(order.order_line.product_id, self.medium)
        self.assertEqual(self._get_money(draft), (121.0, 121.0, 0.0, 0.0))
        self.assertFalse(draft.store_credit_ids)
        self.assertFalse(self._refresh())
        page = self._open(draft.get_portal_url())
        self.assertIn(self.medium.display_name, self._text(page))
        self.assertNotRegex(self._text(page), PRICE)

    def test_money_never_goes_back_to_who_has_paid(self):
        line, _picking, code = self._give()
        draft = self._take_back(line, code)
        row = draft.store_credit_ids
        with self.assertRaisesRegex(UserError, "does not go back to the buyer"):
            draft.credit_note_ids.line_ids.remove_move_reconcile()
            draft.action_refund()
        self.assertEqual(len(row), 1)

    # === QUANTITIES === #

    def test_what_was_returned_as_a_gift_is_not_returned_again(self):
        line, _picking, code = self._give(3)
        _page, first = self._ask_gift(line, code, 2)
        self._confirm(first)
        self.assertEqual(line.qty_returnable, 1.0)
        page, none = self._ask_gift(line, code, 2)
        self.assertIn("Up to 1", self._error(page))
        self.assertFalse(none)
        with self.assertRaises(UserError), self.env.cr.savepoint():
            self._create_return(line, 2)
        # The buyer returns the third; then nothing is left for either.
        self._create_return(line, 1)
        self.assertEqual(line.qty_returnable, 0.0)
        page, none = self._ask_gift(line, code, 1)
        self.assertIn("cannot be returned", self._error(page))
        self.assertFalse(none)

    def test_a_request_that_was_overtaken_is_told(self):
        line, _picking, code = self._give()
        _page, first = self._ask_gift(line, code)
        _page, second = self._ask_gift(line, code)
        self._confirm(first)
        page = self._confirm(second)
        self.assertIn("cannot be returned", self._error(page))
        self.assertEqual(second.state, 'draft')
        # Who never confirms is forgotten.
        partner = second.partner_id
        second.unlink()
        self.assertFalse(partner.exists())
        self.assertTrue(first.partner_id.exists())

    def test_what_is_rejected_goes_to_the_recipient(self):
        line, _picking, code = self._give()
        _page, draft = self._ask_gift(line, code)
        self._confirm(draft)
        self._receive(draft)
        draft.action_inspect_all('send_back')
        back = draft.transfer_ids
        self.assertEqual(back.partner_id, draft.partner_id)
        self.assertEqual(back.partner_id.street, "2 Chalk Road")
        self._log_in(self.granny)
        self.assertNotIn(back.name, self.url_open(f'/my/orders/{line.order_id.id}').text)

    def test_corrected_address_gets_the_mail(self):
        line, _picking, code = self._give()
        key = line.order_id._get_return_form_key()
        _page, first = self._ask_gift(line, code, form_key=key, email='tifany@example.com')
        _page, second = self._ask_gift(line, code, form_key=key)
        self.assertFalse(first.exists())
        self.assertEqual(second.partner_id.email, 'tiffany@example.com')
        mails = self._get_mails().filtered(lambda mail: mail.recipient_ids == second.partner_id)
        self.assertEqual(len(mails), 1)

    def test_known_customers_are_never_deleted(self):
        line, _picking, code = self._give()
        _page, draft = self._ask_gift(line, code)
        known = self._create_customer("Tiffany Aching")
        # As merging contacts does; in another transaction than the request.
        draft.flush_recordset()
        self.env.cr.execute(
            "UPDATE sale_return SET partner_id = %s WHERE id = %s", [known.id, draft.id]
        )
        self.env.cr.execute(
            "UPDATE res_partner SET create_date = create_date - interval '1 day' WHERE id = %s",
            [known.id],
        )
        self.env.invalidate_all()
        draft.unlink()
        self.assertTrue(known.exists())

    def test_a_double_click_is_one_request(self):
        line, _picking, code = self._give()
        self._log_in(None)
        values = self._prepare(line, code)
        for _click in range(2):
            self._post('/returns/gift/ask', values)
        self.assertEqual(len(self._get_gifts()), 1)

    # === BAD INPUT === #

    def test_wrong_codes_and_closed_gifts_get_one_answer(self):
        line, picking, code = self._give()
        order, invoice = line.order_id, line.order_id.invoice_ids
        other = self._give()[2]

        def answer(text):
            return self._text(self._type(text))

        wrong = answer('nonsense').replace('nonsense', '')
        self.assertIn("With this code nothing can be returned", wrong)
        last = 'A' if code[0] != 'A' else 'B'
        for text in ('', '0', 'x' * 39, last + code[1:], code[:-1], code + '1', '٣' * 12):
            self.assertIn("With this code nothing can be returned", answer(text))
        changes = [
            (order, {'sale_return_gift': False}),
            (self.company.sudo(), {'sale_return_gift': False}),
            (self.company.sudo(), {'sale_return_portal': False}),
            (self.buyer, {'vat': 'BE0477472701'}),
            (self.buyer, {'is_company': True}),
        ]
        for record, vals in changes:
            before = {name: record[name] for name in vals}
            record.write(vals)
            self.assertEqual(answer(code), wrong, vals)
            record.write(before)
        invoice.line_ids.remove_move_reconcile()
        self.assertEqual(answer(code), wrong, "not paid")
        self.assertNotEqual(answer(other), wrong)
        self.assertEqual(picking._find_by_sale_return_gift_code(code), picking)

    def test_bad_requests_leave_nothing(self):
        line, _picking, code = self._give(2)
        foreign = self._create_paid_sale().order_line
        cases = [
            ({f'q_{line.id}': '0'}, "how many of which product"),
            ({f'q_{line.id}': '3'}, "Up to 2"),
            ({f'q_{line.id}': '-1'}, "how many"),
            ({f'q_{line.id}': 'nan'}, "how many"),
            ({f'q_{line.id}': '1.5'}, "whole pieces"),
            ({f'wish_{line.id}': 'refund'}, "store credit, or another size"),
            ({f'wish_{line.id}': 'replace'}, "store credit, or another size"),
            ({f'wish_{line.id}': 'exchange'}, "which variant"),
            ({f'wish_{line.id}': 'exchange', f'variant_{line.id}': foreign.product_id.id}, "which"),
            ({'street': ''}, "street"),
            ({f'q_{foreign.id}': '1'}, "did not come with this parcel"),
            ({'name': ''}, "your name"),
            ({'name': 'www.evil.example'}, "your name only"),
            ({'email': 'nobody'}, "e-mail address"),
            ({'code': 'wrong'}, "With this code nothing"),
        ]
        partners, mails = self.env['res.partner'].search_count([]), self._get_mails()
        for changes, sentence in cases:
            with self.subTest(changes=changes):
                page, drafts = self._ask_gift(line, code, **changes)
                self.assertIn(sentence, self._error(page))
                self.assertFalse(drafts)
        self.assertEqual(self.env['res.partner'].search_count([]), partners)
        self.assertEqual(self._get_mails(), mails)

    def test_odd_input_gets_a_page(self):
        self._log_in(None)
        line, _picking, code = self._give()
        names = (f'q_{line.id}', f'wish_{line.id}', f'variant_{line.id}', 'name', 'email', 'code')
        odd = ('a\x00b', '<script>', '9' * 5000, '\u202e', 'a\r\nb', '%(x)s')
        with mute_logger('odoo.http'):
            for number, name in enumerate(names):
                values = {**self._prepare(line, code), name: odd[number % len(odd)]}
                response = self.url_open('/returns/gift/ask', data=values)
                self.assertLess(response.status_code, 500, name)
                self.assertNotIn('<script>"', response.text)
            for path in ('0', '-1', '9' * 40, 'x', '2147483647'):
                self.assertIn(self.url_open(f'/returns/gift/{path}').status_code, (403, 404))

    def test_the_counter_for_strangers_counts_codes(self):
        self._log_in(None)
        values = {'csrf_token': Request.csrf_token(self), 'code': 'wrong'}
        status = [self.url_open('/returns/gift', data=values).status_code for _attempt in range(40)]
        self.assertEqual((status[0], status[-1]), (200, 429))

    def test_three_requests_wait_at_most(self):
        line, _picking, code = self._give(5)
        for _request in range(3):
            self._ask_gift(line, code)
        page, none = self._ask_gift(line, code)
        self.assertIn("wait to be confirmed", self._error(page))
        self.assertFalse(none)

    def test_links_open_one_request(self):
        line, _picking, code = self._give(2)
        _page, one = self._ask_gift(line, code)
        _page, other = self._ask_gift(line, code)
        order = line.order_id
        for token in ('', 'x', one._get_gift_token(), order._get_return_token()):
            url = f'/returns/gift/{other.id}?access_token={token}'
            self.assertEqual(self.url_open(url).status_code, 403)

    def test_the_code_is_printed_on_gifts_alone(self):
        order = self._create_sale()
        self.assertFalse(order.picking_ids._get_sale_return_gift_code())
        line, picking, code = self._give()
        self.assertTrue(code)
        self.company.sudo().sale_return_gift = False
        self.assertFalse(picking._get_sale_return_gift_code())
        self.assertTrue(line)
