from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ...tools import barcode
from ...tools.desk import Desk
from ..reception.const import FOREIGN_KINDS
from .const import BENCH_KINDS

COLORS = {'accept': 'success', 'reject': 'danger', 'ask': 'warning'}
DONE_CODES = ('finished', 'parked', 'created')
# Kinds reported without a scan.
REPORT_KINDS = ('damaged', 'empty', 'short')
ITEM_FIELDS = (
    'return_id',
    'line_id',
    'line_key',
    'kind',
    'product_id',
    'name',
    'uom',
    'lot_name',
    'quantity',
    'grade_id',
    'disposition_id',
    'proposed_disposition_id',
    'is_override',
    'liability',
    'note',
    'answers',
)


DESK_QUERY = """
SELECT 'session', s.id, to_jsonb(s) || jsonb_build_object('user', p.name)
  FROM sale_return_bench_session s
  JOIN res_users u ON u.id = s.user_id
  JOIN res_partner p ON p.id = u.partner_id
 WHERE s.id = %(id)s AND s.user_id = %(user)s AND s.state = 'open'
 UNION ALL
SELECT 'step', id, answer FROM sale_return_bench_step
 WHERE session_id = %(id)s AND token = %(token)s
 UNION ALL
SELECT 'work', id, jsonb_build_object(
       'return_id', return_id, 'facts', facts, 'since', date_start)
  FROM sale_return_bench_work WHERE session_id = %(id)s
 UNION ALL
SELECT 'item', i.id, to_jsonb(i) || jsonb_build_object('photos', (
       SELECT jsonb_agg(COALESCE(f.bench_question, 0))
         FROM sale_return_file f WHERE f.bench_item_id = i.id))
  FROM sale_return_bench_item i
 WHERE session_id = %(id)s AND removed IS NOT TRUE
 UNION ALL
(SELECT 'undo', id, jsonb_build_object('label', label, 'journal', undo)
   FROM sale_return_bench_step
  WHERE session_id = %(id)s AND undo IS NOT NULL ORDER BY id DESC LIMIT 1)
 ORDER BY 2
"""


class SaleReturnBench(models.AbstractModel):
    """The state of the desk: loading, changing, saving and returning it."""

    _inherit = 'sale.return.bench'

    # === LOAD AND SAVE === #

    @api.model
    def _load(self, session_id, token=None):
        """Load a desk in one query.

        :param str token: of the step about to be executed, to find its answer if there is one.
        :rtype: odoo.addons.sale_return.tools.desk.Desk
        :raise UserError: when the session is not open, or not the user's.
        """
        self._ensure_inspector()
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                DESK_QUERY,
                id=session_id if type(session_id) is int else 0,
                user=self.env.uid,
                token=token,
            )
        )
        rows = {'session': [], 'step': [], 'work': [], 'item': [], 'undo': []}
        for kind, record_id, value in self.env.cr.fetchall():
            rows[kind].append((record_id, value))
        session = rows['session'][0][1] if rows['session'] else {}
        company = self.env.companies.filtered(lambda c: c.id == session.get('company_id'))
        if not company:
            raise UserError(
                self.env._(
                    "This bench is not open, or it is somebody else's. Open the bench again."
                )
            )
        works = {work['return_id']: {'id': work_id, **work} for work_id, work in rows['work']}
        items = [
            {
                'id': item_id,
                'photos': item['photos'] or [],
                **{name: item.get(name) for name in ITEM_FIELDS},
            }
            for item_id, item in rows['item']
        ]
        return Desk(
            # sudo: only this service writes desks; this one is the user's.
            self.env['sale.return.bench.session'].sudo().browse(session_id),
            works,
            items,
            {
                **session,
                'company': company,
                'current': session['current_item'] or None,
                'answer': rows['step'][0][1] if rows['step'] else None,
                'last_step': {'id': rows['undo'][0][0], **rows['undo'][0][1]}
                if rows['undo']
                else None,
            },
        )

    @api.model
    def _save(self, desk, token, outcome):
        """Save what a step has changed on the session, and the step itself.

        Writing the session makes concurrent calls wait for each other: the second one is retried
        and finds the token of the first.
        """
        names = {'current': 'current_item'}
        values = {names.get(name, name): value for name, value in desk.changes.items()}
        desk.session.write({**values, 'date_last': self._now(), 'steps': desk.steps + 1})
        step = {
            'session_id': desk.session.id,
            'company_id': desk.company.id,
            'token': token,
            'label': desk.label,
            'answer': outcome,
            'undo': desk.journal if outcome['status'] != 'reject' and desk.label else False,
        }
        # sudo: written by this service only.
        created = self.env['sale.return.bench.step'].sudo().create(step)
        if step['undo']:
            desk.last_step = {'id': created.id, 'label': desk.label, 'journal': desk.journal}

    @api.model
    def _refresh(self, desk):
        """Reload expectations: goods may have been received or inspected elsewhere."""
        if not desk.works:
            return
        # sudo: the returns were checked when they were put on the desk.
        returns = self.env['sale.return'].sudo().browse(desk.works)
        facts = self.env['sale.return.bench.facts']._read(returns)
        works = self.env['sale.return.bench.work'].sudo()
        for return_id, work in desk.works.items():
            fresh = facts.get(return_id, {**work['facts'], 'lines': []})
            fresh.pop('held', None)
            if fresh != work['facts']:
                # One write per return that has changed: usually none.
                works.browse(work['id']).facts = work['facts'] = fresh

    # === OUTCOMES === #

    @api.model
    def _accept(self, code, sentence=None, result=None, **values):
        """Return the outcome of a step that was done.

        :param str code: stable code, see docs/bench.md.
        :param str sentence: code of the sentence, if different.
        :param result: what the call returns besides the state.
        """
        return self._outcome('accept', code, self._say(sentence or code, **values), result)

    @api.model
    def _reject(self, code, sentence=None, **values):
        """Return the outcome of a step that was refused and changed nothing."""
        return self._outcome('reject', code, self._say(sentence or code, **values))

    @api.model
    def _ask(self, desk, code, choices, context, sentence=None, candidates=(), **values):
        """Ask a question; nothing is counted until it is answered.

        :param list choices: values of `_get_choice_labels`.
        :param dict context: data that `_answer_<code>` needs.
        """
        message = self._say(sentence or code, **values)
        desk.set(
            'question',
            {
                'code': code,
                'message': message,
                'choices': choices,
                'candidates': list(candidates),
                'context': context,
            },
        )
        return self._outcome('ask', code, message)

    @api.model
    def _outcome(self, status, code, message, result=None):
        return {'status': status, 'code': code, 'message': message, 'result': result}

    @api.model
    def _answer(self, desk, outcome, repeated=False):
        """Return the answer for the client: an outcome and the state of the desk."""
        done = outcome['code'] in DONE_CODES and outcome['status'] == 'accept'
        return {
            **outcome,
            'sound': 'done' if done else outcome['status'],
            'color': COLORS[outcome['status']],
            'repeated': repeated,
            'data': self._get_data(desk),
        }

    # === CHANGES === #

    @api.model
    def _add_item(self, desk, line, quantity, lot=None, kind='expected', **values):
        """Count goods that were not counted yet.

        :param dict line: facts of the line.
        :return: the new item.
        :rtype: dict
        """
        vals = {
            'return_id': desk.get_return_id(line['key']),
            'line_id': line['line_id'],
            'line_key': line['key'],
            'kind': kind,
            'product_id': line['product_id'],
            'name': line['product'],
            'uom': line['uom'],
            'lot_name': lot or False,
            'quantity': quantity,
            'liability': line['liability'],
            **values,
        }
        # sudo: written by this service only.
        item = (
            self.env['sale.return.bench.item']
            .sudo()
            .create(
                {
                    **vals,
                    'session_id': desk.session.id,
                    'company_id': desk.company.id,
                }
            )
        )
        new = {'id': item.id, 'photos': [], **{name: vals.get(name) for name in ITEM_FIELDS}}
        desk.items[item.id] = new
        desk.journal.append(['item', item.id, {'removed': True}])
        desk.set('current', item.id)
        return new

    @api.model
    def _change_item(self, desk, item, vals):
        """Change an item, and record its old values."""
        old = {name: item.get(name) or False for name in vals if name != 'removed'}
        if 'removed' in vals:
            old['removed'] = False
            desk.items.pop(item['id'], None)
        desk.journal.append(['item', item['id'], old])
        item.update(vals)
        # sudo: written by this service only.
        self.env['sale.return.bench.item'].sudo().browse(item['id']).write(vals)

    # === WHAT THE CLIENT SEES === #

    @api.model
    def _get_data(self, desk):
        """Return the state of a desk, see docs/bench.md. Override to add entries."""
        items = [self._get_item_data(desk, item) for item in desk.items.values()]
        returns = [self._get_return_data(desk, work) for work in desk.works.values()]
        lines = [line for entry in returns for line in entry['lines']]
        expected = sum(line['expected'] for line in lines)
        counted = sum(line['counted'] for line in lines)
        ready = bool(items) and all(item['ready'] for item in items)
        if not returns:
            phase = 'scan'
        elif counted < expected and not (items and not ready):
            phase = 'count'
        else:
            phase = 'ready' if ready else 'result' if items else 'count'
        return {
            'session': {
                'id': desk.session.id,
                'user_id': self.env.uid,
                'user': desk.user,
                'company_id': desk.company.id,
                'state': 'open',
                'parcel': desk.parcel,
                'phase': phase,
                'can_undo': bool(desk.last_step),
                'undo': desk.last_step and desk.last_step['label'],
                'ready': ready,
                'counted': counted,
                'expected': expected,
            },
            'returns': returns,
            'items': items,
            'current_item_id': desk.current if desk.current in desk.items else None,
            'question': self._get_question_data(desk.question),
            'parcel': self._get_parcel_data(desk),
        }

    @api.model
    def _get_return_data(self, desk, work):
        facts = work['facts']
        hidden = ('codes', 'serials', 'categ')
        return {
            **{name: facts[name] for name in ('id', 'name', 'partner', 'orders', 'tracking')},
            'carrier': facts['carrier'],
            'remark': facts.get('remark'),
            'since': str(work['since']).replace('T', ' ')[:19],
            'lines': [
                {
                    **{name: value for name, value in line.items() if name not in hidden},
                    'counted': desk.counted(line['key']),
                    'surplus': desk.counted(line['key'], FOREIGN_KINDS),
                    'lots': list(line['serials']),
                    'questions': self._get_questions_of(line),
                }
                for line in facts['lines']
            ],
        }

    @api.model
    def _get_item_data(self, desk, item):
        missing = self._get_missing(desk, item)
        line = desk.get_line(item['line_key'])
        return {
            'id': item['id'],
            **{name: item[name] or None for name in ITEM_FIELDS if name != 'quantity'},
            'product': item['name'],
            'lot': item['lot_name'] or None,
            'quantity': item['quantity'],
            'is_override': bool(item['is_override']),
            'questions': self._get_questions_of(line) if item['kind'] == 'expected' else [],
            'answers': item['answers'] or {},
            'photos': len(item['photos']),
            'missing': missing,
            'ready': not missing,
        }

    @api.model
    def _get_questions_of(self, line):
        """Return the questions of the checklists of a line."""
        if not line or not line['needs_inspection']:
            return []
        category_id, path, company_id = line['categ']
        return self.env['sale.return.checklist']._get_questions(company_id, category_id, path or '')

    @api.model
    def _get_missing(self, desk, item):
        """Return what is missing before an item can be finished. Override to require more."""
        line = desk.get_line(item['line_key'])
        if item['kind'] != 'expected' or not line or not line['needs_inspection']:
            return []
        missing = []
        if not item['disposition_id']:
            missing.append('grade')
        if item['is_override'] and not (item['note'] or '').strip():
            missing.append('note')
        answers = item['answers'] or {}
        required = [q for q in self._get_questions_of(line) if q['required']]
        if any(q['kind'] != 'photo' and str(q['id']) not in answers for q in required):
            missing.append('answers')
        if any(q['kind'] == 'photo' and q['id'] not in item['photos'] for q in required):
            missing.append('photo')
        return missing

    @api.model
    def _get_question_data(self, question):
        if not question:
            return None
        labels = self._get_choice_labels()
        return {
            'code': question['code'],
            'message': question['message'],
            'choices': [
                {'value': value, 'label': labels[value][0], 'style': labels[value][1]}
                for value in question['choices']
            ],
            'candidates': question['candidates'],
        }

    @api.model
    def _get_parcel_data(self, desk):
        if not desk.parcel_id:
            return None
        # sudo: the parcel was checked when it was put on the desk.
        parcel = self.env['sale.return.parcel'].sudo().browse(desk.parcel_id)
        return {
            'id': parcel.id,
            'name': parcel.name,
            'tracking': parcel.tracking_ref or None,
            'note': parcel.note or None,
            'text': parcel.label_text or None,
            'photos': parcel.photo_ids.ids,
        }

    @api.model
    def _get_configuration(self, company):
        """Return what the client needs only once: choices and commands. Override to add entries."""
        domain = [('company_id', 'in', [company.id, False])]

        def read(model, names, *terms):
            # sudo: choices of the inspection are not secret.
            records = self.env[model].sudo().search([*domain, *terms])
            return records.read(['code', 'name', *names], load=False)

        kinds = dict(
            self.env['sale.return.bench.item']._fields['kind']._description_selection(self.env)
        )
        liabilities = self.env['sale.return.bench.item']._fields['liability']
        return {
            'grades': read('sale.return.grade', ['saleable']),
            'dispositions': [
                row
                for row in read('sale.return.disposition', ['action'])
                if row['action'] != 'keep'
            ],
            'liabilities': [list(pair) for pair in liabilities._description_selection(self.env)],
            'reasons': read('sale.return.reason', [], ('on_returns', '=', True)),
            'report_kinds': [
                [kind, kinds[kind]] for kind, _label in BENCH_KINDS if kind in REPORT_KINDS
            ],
            'commands': barcode.get_commands(),
            'user_rights': {'create_return': True},
        }
