from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools import clean_context


class SaleReturnCreate(models.TransientModel):
    """Dialog: choose what a customer returns, and why."""

    _name = 'sale.return.create'
    _description = "Create Return"

    sale_line_ids = fields.Many2many('sale.order.line', string="Order Lines")
    order_id = fields.Many2one(
        'sale.order',
        domain="[('state', '=', 'sale')]",
        compute='_compute_order_id',
        readonly=False,
        help="The order whose products come back, where the dialog was not opened from one.",
    )
    partner_id = fields.Many2one('res.partner', compute='_compute_partner_id')
    company_id = fields.Many2one('res.company', compute='_compute_partner_id')
    is_gift_order = fields.Boolean(compute='_compute_is_gift_order')
    gift_recipient_id = fields.Many2one(
        'res.partner',
        string="Returned by Recipient",
        check_company=True,
        help="The contact who got the goods as a gift and returns them for store credit or an "
        "exchange. The buyer is told nothing.",
    )
    reason_id = fields.Many2one(
        'sale.return.reason',
        check_company=True,
        domain=[('on_returns', '=', True)],
        help="Reason for lines without their own.",
    )
    customer_note = fields.Text(help="Comment of the customer, in their own words.")
    external_ref = fields.Char(string="External Reference")
    wants_store_credit = fields.Boolean(compute='_compute_wants_store_credit')
    store_credit_consent = fields.Text(
        string="Agreed to Store Credit",
        help="How and when the customer has agreed to store credit instead of their money. By law "
        "consumers who withdraw get their money back unless they have.",
    )
    line_ids = fields.One2many(
        'sale.return.create.line',
        'wizard_id',
        compute='_compute_line_ids',
        store=True,
        readonly=False,
        precompute=True,
    )

    # Columns that only some dialogs need, so that the others have room.
    is_counted_otherwise = fields.Boolean(compute='_compute_needed_columns')
    is_tracked = fields.Boolean(compute='_compute_needed_columns')
    has_many_orders = fields.Boolean(compute='_compute_needed_columns')
    has_exchange = fields.Boolean(compute='_compute_needed_columns')
    approval_note = fields.Char(
        compute='_compute_approval_note', help="Why the return is not approved at once."
    )

    currency_id = fields.Many2one('res.currency', compute='_compute_amount_total')
    amount_total = fields.Monetary(
        string="Worth",
        compute='_compute_amount_total',
        help="What is returned, at the prices of the order, tax included.",
    )

    @api.depends('line_ids.quantity')
    def _compute_amount_total(self):
        for wizard in self:
            # sudo: users who open the dialog need not read orders.
            rows = wizard.sudo().line_ids.filtered(
                lambda row: row.quantity > 0 and not row._is_too_much()
            )
            currencies = wizard.sudo().sale_line_ids.currency_id
            wizard.currency_id = currencies[:1] or wizard.company_id.currency_id
            wizard.amount_total = sum(
                row.sale_line_id.currency_id._convert(
                    row.sale_line_id._get_return_price() * row.quantity,
                    wizard.currency_id,
                    wizard.company_id,
                    wizard.company_id._get_sale_return_day(),
                )
                for row in rows
            )

    exchange_note = fields.Char(
        string="Exchange",
        compute='_compute_exchange_note',
        help="What is credited, what the customer gets, and who pays the difference.",
    )

    @api.depends(
        'line_ids.quantity', 'line_ids.resolution', 'line_ids.exchange_product_id', 'reason_id'
    )
    def _compute_exchange_note(self):
        for wizard in self:
            # sudo: users who open the dialog need not read orders.
            rows = wizard.sudo().line_ids.filtered(
                lambda row: row.quantity > 0 and not row._is_too_much()
            )
            wizard.exchange_note = False
            if any(row.resolution == 'exchange' and row.exchange_product_id for row in rows):
                wizard.exchange_note = wizard.sudo()._get_draft(rows)._describe_exchange()

    keep_note = fields.Char(
        string="Goods That Stay",
        compute='_compute_keep_note',
        help="What the customer keeps, what they get for it, and how.",
    )

    @api.depends(
        'line_ids.quantity', 'line_ids.resolution', 'line_ids.reason_id', 'reason_id', 'partner_id'
    )
    def _compute_keep_note(self):
        for wizard in self:
            # sudo: users who open the dialog need not read orders and rules.
            rows = wizard.sudo().line_ids.filtered(
                lambda row: row.quantity > 0 and not row._is_too_much()
            )
            wizard.keep_note = (
                rows
                and rows.env['sale.return.keep.rule']._is_on()
                and " ".join(wizard.sudo()._get_draft(rows)._describe_keeping())
            ) or False

    @api.depends('line_ids.quantity', 'line_ids.resolution')
    def _compute_wants_store_credit(self):
        for wizard in self:
            wizard.wants_store_credit = any(
                row.quantity > 0 and row.resolution == 'store_credit' for row in wizard.line_ids
            )

    def _get_draft(self, rows):
        """Return the input as a return in memory.

        :param rows: lines of the dialog.
        """
        fallback = self.reason_id or self.env.ref('sale_return.reason_not_stated')
        return self.env['sale.return'].new(
            {
                'partner_id': self.partner_id.id,
                'company_id': self.company_id.id,
                'line_ids': [
                    Command.create(
                        {
                            'sale_line_id': row.sale_line_id.id,
                            'reason_id': (row.reason_id or fallback).id,
                            'qty_requested': row.quantity,
                            'resolution': row.resolution,
                            'exchange_product_id': row.exchange_product_id.id,
                        }
                    )
                    for row in rows
                ],
            }
        )

    def _get_verdicts(self, rows):
        """Evaluate policies and rules for the input, as the submission will. Writes nothing.

        :param rows: lines of the dialog; those without quantity or reason are left out.
        :return: `{row: [verdict dict]}`, see `sale.return.decision._get_verdicts`.
        :rtype: dict
        """
        self.ensure_one()
        rows = rows.filtered(
            lambda row: (
                row.quantity > 0
                and not row._is_too_much()
                and (row.reason_id or self.reason_id)
                and row.sale_line_id
            )
        )
        if not rows:
            return {}
        draft = self._get_draft(rows)
        verdicts = self.env['sale.return.decision']._get_verdicts(draft.line_ids)
        return {row: verdicts[line] for row, line in zip(rows, draft.line_ids, strict=True)}

    @api.onchange('order_id')
    def _onchange_order_id(self):
        if self.order_id:
            self.sale_line_ids = self.order_id.order_line

    @api.depends('sale_line_ids')
    def _compute_order_id(self):
        for wizard in self:
            orders = wizard.sale_line_ids.order_id
            wizard.order_id = orders if len(orders) == 1 else False

    @api.depends('sale_line_ids')
    def _compute_partner_id(self):
        for wizard in self:
            orders = wizard.sale_line_ids.order_id
            wizard.partner_id = orders[:1].partner_id
            wizard.company_id = orders[:1].company_id

    @api.depends('order_id')
    def _compute_is_gift_order(self):
        for wizard in self:
            # sudo: users who open the dialog need not read orders.
            order = wizard.sudo().order_id
            wizard.is_gift_order = order.sale_return_gift and order.has_sale_return_gift

    @api.depends('sale_line_ids')
    def _compute_line_ids(self):
        for wizard in self:
            wizard.line_ids = [Command.clear()] + [
                Command.create({'sale_line_id': line.id})
                # During precomputation the lines are not the saved ones.
                for line in wizard.sale_line_ids._origin
                if line._is_returnable()
            ]

    @api.depends('line_ids.sale_line_id', 'line_ids.resolution')
    def _compute_needed_columns(self):
        for wizard in self:
            rows = wizard.line_ids
            wizard.is_counted_otherwise = any(
                row.product_uom_id != row.product_id.uom_id for row in rows
            )
            wizard.is_tracked = any(row.tracking not in (False, 'none') for row in rows)
            wizard.has_many_orders = len(rows.order_id) > 1
            wizard.has_exchange = any(row.resolution == 'exchange' for row in rows)

    @api.depends('reason_id', 'line_ids.reason_id', 'line_ids.quantity')
    def _compute_approval_note(self):
        for wizard in self:
            lines = wizard.line_ids.filtered(
                lambda line: line.quantity > 0 and line._is_without_goods()
            )
            wizard.approval_note = False
            if lines:
                wizard.approval_note = self.env._(
                    "%(products)s will not come back, so the return needs an approver.",
                    products=", ".join(lines.product_id.mapped('display_name')),
                )

    def action_return_all(self):
        """Fill in everything that can be returned and keep the dialog open."""
        self.ensure_one()
        for line in self.line_ids:
            line.quantity = line.qty_returnable
        return {
            'type': 'ir.actions.act_window',
            'name': self.env._("Return"),
            'res_model': self._name,
            'res_id': self.id,
            'view_mode': 'form',
            'target': 'new',
        }

    def action_create(self):
        """Create the return as a draft and open it.

        :return: the action that shows the return.
        :rtype: dict
        :raise UserError: when no quantity or no reason is given.
        """
        sale_return = self._create_return()
        return sale_return._get_records_action(name=self.env._("Return"))

    def action_create_and_submit(self):
        """Create the return, submit it and open it.

        :return: the action that shows the return.
        :rtype: dict
        :raise UserError: when no quantity or no reason is given, or it cannot be returned.
        """
        sale_return = self._create_return()
        sale_return.action_submit()
        return sale_return._get_records_action(name=self.env._("Return"))

    def _create_return(self):
        """Create the return of the chosen quantities."""
        self.ensure_one()
        lines = self.line_ids.filtered(
            lambda line: not line.sale_line_id._get_return_measure().is_zero(line.quantity)
        )
        if not lines:
            raise UserError(self.env._("Enter what is returned: all quantities are zero."))
        if excess := lines.filtered(lambda line: line._is_too_much()):
            raise UserError(
                self.env._(
                    "More is entered than can be returned. Maximum: %(products)s.",
                    products=", ".join(
                        f"{line.product_id.display_name}: "
                        f"{line._format_quantity(line.qty_returnable)}"
                        for line in excess
                    ),
                )
            )
        if missing := lines.filtered(lambda line: not (line.reason_id or self.reason_id)):
            raise UserError(
                self.env._(
                    "Enter why these products are returned: %(products)s.",
                    products=", ".join(missing.product_id.mapped('display_name')),
                )
            )
        # The context of the dialog must not affect the documents that are created.
        returns = self.env['sale.return'].with_context(clean_context(self.env.context))
        sale_return = returns.create(
            {
                'partner_id': self.partner_id.id,
                'company_id': self.company_id.id,
                'external_ref': self.external_ref,
                'line_ids': [Command.create(line._prepare_return_line_vals()) for line in lines],
            }
        )
        if self.gift_recipient_id:
            sale_return.action_take_gift(self.gift_recipient_id.id)
        return sale_return
