from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools import clean_context

from ..tools.context import get_flag


class SaleReturnInspect(models.TransientModel):
    """Dialog: enter the result of the inspection, and what happens to the goods."""

    _name = 'sale.return.inspect'
    _inherit = ['sale.return.dialog']
    _description = "Inspect Return"

    line_ids = fields.One2many(
        'sale.return.inspect.line',
        'wizard_id',
        compute='_compute_line_ids',
        store=True,
        readonly=False,
        precompute=True,
    )

    has_kits = fields.Boolean(compute='_compute_has_kits')
    has_lots = fields.Boolean(compute='_compute_has_kits')
    answer_ids = fields.One2many(
        'sale.return.inspect.answer',
        'wizard_id',
        string="Checklist",
        compute='_compute_answer_ids',
        store=True,
        readonly=False,
        precompute=True,
    )

    @api.depends('return_ids')
    def _compute_answer_ids(self):
        """Add the questions of the checklists for each lot waiting for inspection."""
        for wizard in self:
            lines = wizard.return_ids._origin.line_ids
            if get_flag(self.env, 'sale_return_keep'):
                lines = lines.browse()  # goods that do not come are not inspected
            items = self.env['sale.return.checklist']._get_items(lines)
            wizard.answer_ids = [Command.clear()] + [
                Command.create({'line_id': line.id, 'lot_id': lot.id, 'item_id': item.id})
                for line, by_lot in self.env['sale.return.quarantine']
                ._get_open_quantities(lines)
                .items()
                for lot in by_lot
                for item in items[line]
            ]

    @api.depends('return_ids', 'line_ids.product_id')
    def _compute_has_kits(self):
        for wizard in self:
            wizard.has_kits = any(
                line.sale_line_id._is_return_kit() for line in wizard.return_ids.line_ids
            )
            wizard.has_lots = any(row.product_id.tracking != 'none' for row in wizard.line_ids)

    @api.depends('return_ids')
    def _compute_line_ids(self):
        for wizard in self:
            # During precomputation the returns are not the saved ones.
            lines = wizard.return_ids._origin.line_ids
            rows = (
                self._prepare_kept_vals(lines)
                if get_flag(self.env, 'sale_return_keep')
                else [
                    self._prepare_line_vals(result)
                    for result in self.env['sale.return.quarantine']._get_open_results(lines)
                ]
            )
            wizard.line_ids = [Command.clear()] + [Command.create(vals) for vals in rows]

    @api.model
    def _prepare_kept_vals(self, lines):
        """Prepare the rows of goods that have not come, for the customer to keep.

        :param lines: `sale.return.line` records.
        :return: values for `sale.return.inspect.line.create`, without the wizard.
        :rtype: list
        """
        disposal = self.env['sale.return.disposal']
        return [
            {
                'line_id': line.id,
                'quantity': line._get_qty_missing(),
                'disposition_id': disposal._find_configuration(
                    'sale.return.disposition', 'keep', line.company_id
                ).id,
            }
            for line in lines
            if not line._get_measure().is_zero(line._get_qty_missing())
        ]

    @api.model
    def _prepare_line_vals(self, result):
        """Prepare the row of goods waiting for inspection. Override to add values.

        :param dict result: see `sale.return.quarantine._get_open_results`.
        :return: values for `sale.return.inspect.line.create`, without the wizard.
        :rtype: dict
        """
        return {
            'line_id': result['line_id'],
            'component_id': result['product'],
            'lot_id': result['lot'],
            'quantity': result['quantity'],
        }

    def action_confirm(self):
        """Register the results.

        :return: the action that closes the dialog, or shows the return where it was opened from
            somewhere else.
        :rtype: dict
        :raise UserError: when all quantities are zero, or more is inspected than there is.
        """
        self.ensure_one()
        rows = self.line_ids.filtered(lambda row: row.quantity)
        if not rows:
            raise UserError(self.env._("Enter what was inspected: all quantities are zero."))
        # The context of the dialog must not affect the documents that are created.
        lines = rows.line_id.with_context(clean_context(self.env.context))
        lines.register_inspection([row._prepare_result() for row in rows])
        if get_flag(self.env, 'show_return'):
            return lines.return_id._get_records_action(name=self.env._("Return"))
        return {'type': 'ir.actions.act_window_close'}
