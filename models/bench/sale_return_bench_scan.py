from odoo import api, models
from odoo.exceptions import ValidationError

from ...tools import barcode

# Codes of goods in the parcel, and codes on the parcel or its documents.
GOODS = ('product', 'packaging', 'lot')


class SaleReturnBench(models.AbstractModel):
    """The meaning of a scan, and its effect."""

    _inherit = 'sale.return.bench'

    @api.model
    def _scan(self, desk, text):
        """Process a scan. Override to recognise more, or see `_get_sources`.

        :param desk: the desk in memory.
        :param str text: text from the scanner.
        :return: an outcome.
        :rtype: dict
        """
        code = barcode.clean(text)
        if command := barcode.parse_command(code):
            return self._do_command(desk, *command)
        desk.set('question', None)
        if barcode.is_unreadable(code):
            return self._reject('unreadable')
        return (
            self._scan_expected(desk, barcode.spellings(code))
            or self._scan_gs1(desk, code)
            or self._scan_known(desk, code)
            or self._scan_unknown(desk, code)
        )

    @api.model
    def _scan_expected(self, desk, codes, quantity=1.0, lot=None):
        """Count goods that are expected on the desk; costs no query.

        :param list codes: spellings of a code.
        :param float quantity: how many units of the code.
        :param str lot: lot or serial number that came with the code (GS1).
        :return: an outcome, None when the code belongs to nothing on the desk.
        """
        if not desk.works:
            return None
        found = desk.find_lots(codes) if lot is None else []
        if found:
            line, name = self._choose_line(desk, found)
            return self._count(desk, line, quantity, name)
        found = desk.find_lines(codes)
        if not found:
            return None
        line, units = self._choose_line(desk, found)
        if lot is not None:
            line = next((x for x, _units in found if lot in x['serials']), line)
            if lot not in line['serials'] and line['tracking'] != 'none':
                return self._ask_wrong_serial(desk, line, lot)
        return self._count_goods(desk, line, units * quantity, lot)

    @api.model
    def _count_line(self, desk, line_key):
        """Count one more of a line by hand."""
        desk.set('question', None)
        line = desk.get_line(line_key)
        if not line:
            return self._reject('no_item')
        return self._count_goods(desk, line, 1.0)

    @api.model
    def _count_goods(self, desk, line, quantity, lot=None):
        """Count goods; where no lot was read and there is only one, count them with that lot."""
        if line['tracking'] != 'none' and lot is None:
            names = list(line['serials'])
            if line['tracking'] == 'serial' or len(names) != 1:
                return self._reject('lot_needed', product=line['product'])
            lot = names[0]
        return self._count(desk, line, quantity, lot)

    @api.model
    def _choose_line(self, desk, found):
        """Return the first of several lines that still has something to be counted."""
        return next((pair for pair in found if desk.left(pair[0]) > 0), found[0])

    @api.model
    def _count(self, desk, line, quantity, lot=None):
        """Count goods of a line; ask if it is more than expected."""
        if lot and line['tracking'] == 'serial':
            quantity = 1.0
            if desk.find_serial(line['product_id'], lot):
                return self._reject('already_counted', product=line['product'], lot=lot)
        left = desk.left(line)
        if round(quantity - left, 6) > 0:
            counted = desk.counted(line['key'])
            return self._ask(
                desk,
                'over',
                ['surplus', 'mistake', 'ignore'],
                {'line_key': line['key'], 'lot': lot, 'quantity': quantity, 'left': left},
                product=line['product'],
                expected=line['expected'],
                counted=counted + quantity,
            )
        self._add_up(desk, line, quantity, lot)
        desk.label = f"{line['product']} × {self._format_number(quantity)}"
        return self._accept(
            'counted',
            'counted_lot' if lot else 'counted',
            product=line['product'],
            lot=lot,
            counted=desk.counted(line['key']),
            expected=line['expected'],
        )

    @api.model
    def _add_up(self, desk, line, quantity, lot=None, kind='expected'):
        """Add a quantity to the item of the same goods that has no result yet."""
        item = desk.find_item(line['key'], lot, kind)
        if item:
            self._change_item(desk, item, {'quantity': round(item['quantity'] + quantity, 6)})
            desk.set('current', item['id'])
            return item
        return self._add_item(desk, line, quantity, lot, kind)

    # === GS1 === #

    @api.model
    def _scan_gs1(self, desk, code):
        """Count what a GS1 code says, where the nomenclature of the company is GS1.

        :return: an outcome, None when it is not such a code or nothing in it is known here.
        """
        if not barcode.is_gs1(code) and not code.startswith('urn:'):
            return None
        # sudo: how codes are read is not secret.
        nomenclature = desk.company.sudo().nomenclature_id
        if not nomenclature.is_gs1_nomenclature:
            return None
        try:
            parts = nomenclature.parse_barcode(code)
        except (ValidationError, ValueError):
            return None
        if not isinstance(parts, list):
            return None
        values = {}
        for part in parts:
            values.setdefault(part['type'], part['value'])
        lot = values.get('lot')
        product = values.get('product')
        quantity = values.get('quantity') or 1.0
        if product:
            codes = barcode.spellings(product)
            return self._scan_expected(desk, codes, quantity, lot) or self._scan_known(
                desk, lot or product, codes=[*codes, lot] if lot else codes
            )
        if lot:
            return self._scan_expected(desk, [lot], quantity) or self._scan_known(desk, lot)
        if values.get('package'):
            return self._scan_known(desk, values['package'])
        return None

    # === WHAT IS KNOWN === #

    @api.model
    def _scan_known(self, desk, code, codes=None):
        """Identify a code that is not expected on the desk.

        :param list codes: spellings, by default those of the code.
        :return: an outcome, None when it is unknown.
        """
        found = self.env['sale.return.bench.lookup']._find(
            codes or barcode.spellings(code), desk.company
        )
        goods = [row for row in found if row['kind'] in GOODS]
        papers = [row for row in found if row['kind'] not in GOODS]
        if desk.works and goods:
            return self._scan_foreign(desk, goods)
        for step in (self._scan_parcel, self._scan_returns, self._scan_orders):
            if outcome := step(desk, code, papers):
                return outcome
        if goods:
            return self._scan_first_goods(desk, code, goods)
        return None

    @api.model
    def _scan_parcel(self, desk, code, papers):
        """Continue with a parked parcel whose number was scanned."""
        parcels = [row for row in papers if row['kind'] == 'parcel']
        return self._attach_parcel(desk, parcels[0]['id']) if parcels else None

    @api.model
    def _scan_returns(self, desk, code, papers):
        """Put the returns of a slip, a parcel or an order on the desk."""
        rows = [row for row in papers if row['return_id']]
        if not rows:
            return None
        named = [row for row in rows if row['kind'] in ('return', 'tracking', 'receipt')] or rows
        waiting = [row for row in named if row['state'] == 'approved']
        here = [row for row in named if row['return_id'] in desk.works]
        waiting = [row for row in waiting if row['return_id'] not in desk.works]
        if not waiting and here:
            return self._accept('attached', 'also_attached', returns=here[0]['name'])
        if not waiting:
            if named[0]['kind'] in ('order', 'customer_ref', 'delivery'):
                return None  # a new one can be created from the order
            return self._reject_state(named[0])
        if len(waiting) > 1 and waiting[0]['kind'] != 'tracking':
            return self._ask_which(desk, code, waiting)
        if not desk.works and not desk.parcel:
            desk.set('parcel', code)
        return self._attach(desk, waiting)

    @api.model
    def _scan_orders(self, desk, code, papers):
        """Offer to create a return from an order that has none."""
        orders = [row for row in papers if row['order_id']]
        if not orders:
            return None
        order = orders[0]
        return self._ask(
            desk,
            'make_return',
            ['create', 'park', 'ignore'],
            {'order_id': order['order_id'], 'code': code},
            order=order['order'],
            partner=order['partner'],
        )

    @api.model
    def _scan_foreign(self, desk, goods):
        """Ask what to do with known goods that are not expected on the desk."""
        row = goods[0]
        lines = [line for line in desk.lines if line['product_id'] == row['product_id']]
        if row['kind'] == 'lot':
            if desk.find_serial(row['product_id'], row['name']):
                return self._reject('already_counted', product=row['product'], lot=row['name'])
            if lines:
                return self._ask_wrong_serial(
                    desk,
                    self._choose_line(desk, [(line, None) for line in lines])[0],
                    row['name'],
                    row,
                )
        elif lines:
            # Another code of goods on the desk, e.g. another spelling.
            return self._scan_expected(desk, list(lines[0]['codes'])[:1], row['quantity'] or 1.0)
        return self._ask(
            desk,
            'foreign_product',
            ['wrong_product', 'mistake', 'ignore'],
            {
                'product_id': row['product_id'],
                'product': row['product'],
                'uom': row['uom'],
                'tracking': row['tracking'],
                'lot': row['name'] if row['kind'] == 'lot' else None,
                'quantity': row['quantity'] or 1.0,
            },
            product=row['product'],
        )

    @api.model
    def _ask_wrong_serial(self, desk, line, lot, row=None):
        """Ask what to do with a lot that was not delivered with a line."""
        if desk.find_serial(line['product_id'], lot):
            return self._reject('already_counted', product=line['product'], lot=lot)
        owner = row and row.get('order')
        return self._ask(
            desk,
            'wrong_serial',
            ['wrong_lot', 'mistake', 'ignore'],
            {'line_key': line['key'], 'lot': lot},
            sentence='wrong_serial_of' if owner else 'wrong_serial',
            product=line['product'],
            lot=lot,
            partner=row and row.get('partner'),
            order=owner,
        )

    @api.model
    def _scan_first_goods(self, desk, code, goods):
        """Find the returns that expect goods, when the desk is still empty.

        A serial number expected by one return is enough; a product may belong to anybody.
        """
        row = goods[0]
        waiting = self.env['sale.return.bench.lookup']._find_waiting(goods, desk.company)
        if not waiting:
            return None if row['kind'] != 'lot' else self._offer_order_of_lot(desk, row)
        sure = row['kind'] == 'lot' and len({w['return_id'] for w in waiting}) == 1
        if not sure:
            return self._ask_which(desk, code, waiting)
        outcome = self._attach(desk, waiting[:1])
        if outcome['code'] != 'attached':
            return outcome
        return self._scan_expected(desk, [row['name']]) or outcome

    @api.model
    def _offer_order_of_lot(self, desk, row):
        """Offer to create a return from the order with which a serial number was delivered."""
        if not row['order_id']:
            return None
        return self._scan_orders(desk, row['name'], [row])

    @api.model
    def _ask_which(self, desk, code, rows):
        """Ask which of several returns it is."""
        rows = list({row['return_id']: row for row in rows}.values())
        return self._ask(
            desk,
            'which_return',
            ['attach', 'ignore'],
            {'return_ids': [row['return_id'] for row in rows], 'code': code},
            sentence='one_return' if len(rows) == 1 else 'which_return',
            candidates=[
                {
                    'id': row['return_id'],
                    'name': row['name'] if row['kind'] not in GOODS else row['return'],
                    'partner': row['partner'],
                    'order': row['order'],
                }
                for row in rows
            ],
            **{
                'scanned': code,
                'return': rows[0].get('return') or rows[0]['name'],
                'partner': rows[0]['partner'],
            },
        )

    @api.model
    def _reject_state(self, row):
        """Return why nothing can be received for a return."""
        states = dict(self.env['sale.return']._fields['state']._description_selection(self.env))
        return self._reject('not_open', state=states[row['state']], **{'return': row['name']})

    # === WHAT NOBODY KNOWS === #

    @api.model
    def _scan_unknown(self, desk, code):
        """Return what is wrong with an unknown code."""
        known = desk.get_codes()
        if glued := barcode.find_glued(code, known):
            return self._scan_both(desk, *glued)
        if begun := barcode.find_beginning(code, known):
            return self._reject('partial', scanned=begun)
        if barcode.has_wrong_check_digit(code):
            return self._reject('unreadable', 'misread', scanned=code)
        known = self.env['sale.return.bench.lookup']._find_parts(code, desk.company)
        if glued := barcode.find_glued(code, known):
            return self._reject('glued', left=glued[0], right=glued[1])
        tracked = [line for line in desk.lines if line['tracking'] != 'none']
        if tracked:
            return self._ask(
                desk,
                'unknown_serial',
                ['wrong_lot', 'mistake', 'ignore'],
                {'lot': code, 'line_keys': [line['key'] for line in tracked]},
                candidates=[
                    {'id': n, 'name': line['product'], 'order': line['order'], 'partner': None}
                    for n, line in enumerate(tracked)
                ],
                scanned=code,
            )
        return self._reject('unknown', 'unknown_here' if desk.works else 'unknown', scanned=code)

    @api.model
    def _scan_both(self, desk, left, right):
        """Count two codes scanned as one, if both are certain; else neither."""
        names = {'left': left, 'right': right}
        lines = [desk.find_lines([code]) or desk.find_lots([code]) for code in (left, right)]
        if not all(lines):
            return self._reject('glued', **names)
        first = self._scan_expected(desk, [left])
        if first['status'] != 'accept':
            return first
        second = self._scan_expected(desk, [right])
        if second['status'] != 'accept':
            return second
        desk.label = f"{left}, {right}"
        return self._accept('counted', 'counted_twice', last=second['message'])

    # === COMMANDS === #

    @api.model
    def _do_command(self, desk, verb, argument):
        """Execute the button whose code was scanned."""
        steps = {
            'undo': self._undo,
            'finish': self._finish,
            'next': self._next_parcel,
            'discard': self._discard,
            'park': lambda desk: self._park(desk, {}),
            'yes': lambda desk: self._answer_by_command(desk, first=True),
            'no': lambda desk: self._answer_by_command(desk, first=False),
        }
        if verb in steps:
            return steps[verb](desk)
        if verb in ('grade', 'disposition', 'liability'):
            return self._set_result(desk, {verb: argument}, None)
        if verb == 'quantity':
            try:
                quantity = float(argument)
            except ValueError:
                return self._reject('bad_value', value=argument)
            return self._set_quantity(desk, desk.current, quantity)
        return self._reject('unknown', 'unknown_command', scanned=argument)
