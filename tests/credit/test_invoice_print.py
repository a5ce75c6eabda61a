from odoo import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..common import SaleReturnCommon
from ..common_http import PatientHttpCase

REPORT = 'account.account_invoices'


@tagged('post_install', '-at_install')
class TestInvoicePrint(SaleReturnCommon, PatientHttpCase):
    """Every invoice, bill and note is printed and seen in the portal, in every state."""

    without_scripts = True

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.biller = cls._create_user('print_biller', 'account.group_account_invoice')

    def _create_manual(self, move_type='out_invoice'):
        """Create a draft without date, origin and reference, as *New* and a product make it."""
        # All data that Odoo would print is missing.
        customer = self._create_customer("Walk-in")
        moves = self.env['account.move'].with_user(self.biller)
        line = {'name': "Lamp", 'quantity': 1, 'price_unit': 10.0, 'tax_ids': [Command.clear()]}
        return moves.create(
            {
                'move_type': move_type,
                'partner_id': customer.id,
                'invoice_line_ids': [Command.create(line)],
            }
        )

    def _create_from_order(self):
        order = self._create_order()
        self._deliver(order)
        return self._invoice(order, post=False)

    def _create_note(self):
        """Let a return create a note that stays in draft."""
        self.policy.credit_posting = 'draft'
        return self._return_goods(self._create_sale(), 2).credit_note_ids

    def _create_drafts(self):
        return {
            'manual': self._create_manual(),
            'receipt': self._create_manual('out_receipt'),
            'bill': self._create_manual('in_invoice'),
            'vendor credit': self._create_manual('in_refund'),
            'order': self._create_from_order(),
            'note by hand': self._reverse(self._create_sale().invoice_ids, post=False),
            'note without invoice': self._create_manual('out_refund'),
            'note of a return': self._create_note(),
        }

    def _as_biller(self, move):
        self.env.flush_all()
        self.env.invalidate_all()
        return move.with_env(self._env_of(self.biller, companies=self.company))

    def _post(self, move):
        # Bills do not get a date automatically.
        move = self._as_biller(move)
        move.invoice_date = move.invoice_date or self.env.cr.now().date()
        move.action_post()

    def _check_looks(self, move):
        """Print a document, and open it in the portal."""
        move = self._as_biller(move)
        html = move.env['ir.actions.report']._render_qweb_html(REPORT, move.ids)[0]
        self.assertIn(move.invoice_line_ids[:1].name.encode(), html)
        move.env['ir.actions.report']._render_qweb_pdf(REPORT, move.ids)
        if move.move_type in ('out_invoice', 'out_refund'):
            url = move.get_portal_url()
            for address in (url, f'{url}&report_type=html'):
                self.assertEqual(self.url_open(address).status_code, 200)

    def test_every_document_in_every_state(self):
        self.authenticate('print_biller', 'print_biller')
        for name, move in self._create_drafts().items():
            for state, step in (
                ('draft', lambda move: None),
                ('posted', self._post),
                ('cancel', lambda move: (move.button_draft(), move.button_cancel())),
            ):
                with self.subTest(document=name, state=state):
                    step(self._as_biller(move))
                    self.assertEqual(move.state, state)
                    self._check_looks(move)

    def test_pdf_of_a_draft_that_says_nothing(self):
        move = self._create_manual()
        self.assertFalse(move.invoice_date or move.invoice_origin or move.ref)
        report = self._as_biller(move).env['ir.actions.report']
        if report.get_wkhtmltopdf_state() not in ('ok', 'upgrade'):
            self.skipTest("wkhtmltopdf is not installed")
        # Debian's wkhtmltopdf says that it leaves the headers out.
        with mute_logger('odoo.addons.base.models.ir_actions_report'):
            content = report.with_context(force_report_rendering=True)._render_qweb_pdf(
                REPORT, move.ids
            )[0]
        self.assertTrue(content.startswith(b'%PDF'))

    def test_draft_note_of_a_return_names_its_invoice(self):
        note = self._create_note()
        html = self._as_biller(note).env['ir.actions.report']._render_qweb_html(REPORT, note.ids)[0]
        for name in (note.reversed_entry_id.name, note.sale_return_ids.name):
            self.assertIn(name.encode(), html)
