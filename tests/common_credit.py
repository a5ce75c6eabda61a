from .common import SaleReturnCommon


class CreditCommon(SaleReturnCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # These tests do not depend on the goods: approval releases the credit.
        cls.policy.release_event = 'approval'

    def _credit(self, order, *quantities):
        """Credit these quantities of each line of an order, one return each."""
        return [self._create_return(order, quantity) for quantity in quantities]

    def _assert_exact(self, quantities, *lines, **values):
        """Assert that returns of these quantities of each line take back exactly the invoice."""
        total = sum(quantities)
        order = self._create_sale(*({'quantity': total, **line} for line in lines), **values)
        invoice = order.invoice_ids
        self._credit(order, *quantities)
        self.assertEqual(len(self._get_notes(invoice)), len(quantities))
        self.assert_fully_credited(invoice)
        self.assert_nothing_to_invoice(order)
