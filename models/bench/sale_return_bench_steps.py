import math

from odoo import api, models
from odoo.exceptions import UserError

from .sale_return_bench_state import REPORT_KINDS


class SaleReturnBench(models.AbstractModel):
    """Entries about counted goods, and undoing them."""

    _inherit = 'sale.return.bench'

    # === ATTACH === #

    @api.model
    def _attach_by_id(self, desk, return_id, take_over=False):
        """Put a chosen return on the desk."""
        # Record rules decide whether the user may see it.
        sale_return = self.env['sale.return'].search(
            [('id', '=', return_id), ('company_id', '=', desk.company.id)]
        )
        if not sale_return:
            return self._reject('bad_value', 'no_return')
        row = {
            'return_id': sale_return.id,
            'name': sale_return.name,
            'state': sale_return.state,
        }
        if sale_return.state != 'approved':
            return self._reject_state(row)
        desk.set('question', None)
        return self._attach(desk, [row], take_over=take_over)

    @api.model
    def _attach(self, desk, rows, take_over=False):
        """Put returns on the desk that are on no other desk.

        :param list rows: dicts with `return_id` and `name`, of the company of the desk.
        """
        rows = [row for row in rows if row['return_id'] not in desk.works]
        if not rows:
            return self._reject('already_here', **{'return': ''})
        # sudo: the rows are of the company of the desk, which is one of the user's.
        returns = self.env['sale.return'].sudo().browse(row['return_id'] for row in rows)
        facts = self.env['sale.return.bench.facts']._read(returns)
        if not any(line['expected'] for fact in facts.values() for line in fact['lines']):
            return self._reject('not_open', 'nothing_expected', **{'return': rows[0]['name']})
        held = [fact for fact in facts.values() if fact['held']]
        if held and not take_over:
            return self._ask(
                desk,
                'in_use',
                ['take_over', 'ignore'],
                {'return_id': held[0]['id']},
                user=held[0]['held']['user'],
                time=held[0]['held']['since'][11:16],
                **{'return': held[0]['name']},
            )
        if held:
            return self._take_over(desk, held)
        free = [fact for fact in facts.values() if not fact.pop('held')]
        self._put_on_desk(desk, free)
        self._match_parcel(desk, returns)
        desk.label = ", ".join(fact['name'] for fact in free)
        expected = sum(line['expected'] for fact in free for line in fact['lines'])
        return self._accept(
            'attached', returns=desk.label, partner=free[0]['partner'], expected=expected
        )

    @api.model
    def _put_on_desk(self, desk, facts):
        """Create the records of returns on this desk."""
        # sudo: written by this service only.
        works = (
            self.env['sale.return.bench.work']
            .sudo()
            .create(
                [
                    {
                        'session_id': desk.session.id,
                        'company_id': desk.company.id,
                        'return_id': fact['id'],
                        'facts': fact,
                    }
                    for fact in facts
                ]
            )
        )
        for work, fact in zip(works, facts, strict=True):
            desk.works[fact['id']] = {'id': work.id, 'facts': fact, 'since': self._now()}
            desk.journal.append(['work', fact['id']])

    @api.model
    def _take_over(self, desk, held):
        """Take returns from another desk, with all that was counted there. Cannot be undone."""
        # sudo: the desk of another user; the user has confirmed it, and the other one is notified.
        works = self.env['sale.return.bench.work'].sudo()
        for fact in held:
            # One by one: two returns on other desks at the same time are rare.
            work = works.browse(fact['held']['work_id'])
            other = work.session_id
            other.notice = self._say(
                'took_over',
                user=self.env.user.name,
                time=self._now()[11:16],
                **{'return': fact['name']},
            )
            other.item_ids.filtered(lambda i, f=fact: i.return_id.id == f['id']).write(
                {'session_id': desk.session.id}
            )
            work.write({'session_id': desk.session.id})
        user = held[0]['held']['user']
        self._reload(desk)
        self._refresh(desk)
        return self._accept('taken_over', user=user, **{'return': held[0]['name']})

    @api.model
    def _reload(self, desk):
        """Reload the desk after other code has changed it."""
        fresh = self._load(desk.session.id)
        desk.works, desk.items, desk.last_step = fresh.works, fresh.items, fresh.last_step

    # === ANSWERS === #

    @api.model
    def _answer_question(self, desk, choice, record_id=None):
        question = desk.question
        if not question:
            return self._reject('no_question')
        if choice not in question['choices']:
            return self._reject('bad_value', 'no_choice')
        desk.set('question', None)
        if choice in ('ignore', 'mistake'):
            return self._accept('ignored', 'mistake' if choice == 'mistake' else 'ignored')
        step = getattr(self, f"_answer_{question['code']}")
        return step(desk, question['context'], choice, record_id)

    @api.model
    def _answer_by_command(self, desk, first):
        if not desk.question:
            return self._reject('no_question')
        choices = desk.question['choices']
        return self._answer_question(desk, choices[0] if first else 'ignore')

    @api.model
    def _answer_over(self, desk, context, _choice, _record_id):
        """Count what is expected, and record the rest as surplus."""
        line = desk.get_line(context['line_key'])
        if not line:
            return self._reject('no_item')
        left = desk.left(line)
        quantity = context['quantity']
        item = desk.items.get(context.get('item_id'))
        if item:
            quantity -= item['quantity']
        if (part := min(left, quantity)) > 0:
            if item:
                self._change_item(desk, item, {'quantity': round(item['quantity'] + part, 6)})
            else:
                self._add_up(desk, line, part, context['lot'])
        rest = round(quantity - max(part, 0.0), 6)
        if rest > 0:
            self._add_up(desk, line, rest, context['lot'], 'over')
        desk.label = f"{line['product']} × {self._format_number(quantity)}"
        return self._accept('surplus', product=line['product'], quantity=rest)

    @api.model
    def _answer_foreign_product(self, desk, context, _choice, _record_id):
        """Record that the customer has sent something else."""
        key = f"0:{context['product_id']}"
        item = desk.find_item(key, context['lot'], 'wrong_product')
        if item and not context['lot']:
            self._change_item(
                desk, item, {'quantity': round(item['quantity'] + context['quantity'], 6)}
            )
            desk.set('current', item['id'])
        else:
            line = {
                'key': key,
                'line_id': False,
                'product_id': context['product_id'],
                'product': context['product'],
                'uom': context['uom'],
                'liability': False,
            }
            self._add_item(
                desk,
                line,
                context['quantity'],
                context['lot'],
                'wrong_product',
                return_id=next(iter(desk.works)),
            )
        desk.label = context['product']
        return self._accept('wrong_product', product=context['product'])

    @api.model
    def _answer_wrong_serial(self, desk, context, _choice, _record_id):
        """Record that another lot or serial number came than was delivered."""
        line = desk.get_line(context['line_key'])
        if not line:
            return self._reject('no_item')
        self._add_item(desk, line, 1.0, context['lot'], 'wrong_lot')
        desk.label = f"{line['product']} {context['lot']}"
        return self._accept('wrong_lot', lot=context['lot'])

    @api.model
    def _answer_unknown_serial(self, desk, context, choice, record_id):
        keys = context['line_keys']
        key = keys[record_id] if record_id in range(len(keys)) else keys[0]
        return self._answer_wrong_serial(desk, {**context, 'line_key': key}, choice, None)

    @api.model
    def _answer_in_use(self, desk, context, _choice, _record_id):
        return self._attach_by_id(desk, context['return_id'], take_over=True)

    @api.model
    def _answer_which_return(self, desk, context, _choice, record_id):
        ids = context['return_ids']
        chosen = record_id if record_id in ids else ids[0] if len(ids) == 1 else None
        if chosen is None:
            return self._reject('bad_value', 'no_choice')
        return self._attach_by_id(desk, chosen)

    @api.model
    def _answer_make_return(self, desk, context, choice, _record_id):
        if choice == 'park':
            return self._park(desk, {'text': context['code']})
        return self._create_return(desk, context['order_id'])

    # === COUNTING BY HAND === #

    @api.model
    def _select_item(self, desk, item_id):
        item = desk.items.get(item_id)
        if not item:
            return self._reject('no_item')
        desk.set('current', item['id'])
        return self._accept('selected', product=item['name'])

    @api.model
    def _set_quantity(self, desk, item_id, quantity):
        item = desk.items.get(item_id)
        if not item:
            return self._reject('no_item')
        number = isinstance(quantity, int | float) and not isinstance(quantity, bool)
        if not number or not math.isfinite(quantity) or quantity < 0:
            return self._reject('bad_value', 'bad_quantity', product=item['name'])
        quantity = round(float(quantity), 6)
        line = desk.get_line(item['line_key'])
        desk.label = f"{item['name']} = {self._format_number(quantity)}"
        if not quantity:
            self._change_item(desk, item, {'removed': True})
            desk.set('current', next(reversed(desk.items), None))
            return self._accept('quantity', 'removed', product=item['name'])
        if item['lot_name'] and quantity != 1 and (not line or line['tracking'] == 'serial'):
            return self._reject(
                'bad_value', 'serial_quantity', product=item['name'], lot=item['lot_name']
            )
        others = line and desk.counted(line['key']) - item['quantity']
        if line and item['kind'] == 'expected' and round(others + quantity, 6) > line['expected']:
            desk.label = None
            return self._ask(
                desk,
                'over',
                ['surplus', 'mistake', 'ignore'],
                {
                    'line_key': line['key'],
                    'lot': item['lot_name'],
                    'quantity': quantity,
                    'item_id': item['id'],
                },
                product=item['name'],
                expected=line['expected'],
                counted=others + quantity,
            )
        self._change_item(desk, item, {'quantity': quantity})
        desk.set('current', item['id'])
        return self._accept('quantity', product=item['name'], quantity=quantity)

    @api.model
    def _report(self, desk, values):
        """Record goods that are damaged or missing; nothing moves."""
        values = values if isinstance(values, dict) else {}
        kind, key = values.get('kind'), values.get('line_key')
        lines = [line for line in desk.lines if not line['kit']]
        if key:
            lines = [line for line in lines if line['key'] == key]
        elif kind != 'empty':
            lines = lines if len(lines) == 1 else []
        if kind not in REPORT_KINDS or not lines:
            return self._reject('bad_value', value=key or kind)
        if not key:
            lines = [line for line in lines if desk.left(line) > 0]
        for line in lines:
            most = line['expected'] if kind == 'damaged' else desk.left(line)
            quantity = values.get('quantity') or most
            number = isinstance(quantity, int | float) and not isinstance(quantity, bool)
            if not number or not 0 < quantity <= most:
                return self._reject('bad_value', 'bad_quantity', product=line['product'])
        for line in lines:
            most = line['expected'] if kind == 'damaged' else desk.left(line)
            self._add_item(
                desk,
                line,
                float(values.get('quantity') or most),
                kind=kind,
                note=str(values.get('note') or '') or False,
            )
        if not lines:
            return self._reject('nothing_counted')
        label = dict(
            self.env['sale.return.bench.item']._fields['kind']._description_selection(self.env)
        )[kind]
        desk.label = f"{label}: {lines[0]['product']}"
        return self._accept('reported', kind=label, product=lines[0]['product'])

    # === PHOTOS === #

    @api.model
    def _add_photo(self, desk, photo, item_id=None, question_id=None):
        item = desk.items.get(item_id or desk.current)
        if not item:
            return self._reject('no_item', 'nothing_selected')
        if not isinstance(photo, dict):
            return self._reject('no_photo', reason=self.env._("It has no content."))
        record = self.env['sale.return.bench.item'].browse(item['id'])
        content = {'name': photo.get('name'), 'datas': photo.get('datas')}
        question = question_id if isinstance(question_id, int) else 0
        try:
            with self.env.cr.savepoint():
                files = self.env['sale.return.file']._upload(
                    # sudo: the item is on the user's desk.
                    record.sudo(),
                    [{**content, 'question': question}],
                )
        except UserError as error:
            return self._reject('no_photo', reason=str(error.args[0]))
        desk.journal += [['file', file.id] for file in files]
        item['photos'] = [*item['photos'], question]
        desk.label = self.env._("Photo of %(product)s", product=item['name'])
        return self._accept('photo', product=item['name'])

    # === UNDO AND NEXT === #

    @api.model
    def _undo(self, desk):
        """Undo the last step, from its last change to its first."""
        step = desk.last_step
        if not step:
            return self._reject('nothing_to_undo')
        desk.set('question', None)
        # sudo: everything was written by this service for the user's own desk.
        bench = self.sudo()
        try:
            for kind, *details in reversed(step['journal']):
                getattr(bench, f'_undo_{kind}')(desk, *details)
        except UserError as error:
            return self._reject(
                'nothing_to_undo', 'cannot_undo', step=step['label'], reason=str(error.args[0])
            )
        bench.env['sale.return.bench.step'].browse(step['id']).undo = False
        current = desk.current
        self._reload(desk)
        desk.journal = []
        desk.current = current
        return self._accept('undone', step=step['label'])

    @api.model
    def _undo_item(self, desk, item_id, vals):
        """Restore the values of an item; items taken over by others stay with them."""
        items = self.env['sale.return.bench.item'].browse(item_id)
        if vals.get('removed') is False:
            items = items.search([('id', '=', item_id), ('session_id', '=', desk.session.id)])
        elif item_id not in desk.items:
            return
        items.write(vals)

    @api.model
    def _undo_session(self, desk, name, value):
        desk.set(name, value)

    @api.model
    def _undo_work(self, desk, return_id):
        if work := desk.works.pop(return_id, None):
            self.env['sale.return.bench.work'].browse(work['id'])._remove()

    @api.model
    def _undo_works(self, desk, facts):
        """Put returns back on the desk, unless somebody else has them now."""
        taken = self.env['sale.return.bench.work'].search(
            [('return_id', 'in', [fact['id'] for fact in facts])]
        )
        if taken:
            raise UserError(
                self.env._(
                    "%(user)s has %(return)s on the bench.",
                    user=taken[:1].session_id.user_id.name,
                    **{'return': taken[:1].return_id.name},
                )
            )
        self._put_on_desk(desk, facts)

    @api.model
    def _undo_file(self, _desk, file_id):
        files = self.env['sale.return.file'].browse(file_id).exists()
        files.filtered(lambda file: not file.locked).unlink()

    @api.model
    def _undo_match(self, _desk, parcel_id):
        self.env['sale.return.parcel'].browse(parcel_id)._unmatch()

    @api.model
    def _clear_desk(self, desk):
        """Remove everything from the desk, so that it can be restored."""
        for item in list(desk.items.values()):
            self._change_item(desk, item, {'removed': True})
        if desk.works:
            facts = [work['facts'] for work in desk.works.values()]
            desk.journal.append(['works', facts])
            # sudo: written by this service only.
            works = self.env['sale.return.bench.work'].sudo()
            works.browse(work['id'] for work in desk.works.values())._remove()
            desk.works = {}
        desk.set('question', None)
        for name in ('current', 'parcel', 'parcel_id'):
            desk.set(name, None)

    @api.model
    def _discard(self, desk):
        desk.label = self.env._("Parcel put aside")
        self._clear_desk(desk)
        return self._accept('discarded')

    @api.model
    def _next_parcel(self, desk):
        if desk.items:
            return self._reject('unfinished')
        desk.label = self.env._("Next parcel")
        self._clear_desk(desk)
        if not desk.journal:
            desk.label = None
        return self._accept('next')
