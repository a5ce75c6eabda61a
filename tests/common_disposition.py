from .common import SaleReturnCommon


class DispositionCommon(SaleReturnCommon):
    """Six of ten lamps are back and wait in quarantine."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.order = cls._create_sale({'taxes': cls.env['account.tax']})
        cls.sale_return = cls._create_return(cls.order, 6)
        cls._receive(cls.sale_return)
        cls.line = cls.sale_return.line_ids

    def _require(self, model, module):
        if model not in self.env:
            self.skipTest(f"{module} is not installed")

    def _create_shelf(self, name="Shelf B", parent=None, **values):
        return self.env['stock.location'].create(
            {'name': name, 'location_id': (parent or self.stock).id, **values}
        )

    def _validate(self, transfer, quantity=None):
        transfer.move_ids.picked = True
        if quantity is not None:
            transfer.move_ids.quantity = quantity
        transfer.with_context(skip_backorder=True).button_validate()
