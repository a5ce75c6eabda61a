import logging
from datetime import datetime

from psycopg2 import OperationalError
from psycopg2.extras import Json

from odoo import api, fields, models
from odoo.tools import SQL

from ...tools.past import Past
from ...tools.verdict import strongest

_logger = logging.getLogger(__name__)

# What is counted of a part that failed.
NOTHING = {'lines': [], 'returns': []}


class SaleReturnReplayer(models.AbstractModel):
    """Service: ask the rules about past returns, under the policies in force and under a draft.

    The rules are asked by `sale.return.decision`, as for new returns. For that the returns look, in
    memory only, as they did when they were requested: submitted, undecided, under a certain policy.
    """

    _name = 'sale.return.replayer'
    _description = "Replay of Returns"

    @api.model
    def _is_on(self):
        """Tell whether the settings have switched this part on."""
        return self.env['res.groups']._is_feature_enabled('sale_return.group_lab')

    @api.model
    def _cron_replay(self):
        """Replay the parts that are left."""
        if self._is_on():
            # sudo: replays are written by this service alone.
            parts = self.env['sale.return.replay.part'].sudo()
            left = parts.search([('is_done', '=', False)])
            self.env['sale.return.job']._work_off(left, self.sudo()._replay_parts)

    @api.model
    def _replay_parts(self, parts):
        """Replay parts that are not done, and keep what is found."""
        # Part by part: each has a transaction of its own.
        for part in parts.filtered(lambda part: not part.is_done):
            try:
                with self.env.cr.savepoint():
                    self.with_company(part.company_id)._replay_part(part)
            except OperationalError:
                raise  # another transaction was in the way: Odoo tries again
            except Exception as error:
                # One return that cannot be evaluated must not keep all others waiting for good.
                _logger.exception("Part %s of replay %s failed.", part.id, part.replay_id.id)
                part.write({'is_done': True, 'counts': NOTHING, 'error': repr(error)})

    @api.model
    def _replay_part(self, part):
        moments = {key: datetime.fromisoformat(moment) for key, moment in part.return_keys}
        # Returns that were deleted since are left out.
        returns = self.env['sale.return'].browse(moments).exists()
        draft = part.replay_id.policy_id
        try:
            counts, differences = self._compare(returns, draft, moments)
        finally:
            # Nothing of the past may stay in memory.
            self.env.invalidate_all(flush=False)
        self._keep_differences(part.replay_id, differences)
        part.write({'is_done': True, 'counts': counts})

    # === COMPARE === #

    @api.model
    def _compare(self, returns, draft, moments):
        """Decide on past returns under the policies in force, and under a draft.

        :param returns: `sale.return` records.
        :param draft: `sale.return.policy`
        :param dict moments: `{return id: when it was requested}`
        :return: `({'lines': [[before, after, number, value]], 'returns': [[before, after, number,
            appeals]]}, [values of sale.return.replay.line])`
        :rtype: tuple
        """
        self.env.flush_all()
        lines = returns.with_context(sale_return_past=Past(moments, verdicts={})).line_ids
        in_force = self.env['sale.return.policy'].search([])
        matched = [
            draft._match(lines, policies) for policies in (in_force, self._replace(in_force, draft))
        ]
        concerned = lines.filtered(
            lambda line: matched[0][line] == draft.draft_of_id or matched[1][line] == draft
        ).return_id.line_ids
        before = self._decide(concerned, matched[0])
        after = self._decide(concerned, matched[1])
        amounts = {line: self._get_amount(line) for line in concerned}
        differences = [
            {
                **self._prepare_difference(line, before, after, moments),
                'policy_after_id': matched[1][line].id,
                'amount': amounts[line],
            }
            for line in concerned
            if before[line][0] != after[line][0]
        ]
        return self._count(amounts, before, after), differences

    @api.model
    def _replace(self, in_force, draft):
        """Return the policies in force, a draft in the place of its policy."""
        live = draft.draft_of_id
        places = {policy: (policy.sequence, policy.id) for policy in in_force | live}
        return (in_force - live | draft).sorted(
            lambda policy: places[live if policy == draft else policy]
        )

    @api.model
    def _decide(self, lines, policies):
        """Decide on lines as if they were just requested, under certain policies.

        :param dict policies: `{line: policy}`
        :return: `{line or return: (decision, verdicts that keep it from passing)}`
        :rtype: dict
        """
        returns = lines.return_id
        self._pretend(returns, 'state', 'submitted')
        self._pretend(lines, 'decision', 'pending')
        for policy, group in lines.grouped(policies.get).items():
            self._pretend(group, 'policy_id', policy.id or None)
        service = self.env['sale.return.decision']
        verdicts = service._get_verdicts(lines)
        outcomes = {line: strongest(v['outcome'] for v in verdicts[line]) for line in lines}
        for outcome, group in lines.grouped(outcomes.get).items():
            self._pretend(group, 'verdict_outcome', outcome)
        decided = {}
        for sale_return, outcome in service._get_outcomes(returns).items():
            decision = {'authorize': 'approved', 'refuse': 'refused'}.get(outcome, 'asked')
            decided[sale_return] = decision, []
            for line in sale_return.line_ids:
                # Lines that nobody may approve are refused, the others follow their return.
                refused = outcomes[line] == 'refuse' and not sale_return._has_receipt()
                against = [v for v in verdicts[line] if v['outcome'] != 'authorize']
                if not against and decision == 'asked':
                    against = self._get_reasons_of_return(sale_return, verdicts)
                decided[line] = 'refused' if refused else decision, against
        return decided

    @api.model
    def _get_reasons_of_return(self, sale_return, verdicts):
        """Return why a return waits, for a line that passes by itself."""
        return [
            verdict
            for line in sale_return.line_ids
            for verdict in verdicts[line]
            if verdict['outcome'] not in ('authorize', 'refuse')
        ]

    @api.model
    def _pretend(self, records, name, value):
        """Give records a value in memory that is never written."""
        if records:
            records._fields[name]._update_cache(records, value)

    # === KEEP === #

    @api.model
    def _count(self, amounts, before, after):
        """Count lines with their values, and returns with their appeals, by both decisions."""
        by_line, by_return = {}, {}
        for line, amount in amounts.items():
            row = by_line.setdefault((before[line][0], after[line][0]), [0, 0.0])
            row[0] += 1
            row[1] += amount
        for sale_return in self.env['sale.return'].union(*{line.return_id for line in amounts}):
            key = before[sale_return][0], after[sale_return][0]
            row = by_return.setdefault(key, [0, 0])
            row[0] += 1
            row[1] += len(sale_return.appeal_ids)
        return {
            name: [[*key, *row] for key, row in found.items()]
            for name, found in (('lines', by_line), ('returns', by_return))
        }

    @api.model
    def _get_amount(self, line):
        return line._get_requested_amount(line.company_id.currency_id, line.qty_requested)

    @api.model
    def _prepare_difference(self, line, before, after, moments):
        """Prepare the record of a line about which a draft would decide otherwise."""
        return {
            'line_id': line.id,
            'requested_on': fields.Datetime.to_string(moments[line.return_id.id]),
            'before': before[line][0],
            'after': after[line][0],
            'verdicts_before': self._keep_words(before[line][1]),
            'verdicts_after': self._keep_words(after[line][1]),
        }

    @api.model
    def _keep_differences(self, replay, differences):
        """Keep the lines that differ, which may be all. By SQL: it is most of the time otherwise.

        :param list differences: see `_compare`.
        """
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO sale_return_replay_line (
                       replay_id, company_id, line_id, return_id, product_id, reason_id,
                       requested_on, before, after, verdicts_before, verdicts_after,
                       policy_after_id, amount, create_uid, write_uid, create_date, write_date
                       )
                SELECT %(replay)s, %(company)s, line.id, line.return_id, line.product_id,
                       line.reason_id, found.requested_on, found.before, found.after,
                       found.verdicts_before, found.verdicts_after, found.policy_after_id,
                       found.amount, %(user)s, %(user)s, %(now)s, %(now)s
                  FROM JSONB_TO_RECORDSET(%(rows)s) AS found (
                       line_id int, requested_on timestamp, before varchar, after varchar,
                       verdicts_before jsonb, verdicts_after jsonb, policy_after_id int,
                       amount numeric
                       )
                  JOIN sale_return_line line ON line.id = found.line_id
              ORDER BY line.id
                """,
                replay=replay.id,
                company=replay.company_id.id,
                user=self.env.uid,
                now=self.env.cr.now(),
                rows=Json(differences),
            )
        )

    @api.model
    def _keep_words(self, verdicts):
        return [{'code': verdict['code'], 'facts': verdict['facts']} for verdict in verdicts]
