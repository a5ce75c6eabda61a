from odoo import fields, models
from odoo.exceptions import UserError


class SaleReturnConfiguration(models.Model):
    _inherit = 'sale.return.configuration'

    sample_return_id = fields.Many2one('sale.return', string="Sample", ondelete='set null')

    # === ACTION METHODS === #

    def action_create_sample(self):
        """Create a sample parcel: a return of a sample order, to try every desk.

        It is never invoiced, and its product is not counted in stock.

        :return: True
        :raise AccessError: when the user is not a manager of Returns.
        """
        self.ensure_one()
        self._ensure_manager()
        self.check_access('read')
        if not self.sample_return_id:
            # sudo: configurations are a record of what managers do, not edited by hand.
            self.sudo().sample_return_id = self._create_sample()
        return True

    def action_open_sample(self):
        """Open the sample as clerks see it.

        :return: the action of the form.
        :rtype: dict
        :raise UserError: when there is no sample.
        """
        return self._get_sample()._get_records_action()

    def action_print_sample(self):
        """Print the slip of the sample, to be scanned at the bench.

        :return: the action of the report.
        :rtype: dict
        """
        sample = self._get_sample()
        # sudo: users need not read reports to print one.
        slip = self.env.ref('sale_return.sale_return_slip_action').sudo()
        return slip.report_action(sample, config=False)

    def action_show_sample(self):
        """Show the page that the customer of the sample has.

        :return: the action that opens the page.
        :rtype: dict
        """
        url = self._get_sample().access_url
        return {'type': 'ir.actions.act_url', 'url': url, 'target': 'new'}

    def action_remove_sample(self):
        """End the sample and archive its customer and product. Its log stays, as for any return.

        :return: True
        :raise AccessError: when the user is not a manager of Returns.
        """
        self._ensure_manager()
        self.check_access('read')
        # sudo: records created in superuser mode are removed in it: managers need no rights in
        # Sales.
        for configuration in self.sudo().filtered('sample_return_id'):
            sample = configuration.sample_return_id
            order = sample.line_ids.order_id
            if sample.state == 'approved' and sample.line_ids.filtered('qty_received'):
                sample.action_inspect_all('scrap')
            elif sample.state not in ('closed', 'cancelled', 'refused'):
                sample.action_cancel()
            order._action_cancel()
            order.order_line.product_id.active = False
            order.partner_id.active = False
            configuration.sample_return_id = False
        return True

    # === BUSINESS METHODS === #

    def _get_sample(self):
        """Return the sample.

        :raise UserError: when there is none.
        """
        self.ensure_one()
        self.check_access('read')
        if not self.sample_return_id:
            raise UserError(self.env._("There is no sample parcel. Create one first."))
        self.sample_return_id.check_access('read')
        return self.sample_return_id

    def _create_sample(self):
        """Create an order, deliver it, and have its return approved.

        :rtype: sale.return
        """
        # sudo: managers of Returns need no rights in Sales and Inventory for a sample.
        sudo = self.with_company(self.company_id).with_context(tracking_disable=True).sudo()
        order = sudo._create_sample_order()
        order.action_confirm()
        for move in order.picking_ids.move_ids:
            move.quantity, move.picked = move.product_uom_qty, True
        order.picking_ids._action_done()
        sample = sudo.env['sale.return'].create(
            {
                'partner_id': order.partner_id.id,
                'company_id': self.company_id.id,
                'line_ids': [
                    {
                        'sale_line_id': order.order_line.id,
                        'qty_requested': 1,
                        'reason_id': sudo._get_sample_reason().id,
                    }
                ],
            }
        )
        sample.action_submit()
        if sample.state == 'submitted':
            # The user who creates it may not approve it, and it has no value.
            sample._approve(automatic=True)
        return sample.sudo(False)

    def _create_sample_order(self):
        customer = self.env['res.partner'].create(
            {
                'name': self.env._("Sample Customer"),
                'company_id': self.company_id.id,
                # Messages to the customer go to the user who tries it.
                'email': self.env.user.email,
                'lang': self.env.user.lang,
                'country_id': self.company_id.country_id.id,
            }
        )
        product = self.env['product.product'].create(
            {
                'name': self.env._("Sample Product"),
                'type': 'consu',
                'is_storable': False,
                'list_price': 0.0,
                'taxes_id': False,
                'company_id': self.company_id.id,
            }
        )
        return self.env['sale.order'].create(
            {
                'partner_id': customer.id,
                'company_id': self.company_id.id,
                'client_order_ref': self.env._("Sample"),
                'order_line': [fields.Command.create({'product_id': product.id})],
            }
        )

    def _get_sample_reason(self):
        """Return a reason with which goods come back."""
        reasons = self.env['sale.return.reason'].search(
            [
                ('return_expected', '=', True),
                ('photo_required', '=', False),
                ('company_id', 'in', (False, self.company_id.id)),
            ]
        )
        return (self.env.ref('sale_return.reason_changed_mind') & reasons) or reasons[:1]
