from odoo import api, models

from ..tools.verdict import Verdict, strongest


class SaleReturnDecision(models.AbstractModel):
    """Service: say what is to be done with submitted returns.

    Evaluating (`_get_verdicts`), deciding (`strongest`) and acting (`_apply_outcome`) are apart,
    so that a rule is added by extending the first and nothing else.
    """

    _name = 'sale.return.decision'
    _description = "Return Decision"

    @api.model
    def _decide(self, returns):
        """Decide on submitted returns: approve them, or leave them to an approver.

        :param returns: `sale.return` records in state `submitted`.
        """
        outcomes = {}
        for sale_return, verdicts in self._get_verdicts(returns).items():
            outcomes.setdefault(strongest(verdicts), []).append(sale_return.id)
        for outcome, ids in outcomes.items():
            self._apply_outcome(returns.browse(ids), outcome)

    @api.model
    def _get_verdicts(self, returns):
        """Run all rules on all lines. Override to add verdicts to the lists.

        :param returns: `sale.return` records.
        :return: `{return: [Verdict, ...]}` with every return as a key.
        :rtype: dict
        """
        return {
            sale_return: [self._evaluate_approval(line) for line in sale_return.line_ids]
            for sale_return in returns
        }

    @api.model
    def _evaluate_approval(self, line):
        """Say whether the policy of a line lets it pass without asking anybody."""
        if not line.sale_line_id:
            # Unknown goods: somebody has to find their order first.
            return Verdict('review', 'order_unknown', {'product': line.product_id.display_name})
        policy = line.policy_id
        # A line that nobody wrote a policy for is for a person to look at.
        outcome = 'authorize' if policy and policy.approval == 'none' else 'review'
        return Verdict(outcome, f"approval_{policy.approval or 'missing'}", {'policy': policy.name})

    @api.model
    def _apply_outcome(self, returns, outcome):
        """Act on an outcome: `authorize` approves, everything else waits for an approver."""
        if outcome == 'authorize':
            returns._approve(automatic=True)
