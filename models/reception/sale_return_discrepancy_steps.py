from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import clean_context

from ...const import FOREIGN_KINDS, LIABILITIES

# What can become of which kind.
RESOLUTIONS_BY_KIND = {
    'short': ('accept', 'write_off', 'claim'),
    'empty': ('accept', 'write_off', 'claim'),
    'damaged': ('accept', 'claim'),
    **dict.fromkeys(FOREIGN_KINDS, ('accept', 'write_off', 'send_back', 'claim')),
}


class SaleReturnDiscrepancy(models.Model):
    """The steps of a discrepancy: registered, then resolved.

        accept, for an order line   Quarantine ──► Customers ──► Quarantine (ours, origin linked)
        accept, without             Quarantine ──► Customers; Scrapped Returns ──► Quarantine (0.00)
        send_back                   Quarantine ──► Customers   ready, done when the parcel leaves
        write_off                   Quarantine ──► Scrapped Returns

    All but the goods that become ours are the customer's, and not valued.
    """

    _inherit = 'sale.return.discrepancy'

    # === REGISTER === #

    @api.model
    def _create_found(self, vals_list, with_activity=True):
        """Create discrepancies, log them, and give their owners an activity.

        :param list vals_list: values for `create`.
        :param bool with_activity: False for what is decided on at once.
        :return: the new discrepancies.
        :rtype: sale.return.discrepancy
        """
        # sudo: nobody writes evidence by himself; whoever calls has found something.
        records = self.sudo().create(vals_list)
        records._log_event('discrepancy', [record.note for record in records])
        for user, group in (records if with_activity else self).grouped('user_id').items():
            owner = user or self.env.user
            speaker = self.with_context(lang=owner.lang)
            group.activity_schedule(
                'mail.mail_activity_data_todo',
                summary=speaker.env._("Decide what becomes of it"),
                user_id=owner.id,
            )
        return records

    def _log_event(self, kind, reasons):
        """Write one event for each discrepancy in the history of its return."""
        kinds = dict(self._fields['kind']._description_selection(self.env))
        resolutions = dict(self._fields['resolution']._description_selection(self.env))
        self.env['sale.return.event']._log(
            [
                {
                    'return_id': record.return_id.id,
                    'line_id': record.line_id.id,
                    'kind': kind,
                    'reason': reason,
                    'details': " · ".join(
                        filter(
                            None,
                            [
                                record.name,
                                kinds[record.kind],
                                f"{record.quantity:g} {record.product_uom_id.name}",
                                record.product_id.display_name,
                                record.lot_id.name,
                                resolutions.get(record.resolution),
                            ],
                        )
                    ),
                }
                for record, reason in zip(self, reasons, strict=True)
            ]
        )

    # === RESOLVE === #

    def action_resolve(self, resolution, reason=None, liability=None):
        """Say what becomes of what was found, and do it.

        A claimed thing may be resolved once more as long as it is here: the claim stays in the
        history.

        :param str resolution: `accept`, `write_off`, `send_back` or `claim`.
        :param str reason: why; demanded where something is written off.
        :param str liability: who pays for it, demanded for a claim (`carrier`, `supplier`, ...).
        :return: True
        :raise AccessError: without the role of inspector; accepting goods, and writing off what
            was credited already, takes an approver.
        :raise UserError: when it is resolved already, or cannot be resolved that way.
        """
        returns = self.env['sale.return']
        foreign = self.filtered(lambda record: record._is_foreign())
        accepts = resolution == 'accept' and foreign
        returns._ensure_group('group_approver' if accepts else 'group_inspector')
        self.check_access('read')
        self._ensure_resolvable(resolution, reason, liability)
        if resolution in ('write_off', 'claim'):
            self._ensure_may_write_off()
        # sudo: moving the goods is part of deciding on them and asks for no rights in Inventory;
        # the group was checked.
        records = self.sudo().with_context(clean_context(self.env.context))
        records._settle(resolution, reason, liability)
        getattr(records, f'_resolve_{resolution}')()
        records.return_id._after_step()
        return True

    def _ensure_may_write_off(self):
        """Refuse to stop expecting what was credited already, unless an approver does.

        :raise AccessError: without the role of approver.
        :raise UserError: when the user asked for the return.
        """
        lines = self.filtered(lambda record: record.kind in ('short', 'empty')).line_id
        early = lines.filtered(lambda line: line._is_credited_before_it_came())
        self.env['sale.return.disposal']._ensure_may_leave(early)

    def _settle(self, resolution, reason, liability=None):
        """Record what was decided, by whom and why."""
        self._write_facts(
            {
                'state': 'resolved',
                'resolution': resolution,
                'reason': reason,
                'resolved_by_id': self.env.uid,
                'date_resolved': fields.Datetime.now(),
                **({'liability': liability} if liability else {}),
            }
        )
        self._log_event('discrepancy_resolved', [reason] * len(self))
        self.activity_feedback(['mail.mail_activity_data_todo'], feedback=reason)

    def _ensure_resolvable(self, resolution, reason, liability):
        """Refuse a resolution that makes no sense for what was found.

        :raise UserError: naming the discrepancy and what is possible.
        """
        labels = dict(self._fields['resolution']._description_selection(self.env))
        for record in self:
            if record.state == 'resolved' and not (
                record.resolution == 'claim' and record._is_foreign() and record.qty_here
            ):
                raise UserError(
                    self.env._("Discrepancy %(name)s is resolved already.", name=record.name)
                )
            possible = RESOLUTIONS_BY_KIND[record.kind]
            if resolution not in possible:
                raise UserError(
                    self.env._(
                        "“%(resolution)s” is no resolution for %(name)s. Choose one of "
                        "%(possible)s.",
                        resolution=labels.get(resolution, resolution),
                        name=record.display_name,
                        possible=", ".join(labels[value] for value in possible),
                    )
                )
        if resolution == 'write_off' and not (reason or "").strip():
            raise UserError(self.env._("Say why it is written off."))
        if liability and liability not in dict(LIABILITIES):
            raise UserError(
                self.env._(
                    "“%(liability)s” cannot be liable. Choose one of %(choices)s.",
                    liability=liability,
                    choices=", ".join(dict(LIABILITIES)),
                )
            )
        if resolution == 'claim' and not all(liability or record.liability for record in self):
            raise UserError(self.env._("Say against whom the claim is: who is liable?"))

    def _resolve_accept(self):
        """What came too much becomes part of the return; what did not come is expected again."""
        foreign = self.filtered(lambda record: record._is_foreign())
        missing = self.filtered(lambda record: record.kind in ('short', 'empty'))
        self.env['sale.return.reception']._create_receipts(
            missing.return_id.filtered(lambda r: r.state == 'approved')
        )
        self.env['sale.return.custody']._accept(foreign)

    def _resolve_write_off(self):
        """What did not come is not expected any more; foreign goods are scrapped."""
        self._write_off_missing()
        foreign = self.filtered(lambda record: record._is_foreign())
        self.env['sale.return.custody']._scrap(foreign)

    def _resolve_send_back(self):
        """Foreign goods go back to the customer."""
        self.env['sale.return.custody']._send_back(self)

    def _resolve_claim(self):
        """The record is the ground of a claim. Goods stay where they are."""
        self._write_off_missing()

    def _write_off_missing(self):
        """Stop expecting what was found missing."""
        # sudo: the callers have checked who resolves the discrepancy.
        lines = self.env['sale.return.line'].sudo()
        for record in self.filtered(lambda r: r.kind in ('short', 'empty') and r.line_id):
            line = record.line_id
            quantity = min(record._get_line_quantity(), line._get_qty_missing())
            # One write per line: each misses its own quantity.
            line._write_facts({'qty_written_off': line.qty_written_off + quantity})
            lines |= line
        self.env['sale.return.reception']._cancel_unexpected(lines)

    def _reopen(self):
        """Open discrepancies again whose goods did not go where they should have gone."""
        # sudo: a transfer that is cancelled opens it again, whoever cancels.
        records = self.sudo().filtered(lambda r: r.state == 'resolved' and r.qty_here)
        records._write_facts({'state': 'open', 'resolution': False})
        records._log_event(
            'discrepancy', [self.env._("Its transfer was cancelled.")] * len(records)
        )
        records.return_id._close_or_reopen()

    # === GUARD === #

    def _ensure_none_open(self):
        """Refuse to finish returns with open discrepancies.

        :raise UserError: naming them.
        """
        if opened := self.filtered(lambda record: record.state == 'open'):
            raise UserError(
                self.env._(
                    "Return %(returns)s cannot be closed: decide first what becomes of "
                    "%(discrepancies)s.",
                    returns=", ".join(opened.return_id.mapped('name')),
                    discrepancies=", ".join(opened.mapped('display_name')),
                )
            )
