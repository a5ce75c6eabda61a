from odoo import api, fields, models

from ...tools.reader import code_or_id, list_of, reads, unread


class SaleReturn(models.Model):
    """What the inspection adds to a return: replacements, and processing many returns at once."""

    _inherit = 'sale.return'

    # Progress of the replacements of a return.
    replacement_state = fields.Selection(
        [
            ('no', "No replacement"),
            ('waiting', "Waiting for stock"),
            ('reserved', "Reserved"),
            ('ready', "Ready to ship"),
            ('partial', "Partially delivered"),
            ('full', "Delivered"),
        ],
        string="Replacement",
        compute='_compute_replacement_state',
        compute_sudo=True,
        help="Reserved: it ships as soon as the policy releases it.",
    )

    # === COMPUTE METHODS === #

    @api.depends(
        'state',
        'line_ids.resolution',
        'line_ids.qty_replaced',
        'line_ids.qty_rejected',
        'line_ids.move_ids.state',
    )
    def _compute_replacement_state(self):
        for sale_return in self:
            lines = sale_return.line_ids.filtered(lambda line: line._get_qty_to_replace())
            waiting = lines.filtered(lambda line: line._has_open_replacement())
            if not lines:
                state = 'no'
            elif not waiting:
                state = 'full'
            elif any(lines.mapped('qty_replaced')):
                state = 'partial'
            elif any(move.state != 'assigned' for move in waiting._get_replacement_moves()):
                state = 'waiting'
            else:
                ready = all(
                    line._get_qty_released_by_event(line) > line.qty_replaced for line in waiting
                )
                state = 'ready' if ready else 'reserved'
            sale_return.replacement_state = state

    # === WHAT FOLLOWS === #

    def _describe_next(self):
        """Say what is still to be done for the customer of inspected goods, but the credit.

        To be called in superuser mode. Override to add what other remedies leave to be done.

        :return: sentences, each naming the customer
        :rtype: list
        """
        self.ensure_one()
        customer = self.partner_id.display_name
        replacements = self.line_ids._get_replacement_moves().picking_id
        sentences = []
        if self.replacement_state == 'waiting':
            sentences.append(
                self.env._("The replacement for %(customer)s waits for stock.", customer=customer)
            )
        elif self.replacement_state not in ('no', 'full'):
            sentences.append(
                self.env._(
                    "Next: send the replacement to %(customer)s (%(deliveries)s).",
                    customer=customer,
                    deliveries=self._name_deliveries(replacements),
                )
            )
        if names := self._name_deliveries(self.transfer_ids - replacements):
            sentences.append(
                self.env._(
                    "Next: send the goods back to %(customer)s (%(deliveries)s).",
                    customer=customer,
                    deliveries=names,
                )
            )
        return sentences

    @api.model
    def _name_deliveries(self, pickings):
        """Return the names of the deliveries among transfers that have not left yet."""
        waiting = pickings.filtered(
            lambda picking: (
                picking.picking_type_code == 'outgoing' and picking.state not in ('done', 'cancel')
            )
        )
        return ", ".join(waiting.mapped('name'))

    # === ACTION METHODS === #

    @reads(results=list_of(unread), disposition=code_or_id, grade=code_or_id)
    def action_receive_and_inspect(self, results=None, disposition=None, grade=None):
        """Receive and inspect goods of many returns at once; failing lines are left out.

        Running it again skips finished lines and retries those left out.

        :param list results: what came and what was found, dicts as for
            `sale.return.line.register_inspection`, each with its `line_id`; quantities not received
            yet are received. By default everything expected counts as come.
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

    # === REPLACEMENTS === #

    def _drop_replacements(self, state):
        """Hook of `_after_state`."""
        result = super()._drop_replacements(state)
        if state != 'approved':  # the approval plans them after the receipts
            lines = self.line_ids.filtered(lambda line: line.resolution == 'replace')
            lines._resolve_replace(lines)
        return result

    def _is_finished(self):
        """Extend to wait for the replacements."""
        return super()._is_finished() and not any(
            line._has_open_replacement() for line in self.line_ids
        )
