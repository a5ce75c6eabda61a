from odoo import models


class SaleReturn(models.Model):
    """Receiving and inspecting many returns with one action."""

    _inherit = 'sale.return'

    def action_receive_and_inspect(self, results=None, disposition=None, grade=None):
        """Receive and inspect what came, for many returns at once; what is wrong is left out.

        Running it again changes nothing for what is done, and tries what was left out.

        :param list results: what came and what was found, dicts as for
            `sale.return.line.register_inspection`, each with its `line_id`; the quantities are
            received as far as they are not yet. By default all that is expected has come.
        :param disposition: code or id, for results without one; else the disposition rules decide.
        :param grade: code or id, for results without one.
        :return: `{'done': [ids of the new inspection rows], 'failed': [{'line_id', 'return_id',
            'name', 'reason'}], 'skipped': [ids of lines with nothing left to do]}`
        :rtype: dict
        :raise AccessError: without the role of inspector.
        """
        self._ensure_group('group_inspector')
        self.check_access('read')
        defaults = {'disposition': disposition, 'grade': grade}
        defaults = {key: value for key, value in defaults.items() if value}
        return self.env['sale.return.bulk']._receive_and_inspect(self, results, defaults)

    def action_open_receive(self):
        """Open the dialog that receives and inspects the selected returns."""
        self._ensure_group('group_inspector')
        return self._get_wizard_action('sale.return.receive', self.env._("Receive and Inspect"))
