from psycopg2.extras import Json

from odoo import api, models
from odoo.tools import SQL

from ...tools.context import in_force
from ...tools.verdict import OUTCOMES, Verdict


class SaleReturnDecision(models.AbstractModel):
    """Service: decide what is to be done with submitted returns.

    Asking the rules (`_get_verdicts`), deciding (`_get_outcomes`) and acting (`_apply_outcome`) are
    separate, so that a rule is added by extending only the first.
    """

    _name = 'sale.return.decision'
    _description = "Return Decision"

    # === DECIDE === #

    @api.model
    def _decide(self, returns):
        """Decide on submitted returns: approve or refuse them, or leave them to an approver.

        :param returns: `sale.return` records in state `submitted`.
        """
        self._take_customers(returns)
        verdicts = self._get_verdicts(returns.line_ids)
        returns.line_ids._keep_verdicts(verdicts)
        outcomes = self._get_outcomes(returns)
        self._log_verdicts(returns)
        self._refuse_lines(returns, outcomes)
        by_outcome = {}
        for sale_return, outcome in outcomes.items():
            by_outcome.setdefault(outcome, []).append(sale_return.id)
        for outcome, ids in by_outcome.items():
            self._apply_outcome(returns.browse(ids), outcome)

    @api.model
    def _get_verdicts(self, lines):
        """Ask all rules about all lines; none stops the others. Override to add verdicts.

        :param lines: `sale.return.line` records whose policy is known.
        :return: `{line: [dict]}` with every line as a key; a dict has `outcome`, `code`, `facts`,
            `kind`, `rule_id`, `rule` and `customer` (their sentence).
        :rtype: dict
        """
        verdicts = {line: [] for line in lines}
        # sudo: every return follows the rules, even if the user may not read them.
        rules = self.env['sale.return.rule'].sudo()
        for policy, group in lines.grouped('policy_id').items():
            for rule in in_force(policy.sudo()).rule_ids:
                for line, verdict in rule._get_verdicts(group).items():
                    verdicts[line].append(verdict)
            for kind in self._get_default_kinds():
                left = group.filtered(
                    lambda line, kind=kind: all(v['kind'] != kind for v in verdicts[line])
                )
                # Kinds without a rule are checked by the terms of policy and reason.
                default = rules.new({'kind': kind, 'policy_id': policy.id, 'outcome': 'review'})
                for line, verdict in default._get_verdicts(left).items():
                    verdicts[line].append(verdict)
        for line in lines:
            verdict = self._evaluate_approval(line)
            verdicts[line].append(rules._prepare_approval_verdict(line, verdict))
            if line._is_without_goods():
                # Always added, whatever the policy says: no setting lets it pass.
                verdict = Verdict(
                    'review', 'nothing_comes_back', {'product': line.product_id.display_name}
                )
                verdicts[line].append(rules._prepare_approval_verdict(line, verdict))
        for line in self._find_above_budget(lines):
            verdict = Verdict('review', 'above_budget', {'product': line.product_id.display_name})
            verdicts[line].append(rules._prepare_approval_verdict(line, verdict))
        return verdicts

    @api.model
    def _find_above_budget(self, lines):
        """Return the lines that exceed the limits for credits without goods."""
        unbacked = self.env['sale.return.unbacked']
        if not lines.return_id[:1]._get_moment():
            return unbacked._find_above_budget(lines)
        # How much was used then is not known; what exceeded the limits then still does, if the
        # policy that is asked would credit it without goods as well.
        lines.flush_recordset(['verdicts'])
        self.env.cr.execute(
            SQL(
                "SELECT id FROM sale_return_line WHERE id = ANY(%s) AND verdicts @> %s",
                lines.ids,
                Json([{'code': 'above_budget'}]),
            )
        )
        return unbacked._find_limited(lines.browse(key for (key,) in self.env.cr.fetchall()))

    @api.model
    def _get_default_kinds(self):
        """Return the kinds of rules that are checked without a record, with their defaults."""
        return ('window', 'photo')

    @api.model
    def _evaluate_approval(self, line):
        """Return the verdict of a line's policy on passing without a person."""
        if not line.sale_line_id:
            # Unknown goods: somebody has to find their order first.
            return Verdict('review', 'order_unknown', {'product': line.product_id.display_name})
        policy = line.policy_id
        if policy.approval == 'levels':
            # sudo: users who submit a return need not read who decides on it.
            levels = in_force(policy.sudo()).level_ids._get_applicable(line.return_id)
            names = ", ".join(levels.mapped('name'))
            code = 'approval_levels' if levels else 'approval_none'
            return Verdict(
                'review' if levels else 'authorize', code, {'policy': policy.name, 'levels': names}
            )
        # A line without a policy is left to a person.
        outcome = 'authorize' if policy and policy.approval == 'none' else 'review'
        return Verdict(outcome, f"approval_{policy.approval or 'missing'}", {'policy': policy.name})

    @api.model
    def _take_customers(self, returns):
        """Serialize the decisions on returns of one customer, where they count together."""
        # sudo: users who submit a return need not read its policy.
        together = returns.sudo().filtered(
            lambda sale_return: any(
                policy.approval == 'levels' or 'history' in in_force(policy).rule_ids.mapped('kind')
                for policy in sale_return.line_ids.policy_id
            )
        )
        self.env['sale.return.guard']._take_customers(together.partner_id)

    @api.model
    def _get_outcomes(self, returns):
        """Return the outcome for each return from the verdicts on its lines.

        Lines that are refused for good do not keep the others from being approved. Where goods are
        already here or under way nothing is refused automatically: they have to be received and
        inspected.

        :return: `{return: outcome}`
        :rtype: dict
        """
        outcomes = {}
        for sale_return in returns:
            by_line = sale_return.line_ids.mapped('verdict_outcome')
            if sale_return._has_receipt():
                strongest = max(by_line, key=OUTCOMES.index)
                outcomes[sale_return] = min(strongest, 'refuse_overridable', key=OUTCOMES.index)
                continue
            left = [outcome for outcome in by_line if outcome != 'refuse']
            outcomes[sale_return] = max(left, key=OUTCOMES.index, default='refuse')
        return outcomes

    # === ACT === #

    @api.model
    def _refuse_lines(self, returns, outcomes):
        """Refuse the lines that no person may approve, where other lines remain."""
        for sale_return in returns:
            if outcomes[sale_return] == 'refuse' or sale_return._has_receipt():
                continue
            # One by one: each has its own words, and they are few.
            for line in sale_return.line_ids.filtered(lambda l: l.verdict_outcome == 'refuse'):
                line._decide(0.0, line._get_customer_reason())

    @api.model
    def _apply_outcome(self, returns, outcome):
        """Act on an outcome: approve, refuse, or wait for an approver. Override to act differently.

        :param returns: `sale.return` records with the same outcome.
        """
        if outcome == 'authorize':
            returns._approve(automatic=True)
        elif outcome == 'refuse':
            for sale_return in returns:
                # One by one: each has its own words.
                reasons = [line._get_customer_reason() for line in sale_return.line_ids]
                sale_return._refuse("\n".join(dict.fromkeys(filter(None, reasons))), automatic=True)
        else:
            returns._request_approval()

    @api.model
    def _log_verdicts(self, returns):
        """Log in the chatter which rules lines did not pass."""
        self.env['sale.return.event']._log(
            [
                {
                    'return_id': line.return_id.id,
                    'line_id': line.id,
                    'kind': 'decision',
                    'details': line.verdict_text,
                }
                for line in returns.line_ids
                if any(
                    v['outcome'] != 'authorize' for v in line.verdicts if v['kind'] != 'approval'
                )
            ]
        )
