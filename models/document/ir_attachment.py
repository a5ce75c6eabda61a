from odoo import api, models
from odoo.exceptions import UserError

# Fields that define an attachment.
CONTENT = frozenset(
    {
        'raw',
        'datas',
        'db_datas',
        'store_fname',
        'url',
        'type',
        'mimetype',
        'checksum',
        'res_model',
        'res_id',
        'res_field',
        'public',
        'name',
    }
)


class IrAttachment(models.Model):
    _inherit = 'ir.attachment'

    def write(self, vals):
        """Override of `base` to protect evidence of returns."""
        if CONTENT & vals.keys():
            self._ensure_no_sale_return_evidence()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_sale_return_evidence(self):
        self._ensure_no_sale_return_evidence()

    def _ensure_no_sale_return_evidence(self):
        """Refuse to touch the content of files of returns, also in superuser mode.

        Costs nothing for other attachments: `res_model` is fetched by Odoo's access check anyway.
        """
        # sudo: reads which record it belongs to, whatever the user may see of it.
        mine = self.sudo().filtered(lambda a: a.res_model == 'sale.return.file')
        if mine and self.env['sale.return.file'].sudo().search_count(
            [('attachment_id', 'in', mine.ids)], limit=1
        ):
            raise UserError(
                self.env._(
                    "%(files)s is evidence of a return and cannot be changed or deleted. A manager "
                    "can erase it on the return.",
                    files=", ".join(mine.mapped('name')),
                )
            )
