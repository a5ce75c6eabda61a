from odoo import api, models

ACCOUNTANTS = ('account.group_account_invoice', 'account.group_account_readonly')

# Further rights that Odoo's forms need besides reading the document itself: notes read payments,
# which salespeople may not, and orders read invoices, which warehouse workers may not.
OPENED_BY = {
    'account.move': ACCOUNTANTS,
    'account.payment': ACCOUNTANTS,
    'sale.order': ('sales_team.group_sale_salesman', *ACCOUNTANTS),
}

# Models that other modules add to these forms without restricting them by group: `{their model: as
# above}`.
OPENED_WITH = {
    'repair.order': {'stock.picking': ('stock.group_stock_user',)},
    'loyalty.card': {'sale.order': ('sales_team.group_sale_salesman',)},
}

# More numbers than this do not fit into a message.
MAX_NAMES = 10


class SaleReturnOpening(models.AbstractModel):
    """Service: show documents to users who may see them, and name them to the others.

    Our services create documents for people without rights in Accounting or Inventory. Opening such
    a document would fail with an error that suggests nothing was done, although it was.
    """

    _name = 'sale.return.opening'
    _description = "Opening of Documents"

    @api.model
    def _may_open(self, records):
        """Tell whether the user can open the form of documents.

        :param records: documents of one model, with any user in their environment.
        :rtype: bool
        """
        groups = OPENED_BY.get(records._name)
        for model, opened_by in OPENED_WITH.items():
            if model in self.env:
                groups = opened_by.get(records._name, groups)
        user = self.env.user
        if groups and not self.env.su and not any(user.has_group(group) for group in groups):
            return False
        return records.with_env(self.env).has_access('read')

    @api.model
    def _open_or_tell(self, records, name, message=None):
        """Return the action that opens documents, or one that names them without the rights.

        :param records: documents of one model; the user may only learn their numbers.
        :param str name: title of the screen.
        :param str message: what to tell instead; by default which documents there are.
        :rtype: dict
        """
        if not records:
            return self._tell(message or self.env._("There are none yet."), kind='info')
        if self._may_open(records):
            return records.with_env(self.env)._get_records_action(name=name)
        # sudo: the numbers of the documents only.
        numbers = records.sudo()[:MAX_NAMES].mapped('display_name')
        return self._tell(
            message
            or self.env._(
                "You may not open these documents: %(documents)s. Ask somebody who has the rights, "
                "or an administrator to give them to you.",
                documents=", ".join(numbers),
            ),
            kind='success' if message else 'warning',
        )

    @api.model
    def _open_transfers(self, records):
        """Return the action that opens the transfers of records with `move_ids`, or names them.

        :param records: results or discrepancies.
        :rtype: dict
        :raise AccessError: for those who may not read the records.
        """
        records.check_access('read')
        # sudo: the numbers of documents only.
        transfers = records.sudo().move_ids.picking_id
        return self._open_or_tell(transfers, self.env._("Transfers"))

    @api.model
    def _tell(self, message, kind='success'):
        """Return the action that shows a message, closes the dialog and refreshes the view.

        :param str message: a sentence, translated.
        :param str kind: `success`, `warning` or `info`.
        :rtype: dict
        """
        return {
            'type': 'ir.actions.client',
            'tag': 'display_notification',
            'params': {
                'message': message,
                'type': kind,
                'next': {'type': 'ir.actions.act_window_close'},
            },
        }
