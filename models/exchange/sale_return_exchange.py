from odoo import api, models
from odoo.exceptions import UserError
from odoo.fields import Command, Datetime
from odoo.tools import format_date

SWITCH = 'sale_return.group_exchange'


class SaleReturnExchange(models.AbstractModel):
    """Service: what a customer can get in exchange, its price, and the settlement.

    Writes nothing. The preview and the order use the same values (`_prepare_line_vals`). The order
    and the settlement: `sale.return.exchange.order`; the hold: `sale.return.hold`.
    """

    _name = 'sale.return.exchange'
    _description = "Return Exchange"

    # === SWITCH === #

    @api.model
    def _is_on(self):
        """Tell whether exchanges are switched on in the settings."""
        return self.env['res.groups']._is_feature_enabled(SWITCH)

    @api.model
    def _ensure_on(self):
        """Refuse exchanges where the part is switched off.

        :raise UserError: saying where it is switched on.
        """
        if not self._is_on():
            raise UserError(
                self.env._(
                    "Exchanges are switched off. Choose a refund or a replacement, or switch them "
                    "on in the settings of Returns."
                )
            )

    # === WHAT === #

    @api.model
    def _get_sizes(self, had, wanted):
        """Return the first pair of attribute values in which two variants differ.

        :return: `(product.attribute.value, product.attribute.value)`, both empty for none.
        :rtype: tuple
        """
        none = self.env['product.attribute.value']
        if not wanted or had == wanted or had.product_tmpl_id != wanted.product_tmpl_id:
            return none, none
        mine = had.product_template_attribute_value_ids
        others = wanted.product_template_attribute_value_ids
        for value in mine - others:
            other = (others - mine).filtered(lambda o, v=value: o.attribute_id == v.attribute_id)
            if other:
                return (
                    value.product_attribute_value_id,
                    other[:1].product_attribute_value_id,
                )
        return none, none

    @api.model
    def _get_size(self, product):
        """Return the value of a variant in the first attribute that there is a choice of."""
        return product.product_template_attribute_value_ids.sorted(
            lambda value: (value.attribute_id.sequence, value.attribute_id.id)
        )[:1].product_attribute_value_id

    @api.model
    def _find_problem(self, line):
        """Return why an exchange cannot be carried out; None when it can. In superuser mode.

        Override to add checks. Stock is checked when the goods are held.

        :param line: one `sale.return.line` with this resolution.
        :return: a sentence
        """
        return self._find_problem_of_return(line) or self._find_problem_of_product(line)

    @api.model
    def _find_problem_of_return(self, line):
        """Return why the returned goods cannot be exchanged at all; None when they can."""
        order = line.sale_line_id.order_id
        values = {'product': line.product_id.display_name, 'order': order.name}
        if not line.sale_line_id:
            return self.env._(
                "%(product)s belongs to no order line yet, so it is not known what was paid for "
                "it. Find its order before you exchange it.",
                **values,
            )
        if order.exchange_return_id:
            return self.env._(
                "%(product)s of order %(order)s was itself given in exchange and cannot be "
                "exchanged again. Choose a refund, and create a new order.",
                **values,
            )
        if not line.return_expected or line.sale_line_id._is_return_kit():
            return self.env._(
                "%(product)s cannot be exchanged: it is a service or a kit, or it is not sent "
                "back. Choose a refund.",
                **values,
            )
        if not order.partner_id.active or not order.partner_id.commercial_partner_id.active:
            return self.env._(
                "%(customer)s is archived, so no new order can be created. Choose a refund.",
                customer=order.partner_id.display_name,
            )
        return None

    @api.model
    def _find_problem_of_product(self, line):
        """Return why a customer cannot get a product; None when they can."""
        product = line.exchange_product_id
        if not product:
            return self.env._(
                "Choose what the customer gets in exchange for %(product)s.",
                product=line.product_id.display_name,
            )
        values = {'product': product.display_name}
        if not product.active or not product.product_tmpl_id.active:
            return self.env._("%(product)s is archived. Choose another product.", **values)
        if not self._is_sold(product, line.return_id):
            return self.env._("%(product)s is not for sale. Choose another one.", **values)
        if product.type != 'consu' or ('is_kits' in product._fields and product.is_kits):
            return self.env._(
                "%(product)s is a service or a kit, which cannot be given in exchange. Choose "
                "goods, or a refund and a new order.",
                **values,
            )
        company = line.company_id
        if product.company_id and product.company_id not in company.parent_ids:
            return self.env._(
                "%(product)s belongs to another company than the return. Choose a product of "
                "%(company)s.",
                company=company.name,
                **values,
            )
        compare = line.exchange_uom_id.compare
        if compare(line.exchange_quantity, 0.0) <= 0:
            return self.env._("Enter how many of %(product)s the customer gets.", **values)
        if compare(line.exchange_quantity, line.qty_requested) > 0:
            return self.env._(
                "%(quantity)s of %(product)s are more than the returned quantity "
                "(%(returned)s). Create a separate order for the rest.",
                quantity=f"{line.exchange_quantity:g}",
                returned=f"{line.qty_requested:g}",
                **values,
            )
        return None

    @api.model
    def _is_sold(self, product, sale_return):
        """Tell whether the customer of a return may get a product. Override to change it.

        Customers can only choose products shown in the web shop, where there is one.
        """
        asked_on_page = bool(sale_return.portal_kind)
        if asked_on_page and 'is_published' in product._fields and not product.is_published:
            return False
        return product.sale_ok

    @api.model
    def _ensure_one_deal(self, lines):
        """Refuse one exchange order for lines sold on different terms. In superuser mode.

        :param lines: the `sale.return.line` records of one return with this resolution.
        :raise UserError: naming the orders.
        """
        orders = lines.sale_line_id.order_id
        terms = {
            (
                order.currency_id,
                order.partner_invoice_id,
                order.partner_shipping_id,
                order.warehouse_id,
                order.payment_term_id,
            )
            for order in orders
        }
        if len(terms) > 1:
            raise UserError(
                self.env._(
                    "Orders %(orders)s differ in their currency, address, warehouse or payment "
                    "terms, so one exchange cannot have the terms of all of them. Create a "
                    "separate return for each.",
                    orders=", ".join(orders.mapped('name')),
                )
            )

    # === PRICES === #

    @api.model
    def _get_proposed_prices(self, lines):
        """Return the unit price of the chosen products, discount deducted. In superuser mode.

        :param lines: `sale.return.line` records with an order line and a chosen product.
        :return: `{line: price}`, like the prices of the order.
        :rtype: dict
        """
        result = {}
        for line in lines:
            terms = self._get_terms(line)
            result[line] = terms['price_unit'] * (1 - terms['discount'] / 100)
        return result

    @api.model
    def _get_terms(self, line):
        """Return the terms for the chosen product. Override for other prices.

        Another variant costs what was paid for the one that comes back; another product has the
        customer's current price. Taxes are those of the returned line, or of the product, by the
        current fiscal position.

        :param line: one `sale.return.line` in superuser mode.
        :return: `{'price_unit', 'discount', 'tax_ids'}`, `tax_ids` as records.
        :rtype: dict
        """
        sale_line = line.sale_line_id
        if line.exchange_product_id.product_tmpl_id == sale_line.product_id.product_tmpl_id:
            return {
                'price_unit': sale_line.price_unit * self._get_paid_ratio(line),
                'discount': sale_line.discount,
                'tax_ids': self._get_carried_taxes(line),
            }
        return self._get_terms_of_today(line)

    @api.model
    def _get_terms_of_today(self, line):
        """Return the customer's current terms for another product."""
        order = line.sale_line_id.order_id
        product = line.exchange_product_id.with_company(order.company_id)
        pricelist = order.partner_id.with_company(order.company_id).property_product_pricelist
        if pricelist.currency_id != order.currency_id:
            pricelist = order.pricelist_id  # the exchange has the currency of its order
        price = pricelist._get_product_price(
            product,
            line.exchange_quantity or 1.0,
            currency=order.currency_id,
            uom=line.exchange_uom_id or product.uom_id,
            date=Datetime.now(),
        )
        taxes = product.taxes_id._filter_taxes_by_company(order.company_id)
        position = self._get_fiscal_position(order)
        return {
            'price_unit': product._get_tax_included_unit_price_from_price(
                price, product_taxes=taxes, fiscal_position=position
            ),
            'discount': 0.0,
            'tax_ids': position.map_tax(taxes) if position else taxes,
        }

    @api.model
    def _get_fiscal_position(self, order):
        """Return the current fiscal position of a customer."""
        positions = self.env['account.fiscal.position'].with_company(order.company_id)
        return positions._get_fiscal_position(order.partner_id, order.partner_shipping_id)

    @api.model
    def _get_carried_taxes(self, line):
        """Return the taxes of the returned line, by the current fiscal position.

        Archived taxes are replaced by those of the product.
        """
        sale_line = line.sale_line_id
        order, taxes = sale_line.order_id, sale_line.tax_ids
        today = self._get_fiscal_position(order)
        if today == order.fiscal_position_id and all(taxes.mapped('active')):
            return taxes
        company = order.company_id
        own = line.exchange_product_id.taxes_id._filter_taxes_by_company(company)
        taxes = own or taxes.filtered('active')
        return today.map_tax(taxes) if today else taxes

    @api.model
    def _get_paid_ratio(self, line):
        """Return the part of the ordered price that was paid for the returned goods.

        1, unless an order-level line (a discount) or a later correction changed it.
        """
        sale_line = line.sale_line_id
        share = self.env['sale.return.order.share']
        shared = any(share._is_order_level(other) for other in sale_line.order_id.order_line)
        corrected = any(
            item.move_id.move_type == 'out_refund' and not item.sale_return_line_id
            for item in sale_line.invoice_lines
        )
        if not shared and not corrected:
            return 1.0
        full = (
            sale_line.price_subtotal / sale_line.product_uom_qty if sale_line.product_uom_qty else 0
        )
        quantity = line.qty_requested
        if not full or not quantity:
            return 1.0
        credit = self.env['sale.return.credit']
        allocations = credit._allocate([(line, quantity)])
        credited = sum(allocation['quantity'] for allocation in allocations)
        allocations += credit._get_price_shares(allocations)
        allocations += share._get_shares(allocations)
        paid = sum(
            allocation['amounts'].get((False, 'total_excluded_currency'), 0.0)
            for allocation in allocations
            if allocation.get('kind') in (None, 'goods', 'discount', 'price')
        )
        return max(paid / (full * credited), 0.0) if credited else 1.0

    # === VALUES === #

    @api.model
    def _prepare_line_vals(self, line):
        """Prepare the order line of an exchange. Override to add values.

        The price of the line is used: a price entered by hand has no discount.

        :param line: one `sale.return.line` in superuser mode.
        :return: values of `sale.order.line`
        :rtype: dict
        """
        terms = self._get_terms(line)
        currency = line.sale_line_id.currency_id
        proposed = terms['price_unit'] * (1 - terms['discount'] / 100)
        if currency.compare_amounts(proposed, line.exchange_price) != 0:
            terms |= {'price_unit': line.exchange_price, 'discount': 0.0}
        return {
            'product_id': line.exchange_product_id.id,
            'product_uom_id': line.exchange_uom_id.id,
            'product_uom_qty': line._get_qty_exchanged(line._get_qty_wanted()),
            'price_unit': terms['price_unit'],
            # Odoo does not overwrite a price that differs from the one it computed.
            'technical_price_unit': -1.0,
            'discount': terms['discount'],
            'tax_ids': [Command.set(terms['tax_ids'].ids)],
            'analytic_distribution': line.sale_line_id.analytic_distribution,
        }

    # === PREVIEW === #

    @api.model
    def _preview(self, returns, notes):
        """Return what customers get in exchange, and what they still owe or get back.

        :param returns: `sale.return` records in superuser mode, saved or not.
        :param dict notes: `{return id: expected notes}`, see `preview_credit`.
        :return: `{return id: {'exchange': [order], 'difference': amount}}`; an order is
            `{'currency', 'lines': [{'return_line_id', 'product_id', 'quantity', 'price_unit',
            'discount', 'untaxed', 'tax', 'total'}], 'untaxed', 'tax', 'total'}`, tax included in
            `total`; the difference is `total` less what is credited, in the currency of the order:
            above zero the customer pays it.
        :rtype: dict
        """
        result = {}
        for sale_return in returns:
            lines = sale_return.line_ids._filter_exchanged().filtered(
                lambda line: line.exchange_product_id and line.sale_line_id
            )
            order = self._preview_order(sale_return, lines) if lines else None
            difference = 0.0
            if order:
                currency = lines.sale_line_id.currency_id[:1]
                day = sale_return.company_id._get_sale_return_day()
                credit = sum(
                    self._get_currency(note['currency'])._convert(
                        note['total'], currency, sale_return.company_id, day
                    )
                    for note in notes.get(sale_return.id, [])
                )
                credit += self._get_credited(sale_return, currency, day)
                difference = currency.round(order['total'] - credit)
            result[sale_return.id] = {
                'exchange': [order] if order else [],
                'difference': difference,
            }
        return result

    @api.model
    def _get_currency(self, code):
        currencies = self.env['res.currency'].with_context(active_test=False)
        return currencies.search([('name', '=', code)], limit=1)

    @api.model
    def _get_credited(self, sale_return, currency, day):
        """Return what posted notes of a return have already credited."""
        return sum(
            note.currency_id._convert(note.amount_total, currency, sale_return.company_id, day)
            for note in sale_return.credit_note_ids
            if note.state == 'posted' and note.move_type == 'out_refund'
        )

    @api.model
    def _preview_order(self, sale_return, lines):
        """Compute the amounts of an exchange order as Odoo does for orders and invoices."""
        taxes = self.env['account.tax']
        company = sale_return.company_id
        order = lines.sale_line_id.order_id[:1]
        currency = order.currency_id
        base_lines, rows = [], []
        for line in lines:
            vals = self._prepare_line_vals(line)
            base_lines.append(
                taxes._prepare_base_line_for_taxes_computation(
                    None,
                    price_unit=vals['price_unit'],
                    quantity=vals['product_uom_qty'],
                    discount=vals['discount'],
                    tax_ids=taxes.browse(vals['tax_ids'][0][2]),
                    product_id=line.exchange_product_id._origin,
                    product_uom_id=line.exchange_uom_id._origin,
                    partner_id=order.partner_invoice_id._origin,
                    currency_id=currency._origin,
                    rate=1.0,
                )
            )
            rows.append((line, vals))
        taxes._add_tax_details_in_base_lines(base_lines, company)
        taxes._round_base_lines_tax_details(base_lines, company)
        totals = taxes._get_tax_totals_summary(base_lines, currency, company)
        return {
            'currency': currency.name,
            'lines': [
                self._describe_line(line, vals, base_line['tax_details'])
                for (line, vals), base_line in zip(rows, base_lines, strict=True)
            ],
            'untaxed': totals['base_amount_currency'],
            'tax': totals['tax_amount_currency'],
            'total': totals['total_amount_currency'],
        }

    @api.model
    def _describe_line(self, line, vals, details):
        untaxed = details['total_excluded_currency'] + details['delta_total_excluded_currency']
        tax = sum(data['tax_amount_currency'] for data in details['taxes_data'])
        return {
            'return_line_id': line.id,
            'product_id': vals['product_id'],
            'quantity': vals['product_uom_qty'],
            'price_unit': vals['price_unit'],
            'discount': vals['discount'],
            'untaxed': untaxed,
            'tax': tax,
            'total': untaxed + tax,
        }

    # === IN STOCK === #

    @api.model
    def _get_free(self, products, warehouse):
        """Return the available stock of products in a warehouse: `{product: quantity}`.

        Goods without tracked stock are always available: `None`.
        """
        # sudo: the stock is the same for all users.
        there = products.sudo().with_context(
            location=warehouse.lot_stock_id.id, strict=False, warehouse_id=False
        )
        return {
            product: (found.free_qty if found.is_storable else None)
            for product, found in zip(products, there, strict=True)
        }

    @api.model
    def _describe_shortage(self, product, warehouse, wished, free):
        """Describe the shortage of a product: how many are available, and when more come.

        :param float wished: in the unit of the product, as `free`.
        :rtype: str
        """
        # sudo: as above.
        coming = (
            self.env['stock.move']
            .sudo()
            .search(
                [
                    ('product_id', '=', product.id),
                    ('state', 'in', ('confirmed', 'waiting', 'assigned', 'partially_available')),
                    ('location_dest_id', 'child_of', warehouse.view_location_id.id),
                    ('location_id.usage', 'in', ('supplier', 'transit', 'production')),
                ],
                order='date',
                limit=1,
            )
        )
        values = {
            'product': product.display_name,
            'wished': f"{wished:g}",
            'free': f"{max(free, 0.0):g}",
            'unit': product.uom_id._get_name_after(wished),
        }
        if coming:
            return self.env._(
                "%(wished)s %(unit)s of %(product)s are requested, %(free)s are available; more"
                " are expected on %(day)s. Choose another product or a refund, or wait.",
                day=format_date(self.env, coming.date.date()),
                **values,
            )
        return self.env._(
            "%(wished)s %(unit)s of %(product)s are requested, %(free)s are available, and no "
            "more are expected. Choose another product or a refund.",
            **values,
        )
