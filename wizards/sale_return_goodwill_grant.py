from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools.misc import formatLang


class SaleReturnGoodwillGrant(models.TransientModel):
    """Dialog: credit a part of an invoice without goods."""

    _name = 'sale.return.goodwill.grant'
    _description = "Grant Goodwill"

    res_model = fields.Selection(
        [
            ('account.move', "Invoice"),
            ('sale.order', "Sales Order"),
            ('sale.return', "Return"),
        ],
        required=True,
        readonly=True,
    )
    res_id = fields.Integer(required=True, readonly=True)
    selectable_invoice_ids = fields.Many2many(
        'account.move', compute='_compute_selectable_invoice_ids', compute_sudo=True
    )
    invoice_id = fields.Many2one(
        'account.move',
        required=True,
        compute='_compute_invoice_id',
        store=True,
        readonly=False,
        precompute=True,
        compute_sudo=True,
        domain="[('id', 'in', selectable_invoice_ids)]",
    )
    currency_id = fields.Many2one('res.currency', compute='_compute_amount_left', compute_sudo=True)
    reason_id = fields.Many2one(
        'sale.return.reason', required=True, domain=[('return_class', '=', 'goodwill')]
    )
    tax_included = fields.Selection(
        [('yes', "Tax included"), ('no', "Tax excluded")],
        string="Amount is",
        required=True,
        default='yes',
        help="Whether the amount below contains the taxes of the invoice.",
    )
    selectable_product_ids = fields.Many2many(
        'product.product', compute='_compute_selectable_product_ids', compute_sudo=True
    )
    product_id = fields.Many2one(
        'product.product',
        string="Only for",
        domain="[('id', 'in', selectable_product_ids)]",
        help="The product that the customer keeps; by default all of the invoice.",
    )
    chip = fields.Selection(
        [('10', "10 %"), ('25', "25 %"), ('50', "50 %")],
        string="Share",
        store=False,
        help="Share of what is left, as an amount.",
    )
    percent = fields.Float(store=False, help="Share of the remaining invoice amount, as an amount.")
    amount = fields.Monetary(required=True)
    amount_left = fields.Monetary(
        string="Remaining Invoice Amount",
        compute='_compute_amount_left',
        compute_sudo=True,
        help="Amount invoiced and not credited yet, with or without tax as chosen.",
    )
    comment = fields.Text(string="Why", required=True)

    @api.model
    def _get_action(self, record):
        """Return the dialog for one invoice, order or return."""
        self.env['sale.return.reader']._ensure_one(record)
        return {
            'type': 'ir.actions.act_window',
            'name': self.env._("Goodwill"),
            'res_model': self._name,
            'view_mode': 'form',
            'target': 'new',
            'context': {'default_res_model': record._name, 'default_res_id': record.id},
        }

    def _get_record(self):
        """Return the document it is granted on, if the user may see it.

        :raise AccessError: when they may not.
        :raise UserError: when the dialog was opened without one.
        """
        self.ensure_one()
        if not self.res_model:
            raise UserError(
                self.env._("Goodwill is granted on an invoice, an order or a return. Choose one.")
            )
        record = self.env[self.res_model].browse(self.res_id).sudo(False)
        record.check_access('read')
        return record

    @api.depends('res_model', 'res_id')
    def _compute_selectable_invoice_ids(self):
        for wizard in self:
            # sudo: the invoices of a document that the user may see.
            record = wizard._get_record().sudo()
            invoices = record if record._name == 'account.move' else record.invoice_ids
            wizard.selectable_invoice_ids = invoices.filtered(
                lambda move: move.move_type == 'out_invoice' and move.state == 'posted'
            )

    @api.depends('selectable_invoice_ids')
    def _compute_invoice_id(self):
        for wizard in self:
            wizard.invoice_id = wizard.selectable_invoice_ids[:1]

    @api.depends('invoice_id', 'selectable_invoice_ids')
    def _compute_selectable_product_ids(self):
        # sudo: as for the invoices.
        service = self.env['sale.return.goodwill.credit'].sudo()
        for wizard in self:
            invoice = wizard.invoice_id & wizard.selectable_invoice_ids
            lines = service._get_lines_left(invoice) if invoice else {}
            wizard.selectable_product_ids = self.env['product.product'].union(
                *[line.product_id for line in lines]
            )

    @api.depends('invoice_id', 'tax_included', 'product_id')
    def _compute_amount_left(self):
        # sudo: only the remaining amount of the dialog's invoice; granting checks the rights.
        service = self.env['sale.return.goodwill.credit'].sudo()
        for wizard in self:
            # In an unsaved dialog the invoices are copies of those in the database.
            invoice = wizard.invoice_id._origin & wizard.selectable_invoice_ids._origin
            wizard.currency_id = invoice.currency_id
            wizard.amount_left = (
                service._get_amount_left(invoice, wizard.tax_included == 'yes', wizard.product_id)
                if invoice
                else 0.0
            )

    @api.onchange('chip')
    def _onchange_chip(self):
        if self.chip:
            self.percent = float(self.chip)
            self._onchange_percent()

    @api.onchange('percent', 'product_id')
    def _onchange_percent(self):
        if self.percent:
            self.amount = self.currency_id.round(self.amount_left * self.percent / 100.0)

    def action_confirm(self):
        """Grant the goodwill, stay on the document and show what was credited.

        The credit note is not opened: users who grant goodwill need no rights in Accounting.

        :return: the action that shows the message.
        :rtype: dict
        :raise UserError: when there is no such invoice, less is left or a limit is reached.
        """
        self.ensure_one()
        self.env['sale.return']._ensure_group('group_user')
        record = self._get_record()
        if self.invoice_id not in self.selectable_invoice_ids:
            raise UserError(
                self.env._(
                    "%(document)s does not have this posted invoice. Choose one of its invoices.",
                    document=record.display_name,
                )
            )
        note = self.env['sale.return.goodwill.credit']._grant(
            self.invoice_id,
            self.amount,
            self.reason_id,
            tax_included=self.tax_included == 'yes',
            comment=self.comment,
            sale_return=record if record._name == 'sale.return' else None,
            product=self.product_id,
        )
        # sudo: only what the user has just granted.
        note = note.sudo()
        return self.env['sale.return.opening']._tell(
            self.env._(
                "Credited %(amount)s, credit note %(note)s.",
                amount=formatLang(self.env, note.amount_total, currency_obj=note.currency_id),
                note=note.name,
            )
        )
