from ast import literal_eval

from odoo import api, fields, models
from odoo.exceptions import UserError


class SaleReturnSetupFinding(models.TransientModel):
    """Room: base. One thing that is misconfigured, with its button."""

    _name = 'sale.return.setup.finding'
    _description = "Finding of the Set-Up of Returns"
    _order = 'sequence, id'
    _rec_name = 'sentence'

    setup_id = fields.Many2one('sale.return.setup', required=True, index=True, ondelete='cascade')
    sequence = fields.Integer()
    sentence = fields.Char(required=True)
    button = fields.Char()
    code = fields.Char(help="What fixes it, see the health of returns.")
    action = fields.Char(help="XML id of the action to fix it.")
    domain = fields.Char()
    is_open = fields.Boolean(
        compute='_compute_is_open', help="Whether the user may open the place to fix it."
    )

    @api.depends('action')
    @api.depends_context('uid')
    def _compute_is_open(self):
        for finding in self:
            model = finding.action and finding._get_action()['res_model']
            finding.is_open = not model or self.env[model].has_access('read')

    def action_fix(self):
        """Fix the finding, or open the place to fix it.

        :return: the refreshed page, or the action.
        :rtype: dict
        :raise UserError: when the user may not open it.
        """
        self.ensure_one()
        self.check_access('read')
        setup = self.setup_id
        # sudo: a manager of Returns, as required by the access rights of this page, fixes our own
        # records.
        health = self.env['sale.return.health'].sudo()
        if self.code and health._fix(self.code, setup.company_id):
            return setup.action_open()
        if not self.action or not self.is_open:
            raise UserError(
                self.env._("Ask an administrator of Odoo: “%(sentence)s”", sentence=self.sentence)
            )
        action = self._get_action()
        domain = literal_eval(self.domain or '[]')
        return {**action, 'domain': domain} if domain else action

    def _get_action(self):
        """Return the action to fix the finding."""
        self.ensure_one()
        # An unknown action cannot be user input: the page writes it.
        return self.env['ir.actions.act_window']._for_xml_id(self.action)
