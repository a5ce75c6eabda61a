import logging

from odoo import api, models

_logger = logging.getLogger(__name__)


class IrQwebFieldBarcode(models.AbstractModel):
    """A barcode that a page can do without."""

    _inherit = 'ir.qweb.field.barcode'

    @api.model
    def value_to_html(self, value, options=None):
        """Override of `base`: with the option `optional` a page works without its barcode.

        The number itself is beside it. Barcodes are drawn by a separate library, which may be
        missing on a server and cannot draw every text.
        """
        if not (options or {}).get('optional'):
            return super().value_to_html(value, options)
        try:
            return super().value_to_html(value, options)
        except Exception:
            # The imaging library raises all kinds of errors when a part of it is missing.
            _logger.warning("No barcode could be drawn of %s.", value, exc_info=True)
            return ''
