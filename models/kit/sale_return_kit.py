from collections import defaultdict

from odoo import api, models
from odoo.exceptions import UserError


class SaleReturnKit(models.AbstractModel):
    """Service: returns of kits, which are sold as one product and move as their components.

    A return of kits authorizes a number of kits; the receipt has a move for each component, and
    whatever comes is received. Missing components are written off when the return is closed.
    """

    _name = 'sale.return.kit'
    _description = "Return of Kits"

    # === EXPECT === #

    @api.model
    def _allocate_origins(self, line, left_by_move):
        """Return which delivery moves a line of kits undoes, the oldest delivery first.

        Whole kits are expected whole. A part of a kit (0.33) may be any component: those left of
        kits that came back in part are expected first, else one more whole kit.

        :param line: `sale.return.line` of a kit.
        :param dict left_by_move: `{delivery move: quantity left with the customer}`; allocated
            quantities are subtracted from it.
        :return: list of `(delivery move, quantity in the unit of the component)`.
        :rtype: list
        """
        sale_line = line.sale_line_id
        expected = line.move_ids.filtered(
            lambda move: move.state not in ('done', 'cancel') and move._is_sale_return_receipt()
        )
        wanted = line._get_qty_missing() - sum(
            sale_line._get_kit_share(move.product_id, move._get_product_quantity())
            for move in expected
        )
        left = defaultdict(float)
        for move, quantity in left_by_move.items():
            if move.sale_line_id == sale_line:
                left[move.product_id] += quantity
        parts = []
        for product, quantity in self._get_expected_components(sale_line, wanted, left).items():
            todo = product.uom_id.round(quantity)
            for move, there in sorted(left_by_move.items(), key=lambda i: (i[0].date, i[0].id)):
                part = min(todo, there)
                if (
                    move.sale_line_id == sale_line
                    and move.product_id == product
                    and product.uom_id.compare(part, 0.0) > 0
                ):
                    parts.append((move, part))
                    left_by_move[move] -= part
                    todo -= part
        return parts

    @api.model
    def _get_expected_components(self, sale_line, wanted, left):
        """Return which components are expected for a quantity of kits.

        :param sale_line: `sale.order.line` of the kits.
        :param float wanted: in the unit of the order line.
        :param dict left: `{component: quantity left with the customer}`.
        :return: `{component: quantity in its unit}`.
        :rtype: dict
        """
        kit = sale_line._get_return_kit()
        measure = sale_line._get_return_measure()
        compare = measure.compare
        if compare(wanted, 0.0) <= 0:
            return {}
        complete = sale_line._get_kits_complete(left)
        kits = min(sale_line._get_whole_kits(wanted), complete)
        loose = {}
        rest = wanted - kits
        for product, (in_one, share) in kit.items():
            there = left.get(product, 0.0) - complete * in_one
            if there > 0 and compare(rest, 0.0) > 0:
                # The share is rounded, the number of goods is not.
                fits = compare(there / in_one * share, rest) <= 0
                loose[product] = there if fits else product.uom_id.round(rest / share * in_one)
                rest -= loose[product] / in_one * share
        if compare(rest, 0.0) > 0 and compare(kits, complete) < 0:
            kits += measure.from_stock(1.0)
        return {
            product: kits * in_one + loose.get(product, 0.0)
            for product, (in_one, _share) in kit.items()
        }

    # === RECEIVED === #

    @api.model
    def _after_receipt(self, lines):
        """Stop expecting components of kits that nobody has authorized, or that cannot come.

        If a part of a kit was authorized and has come, the rest of that kit stays with the
        customer.

        :param lines: `sale.return.line` records of which something just came.
        """
        for line in lines.filtered(lambda line: line.sale_line_id._is_return_kit()):
            expected = line.move_ids.filtered(
                lambda move: move.state not in ('done', 'cancel') and move._is_sale_return_receipt()
            )
            missing = line._get_qty_missing()
            measure = line._get_measure()
            if measure.is_zero(missing):
                expected._action_cancel()
            elif not expected and measure.compare(missing, measure.rounding) <= 0:
                # Everything has come; shares were only rounded in another order than at the
                # authorization.
                line._write_off_missing()

    # === INSPECT === #

    @api.model
    def _get_open_goods(self, lines):
        """Return which components of kits wait for inspection.

        :param lines: `sale.return.line` records of kits.
        :return: list of `(line, component, lot, quantity in the unit of the component)`.
        :rtype: list
        """
        quantities = defaultdict(float)
        for line, buckets in self.env['sale.return.quarantine']._get_buckets(lines).items():
            for bucket in buckets:
                quantities[line, bucket['product'], bucket['lot']] += bucket['quantity']
        return [(*key, quantity) for key, quantity in quantities.items()]

    @api.model
    def _expand_results(self, lines, results):
        """Convert results for a kit into results for its components.

        :param lines: `sale.return.line` records that the results may name.
        :param list results: see `sale.return.line.register_inspection`.
        :return: results, those of kits each with a `product`.
        :rtype: list
        :raise UserError: when it is not clear which components are meant.
        """
        kits = lines.filtered(lambda line: line.sale_line_id._is_return_kit())
        if not kits:
            return results
        disposal = self.env['sale.return.disposal']
        goods = None
        expanded = []
        for result in results:
            named = isinstance(result, dict) and not result.get('product')
            line = disposal._get_result_line(lines, result) if named else None
            if not line or line not in kits or self._is_kept(line, result):
                expanded.append(result)
                continue
            goods = goods or self._get_open_goods(kits)
            mine = [(product, lot, there) for it, product, lot, there in goods if it == line]
            parts = self._get_components_of_result(line, result, mine)
            expanded += [
                {**result, 'product': product.id, 'lot': lot.id, 'quantity': quantity}
                for product, lot, quantity in parts
            ]
            for other in expanded[len(expanded) - len(parts) + 1 :]:
                other.pop('files', None)  # stored once, with the first row
                other.pop('attachment_ids', None)
        return expanded

    @api.model
    def _is_kept(self, line, result):
        """Tell whether a result lets the customer keep goods that have not come."""
        disposition = self.env['sale.return.disposal']._find_configuration(
            'sale.return.disposition', result.get('disposition'), line.company_id
        )
        return disposition.action == 'keep'

    @api.model
    def _get_components_of_result(self, line, result, goods):
        """Return the components of a result given as a number of kits.

        :param line: `sale.return.line` of a kit.
        :param dict result: its `quantity` is in the unit of the line.
        :param list goods: `(component, lot, quantity)` that wait for inspection.
        :return: list of `(component, lot, quantity)`.
        :raise UserError: when there are not as many whole kits, or a lot has to be chosen.
        """
        quantity = result.get('quantity')
        number = isinstance(quantity, int | float) and not isinstance(quantity, bool)
        compare = line._get_measure().compare
        if number and goods and compare(quantity, line.qty_to_inspect) == 0:
            return goods  # everything waiting
        there = defaultdict(float)
        for product, _lot, here in goods:
            there[product] += here
        kit = line.sale_line_id._get_return_kit()
        whole = number and compare(quantity, line.sale_line_id._get_whole_kits(quantity)) == 0
        complete = line.sale_line_id._get_kits_complete(there)
        tracked = any(product.tracking != 'none' for product in kit)
        if not whole or tracked or quantity <= 0 or compare(quantity, complete) > 0:
            raise UserError(
                self.env._(
                    "%(kit)s in return %(return)s came back as its components. Enter which of "
                    "them was inspected, and how much: %(components)s.",
                    kit=line.product_id.display_name,
                    components=", ".join(product.display_name for product in kit),
                    **{'return': line.return_id.name},
                )
            )
        lots = self.env['stock.lot']
        return [
            (product, lots, product.uom_id.round(quantity * in_one))
            for product, (in_one, _share) in kit.items()
        ]

    @api.model
    def _find_component(self, line, reference):
        """Return the component of a kit that a result names.

        :param line: `sale.return.line` of a kit.
        :param reference: internal reference, barcode or name (str), id (int) or record.
        :return: `product.product`
        :raise UserError: when the kit has no such component.
        """
        components = line.sale_line_id._get_return_kit()
        for product in components:
            if self._is_named(product, reference):
                return product
        raise UserError(
            self.env._(
                "%(reference)s is not a component of %(kit)s. Choose one of %(components)s.",
                reference=getattr(reference, 'display_name', reference),
                kit=line.product_id.display_name,
                components=", ".join(product.display_name for product in components),
            )
        )

    @api.model
    def _is_named(self, product, reference):
        """Tell whether a product is the one that a result names.

        :param reference: internal reference, barcode or name (str), id (int) or record.
        """
        if isinstance(reference, models.BaseModel):
            return reference == product
        if isinstance(reference, str):
            codes = (product.default_code, product.barcode, product.name, product.display_name)
            return reference in codes
        return reference == product.id

    @api.model
    def _set_kept_quantities(self, lines, vals_list):
        """Set on the values of rows which part of their kits components are that never come."""
        for vals in vals_list:
            if vals.get('component_id'):
                line = lines.browse(vals['line_id'])
                component = self.env['product.product'].browse(vals['component_id'])
                part = line.sale_line_id._get_kit_share(component, vals['component_qty'])
                vals['quantity'] = line._get_measure().round(part)

    @api.model
    def _set_kit_quantities(self, lines, vals_list, buckets):
        """Set on the values of rows of components which part of their kits they are.

        A row takes `round(R · q / m)`: `R` is what is received and not inspected of the line, `m`
        the unrounded parts of all components that wait, `q` that of the row. The last one takes the
        remainder, so that everything received is finally inspected.

        :param lines: `sale.return.line` records, in superuser mode.
        :param list vals_list: values of `sale.return.inspection`; those of kits are changed.
        :param dict buckets: what waits for inspection, these rows not deducted.
        """
        left = {}
        for vals in vals_list:
            if not vals.get('component_id'):
                continue
            line = lines.browse(vals['line_id'])
            share = line.sale_line_id._get_kit_share
            if line not in left:
                waiting = sum(share(b['product'], b['quantity']) for b in buckets[line])
                rest = max(line._get_qty_come() - line.qty_inspected, 0.0)
                left[line] = [rest, waiting]
            rest, waiting = left[line]
            mine = share(
                self.env['product.product'].browse(vals['component_id']), vals['component_qty']
            )
            is_last = waiting - mine < 1e-9
            vals['quantity'] = line._get_measure().round(rest if is_last else rest * mine / waiting)
            left[line] = [rest - vals['quantity'], waiting - mine]
