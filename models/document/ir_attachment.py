from odoo import SUPERUSER_ID, api, models
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
            laid = self._get_laid_on_returns()
            if laid and self.env.uid != SUPERUSER_ID:
                raise UserError(
                    self.env._(
                        "%(files)s is on a return and cannot be changed. Add the right one as a "
                        "new file.",
                        files=", ".join(laid.mapped('name')),
                    )
                )
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_sale_return_evidence(self):
        self._ensure_no_sale_return_evidence()
        self._protect_laid_on_returns()

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

    def _get_laid_on_returns(self):
        """Return those that are laid on existing documents of ours directly, e.g. in the chatter.

        Content of fields follows the rights of the fields, and dialogs keep nothing.
        """
        is_ours = self.env['mail.message']._is_of_returns
        # sudo: reads which record they belong to, whatever the user may see of it.
        laid = self.sudo().filtered(lambda a: a.res_id and not a.res_field and is_ours(a.res_model))
        found = self.browse()
        for name, group in laid.grouped('res_model').items():
            model = self.env.get(name)
            if name != 'sale.return.file' and model is not None and not model._transient:
                ids = set(model.sudo().browse(group.mapped('res_id')).exists().ids)
                found += group.filtered(lambda a, ids=ids: a.res_id in ids)
        return found

    def _protect_laid_on_returns(self):
        """Refuse to delete what others have laid on our documents, or log who did.

        Also in superuser mode: Odoo deletes files in it with the message of a user.

        :raise UserError: for everybody but who added them, and managers of Returns.
        """
        laid = self._get_laid_on_returns()
        if not laid or self.env.uid == SUPERUSER_ID:
            return
        others = laid.filtered(lambda a: a.create_uid != self.env.user)
        if others and not self.env.user.has_group('sale_return.group_manager'):
            raise UserError(
                self.env._(
                    "%(files)s was added to a return by somebody else, so it is evidence and "
                    "cannot be deleted. Ask a manager of Returns.",
                    files=", ".join(others.mapped('name')),
                )
            )
        for file in laid:
            # One by one: people delete one or two.
            details = f"{file.name} · SHA-1 {file.checksum}"
            self.env['sale.return.event']._log_on(
                file.res_model, file.res_id, 'file_erased', details
            )
