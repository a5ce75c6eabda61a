from odoo import api, fields, models
from odoo.exceptions import UserError

from ...tools.reader import (
    anything,
    count,
    flag,
    list_of,
    needed,
    reads,
    record_id,
    row,
    text,
)

TOKEN_LENGTH = 100


class SaleReturnBench(models.AbstractModel):
    """Service: the returns desk. See docs/bench.md, which is the contract of all public methods.

    A call loads the desk (two queries), changes it, and saves the changes with the token, the
    answer, and the data to undo it. Nothing is received or inspected before `finish`.

    Its other parts: `sale_return_bench_finish.py`, `sale_return_bench_messages.py`,
    `sale_return_bench_parcels.py`, `sale_return_bench_results.py`, `sale_return_bench_scan.py`,
    `sale_return_bench_state.py`, `sale_return_bench_steps.py`.
    """

    _name = 'sale.return.bench'
    _description = "Return Bench"

    # === SESSION === #

    @api.model
    @reads(company_id=record_id)
    def open_session(self, company_id=None):
        """Open the bench in the state in which it was left.

        :param int company_id: by default the current company.
        :return: an answer; `result` is the configuration (grades, dispositions, commands, …).
        :rtype: dict
        :raise AccessError: without the role of inspector.
        """
        self._ensure_inspector()
        company = self.env.company
        if company_id:
            company = self.env.companies.filtered(lambda c: c.id == company_id)
            if not company:
                raise UserError(self.env._("You have no access to this company."))
        # sudo: only this service writes desks; the group was checked, and each user gets their own
        # desk.
        sessions = self.env['sale.return.bench.session'].sudo()
        domain = [
            ('user_id', '=', self.env.uid),
            ('company_id', '=', company.id),
            ('state', '=', 'open'),
        ]
        session = sessions.search(domain, limit=1)
        if not session:
            session = sessions.create({'user_id': self.env.uid, 'company_id': company.id})
        desk = self._load(session.id)
        self._refresh(desk)
        code = 'resumed' if desk.items or desk.works else 'opened'
        outcome = self._accept(code, result=self._get_configuration(company))
        return self._answer(desk, {**outcome, 'code': 'opened'})

    @api.model
    @reads(session_id=needed(record_id))
    def get_state(self, session_id):
        """Return the state of the desk, with expectations reloaded. Changes nothing else."""
        desk = self._load(session_id)
        self._refresh(desk)
        return self._answer(desk, self._accept('state'))

    # === SCAN === #

    @api.model
    @reads(session_id=needed(record_id), token=needed(text))
    def scan(self, session_id, barcode, token):
        """Process a scan or typed text.

        :param int session_id: an open session of the user.
        :param str barcode: anything that a scanner or camera has read.
        :param str token: made by the client, unique per scan.
        :return: an answer.
        :rtype: dict
        """
        return self._run(session_id, token, self._scan, barcode)

    @api.model
    @reads(session_id=needed(record_id), line_key=anything, token=needed(text))
    def count_line(self, session_id, line_key, token):
        """Count one more of a line by hand, e.g. goods without barcode.

        :param str line_key: `key` of a line of the state.
        """
        return self._run(session_id, token, self._count_line, line_key)

    @api.model
    @reads(session_id=needed(record_id), choice=anything, token=needed(text), record_id=record_id)
    def answer(self, session_id, choice, token, record_id=None):
        """Answer the pending question.

        :param str choice: the value of one of its choices.
        :param int record_id: the chosen candidate, where there are any.
        """
        return self._run(session_id, token, self._answer_question, choice, record_id)

    # === RESULTS === #

    @api.model
    @reads(session_id=needed(record_id), item_id=needed(record_id), token=needed(text))
    def select_item(self, session_id, item_id, token):
        """Make an item the current one, to which results apply."""
        return self._run(session_id, token, self._select_item, item_id)

    @api.model
    @reads(
        session_id=needed(record_id),
        item_id=needed(record_id),
        token=needed(text),
    )
    def set_quantity(self, session_id, item_id, quantity, token):
        """Set how many of an item there are, in the unit of the product; 0 removes it."""
        return self._run(session_id, token, self._set_quantity, item_id, quantity)

    @api.model
    @reads(
        session_id=needed(record_id), values=row(), token=needed(text), item_ids=list_of(record_id)
    )
    def set_result(self, session_id, values, token, item_ids=None):
        """Set the result of the inspection.

        :param dict values: any of `grade`, `disposition` (id or code), `liability`, `note`,
            `answers` (`{question id: value}`), `quantity` (splits one item).
        :param list item_ids: by default the current item, without one all that lack a grade.
        """
        return self._run(session_id, token, self._set_result, values, item_ids)

    @api.model
    @reads(
        session_id=needed(record_id),
        photo=row(),
        token=needed(text),
        item_id=record_id,
        question_id=record_id,
    )
    def add_photo(self, session_id, photo, token, item_id=None, question_id=None):
        """Store a photo of an item, by default the current one.

        :param dict photo: `{name, datas}`, base64.
        :param int question_id: the item of the checklist that asks for it.
        """
        return self._run(session_id, token, self._add_photo, photo, item_id, question_id)

    @api.model
    @reads(session_id=needed(record_id), values=row(), token=needed(text))
    def report(self, session_id, values, token):
        """Record that goods are damaged or missing, or their box is empty.

        :param dict values: `{kind, line_key, quantity, note}`
        """
        return self._run(session_id, token, self._report, values)

    # === STEPS === #

    @api.model
    @reads(session_id=needed(record_id), token=needed(text))
    def undo(self, session_id, token):
        """Undo the last step."""
        return self._run(session_id, token, self._undo)

    @api.model
    @reads(session_id=needed(record_id), token=needed(text))
    def discard(self, session_id, token):
        """Put the parcel aside; nothing was booked."""
        return self._run(session_id, token, self._discard)

    @api.model
    @reads(session_id=needed(record_id), token=needed(text))
    def next_parcel(self, session_id, token):
        """Prepare for the next parcel, unless this one is not finished."""
        return self._run(session_id, token, self._next_parcel)

    @api.model
    @reads(session_id=needed(record_id), token=needed(text))
    def finish(self, session_id, token):
        """Receive and inspect what was counted, in one transaction, and credit what that releases.

        :return: an answer; `result` lists what was received and credited, and what can be labelled.
        """
        return self._run(session_id, token, self._finish)

    # === UNKNOWN PARCELS === #

    @api.model
    @reads(
        session_id=needed(record_id),
        return_id=needed(record_id),
        token=needed(text),
        take_over=flag,
    )
    def attach(self, session_id, return_id, token, take_over=False):
        """Put a return on the desk, in addition to those already there."""
        return self._run(session_id, token, self._attach_by_id, return_id, take_over)

    @api.model
    @reads(
        session_id=needed(record_id), order_id=needed(record_id), token=needed(text), values=row()
    )
    def create_return(self, session_id, order_id, token, values=None):
        """Create a return from an order, as far as the user's rights allow, and put it on the desk.

        :param dict values: `{reason: id or code, lines: [{sale_line_id, quantity}]}`; by default
            all that can be returned, for the reason “not stated”.
        """
        return self._run(session_id, token, self._create_return, order_id, values)

    @api.model
    @reads(session_id=needed(record_id), values=row(), token=needed(text))
    def park(self, session_id, values, token):
        """Park a parcel until its owner is found.

        :param dict values: `{tracking, carrier, note, location, text, photos}`
        """
        return self._run(session_id, token, self._park, values)

    @api.model
    @reads(
        session_id=needed(record_id),
        parcel_id=needed(record_id),
        token=needed(text),
        return_id=record_id,
    )
    def attach_parcel(self, session_id, parcel_id, token, return_id=None):
        """Continue with a parked parcel, with its return if that is known now."""
        return self._run(session_id, token, self._attach_parcel, parcel_id, return_id)

    @api.model
    @reads(session_id=needed(record_id), limit=needed(count))
    def find_candidates(self, session_id, text, limit=10):
        """Find the returns and orders that text on a label may refer to, the likeliest first.

        :param str text: what was scanned or typed, in any order.
        :return: dicts, see docs/bench.md.
        :rtype: list
        """
        desk = self._load(session_id)
        return self.env['sale.return.candidates']._find(text, desk.company, limit=limit)

    @api.model
    @reads(inspection_ids=needed(list_of(record_id)))
    def get_label_action(self, inspection_ids):
        """Return the action that prints the put-away labels of inspection rows.

        :param list inspection_ids: e.g. `label_ids` of the result of `finish`.
        :rtype: dict
        """
        self._ensure_inspector()
        # Record rules limit which rows the user may label.
        rows = self.env['sale.return.inspection'].search([('id', 'in', inspection_ids or [])])
        return rows.action_print_labels()

    # === GUARDS === #

    @api.model
    def _ensure_inspector(self):
        self.env['sale.return']._ensure_group('group_inspector')

    @api.model
    def _check_token(self, token):
        if not isinstance(token, str) or not token.strip() or len(token) > TOKEN_LENGTH:
            raise UserError(self.env._("Each step at the bench needs its own token, a text."))

    # === RUN === #

    @api.model
    def _run(self, session_id, token, step, *args):
        """Execute a step exactly once, despite network failures.

        :param step: method that gets the desk and `args` and returns an outcome, see `_accept`.
        :return: the answer.
        :rtype: dict
        """
        self._check_token(token)
        desk = self._load(session_id, token)
        if desk.answer is not None:
            return self._answer(desk, desk.answer, repeated=True)
        if desk.notice:
            outcome = self._reject('lost', notice=desk.notice)
            desk.set('notice', None)
        else:
            outcome = step(desk, *args)
        self._save(desk, token, outcome)
        return self._answer(desk, outcome)

    @api.model
    def _now(self):
        return fields.Datetime.to_string(fields.Datetime.now())
