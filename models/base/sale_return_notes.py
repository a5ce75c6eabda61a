from odoo import api, models
from odoo.tools import groupby

from ...tools.context import get_own
from ...tools.notes import Notes


class SaleReturnNotes(models.AbstractModel):
    """Service: log the notes that Odoo posts on the documents of a batch together.

    Posting one takes five queries. The caller puts `Notes` into the context (`sale_return_notes`)
    of what it calls, and logs them afterwards.
    """

    _name = 'sale.return.notes'
    _description = "Notes of Batches"

    @api.model
    def _keep(self, record, values):
        """Keep a note that is posted on a record, if the caller asks for it.

        :param dict values: those of `message_post`.
        :return: whether it is kept; messages to people, with files or others are not.
        :rtype: bool
        """
        notes = get_own(self.env, 'sale_return_notes', Notes)
        if notes is None:
            return False
        note = self.env['ir.model.data']._xmlid_to_res_id('mail.mt_note')
        plain = {'message_type': ('notification',), 'subtype_id': (note,)}
        kept = not any(
            value and name != 'body' and value not in plain.get(name, ())
            for name, value in values.items()
        )
        if kept:
            notes.append((record, values.get('body', '')))
        return kept

    @api.model
    def _log(self, notes):
        """Log kept notes, those of each model together.

        :param Notes notes: what `_keep` has collected.
        """
        for bodies in notes.in_rounds():
            for _model, records in groupby(bodies, lambda record: record._name):
                found = records[0].union(*records).with_context(sale_return_notes=None)
                found._message_log_batch(bodies={record.id: bodies[record] for record in records})
