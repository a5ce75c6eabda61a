from odoo import fields, models

from ..document.const import STEPS

# Default time for a step and for reminders: duration, unit, working hours before, after, until the
# leader is notified.
DEFAULTS = {
    'decide': (1, 'days', 2, 4, 8),
    'dispatch': (14, 'days', 0, 16, 40),
    'receive': (5, 'days', 8, 8, 16),
    'inspect': (2, 'days', 4, 4, 8),
    'credit': (1, 'days', 2, 4, 8),
    'refund': (3, 'days', 8, 4, 8),
    'follow_up': (5, 'days', 8, 8, 16),
}


class SaleReturnTeamStep(models.Model):
    """How long a team has for a step, who owns it, and when somebody is reminded."""

    _name = 'sale.return.team.step'
    _inherit = ['sale.return.shared']
    _description = "Return Team Step"
    _order = 'sequence, id'
    _rec_name = 'step'

    team_id = fields.Many2one('sale.return.team', required=True, index=True, ondelete='cascade')
    company_id = fields.Many2one(related='team_id.company_id', store=True, index=True)
    sequence = fields.Integer(default=10)
    step = fields.Selection(STEPS, required=True)
    user_id = fields.Many2one(
        'res.users',
        string="Owner",
        domain="[('share', '=', False)]",
        index='btree_not_null',
        ondelete='set null',
        help="Who always takes this step. Empty: one of the members, as the team assigns.",
    )
    duration = fields.Float(string="Time", required=True, default=1.0)
    unit = fields.Selection(
        [('hours', "Working hours"), ('days', "Working days")],
        required=True,
        default='days',
        help="Days count from the day after the step began, until the end of work.",
    )
    remind_before = fields.Float(
        string="Remind before",
        help="Working hours before the due time at which the owner is reminded. 0: not at all.",
    )
    remind_after = fields.Float(
        string="Remind after",
        help="Working hours after which the owner of a late step is reminded again. 0: not at all.",
    )
    escalate_after = fields.Float(
        string="Escalate after",
        help="Working hours after which the leader is notified of a late step. 0: not at all.",
    )

    _step_unique = models.UniqueIndex(
        '(team_id, step)', "A team can have each step only once. Change the existing row."
    )
    _duration_positive = models.Constraint(
        'CHECK (duration > 0)', "The time for a step must be more than zero."
    )
    _reminders_positive = models.Constraint(
        'CHECK (COALESCE(remind_before, 0) >= 0 AND COALESCE(remind_after, 0) >= 0'
        ' AND COALESCE(escalate_after, 0) >= 0)',
        "Hours of reminders cannot be negative.",
    )

    def _get_defaults(self):
        """Return the steps of a new team, in the order of the process. Override to change them.

        :return: values for `create`, without the team.
        :rtype: list
        """
        return [
            {
                'sequence': sequence,
                'step': step,
                'duration': duration,
                'unit': unit,
                'remind_before': before,
                'remind_after': after,
                'escalate_after': escalate,
            }
            for sequence, (step, (duration, unit, before, after, escalate)) in enumerate(
                DEFAULTS.items(), start=1
            )
        ]
