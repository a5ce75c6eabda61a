from odoo import Command

from .common import SaleReturnCommon


class ReconciliationCommon(SaleReturnCommon):
    """A company and its list of differences."""

    def _refresh(self):
        self.env['sale.return.reconciliation'].action_refresh()
        return self._get_rows()

    def _get_rows(self, *states):
        return self.env['sale.return.reconciliation'].search(
            [
                ('company_id', '=', self.company.id),
                ('state', 'in', states or ['open']),
            ]
        )

    def assert_row(self, rows, kind, **expected):
        """Assert that there is one row, of a kind and with these values; return it."""
        self.assertEqual(rows.mapped('kind'), [kind])
        self.assertEqual({name: rows[name] for name in expected}, expected)
        return rows

    def _create_loose_note(self, post=True, **values):
        """Make a credit note by hand that names neither invoice nor order."""
        note = self.env['account.move'].create(
            {
                'move_type': 'out_refund',
                'partner_id': self.customer.id,
                'invoice_line_ids': [
                    Command.create(
                        {
                            'product_id': self.product.id,
                            'quantity': 2,
                            'price_unit': 100.0,
                            'tax_ids': [Command.clear()],
                        }
                    )
                ],
                **values,
            }
        )
        if post:
            note.action_post()
        return note
