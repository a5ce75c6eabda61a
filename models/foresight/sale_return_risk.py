from odoo import api, fields, models
from odoo.exceptions import UserError

from ...tools.reader import reads, text

TIERS = [('low', "Low"), ('medium', "Medium"), ('high', "High")]


class SaleReturnRisk(models.Model):
    """How unusual a return was when it was submitted: points, each with its reason.

    It only asks people to check: no rule refuses because of it (GDPR art. 22).
    """

    _name = 'sale.return.risk'
    _description = "Risk of a Return"
    _order = 'score desc, id desc'
    _rec_name = 'return_id'

    return_id = fields.Many2one(
        'sale.return', required=True, readonly=True, index=True, ondelete='cascade'
    )
    company_id = fields.Many2one(related='return_id.company_id', store=True, index=True)
    partner_id = fields.Many2one(
        related='return_id.partner_id.commercial_partner_id',
        string="Customer",
        store=True,
        index=True,
    )
    score = fields.Integer("Risk", readonly=True, aggregator='avg', help="0 to 100.")
    tier = fields.Selection(TIERS, readonly=True, index=True)
    signals = fields.Json(readonly=True)
    facts = fields.Json(readonly=True)
    explanation = fields.Text("Why", compute='_compute_explanation')
    outcome = fields.Selection(
        [('open', "Not looked at"), ('confirmed', "Abuse"), ('cleared', "All in order")],
        required=True,
        readonly=True,
        default='open',
        help="What people found out.",
    )
    note = fields.Text("What Was Found", readonly=True)
    decided_by_id = fields.Many2one('res.users', "Checked by", readonly=True)
    date_decided = fields.Datetime("Checked on", readonly=True)
    # The card of the customer.
    rate = fields.Float(
        "Return Rate",
        compute='_compute_card',
        help="Share of the order lines of one year that came back.",
    )
    rate_low = fields.Float("At Least", compute='_compute_card', help="95 % interval.")
    rate_high = fields.Float("At Most", compute='_compute_card', help="95 % interval.")
    amount_kept = fields.Monetary(
        "Value Kept", compute='_compute_card', help="Bought in a year and kept."
    )
    open_count = fields.Integer("Open Returns", compute='_compute_card')
    currency_id = fields.Many2one(related='company_id.currency_id')

    _one_per_return = models.UniqueIndex('(return_id)', "This return has already been assessed.")

    # === COMPUTE METHODS === #

    @api.depends('signals', 'facts')
    @api.depends_context('lang')
    def _compute_explanation(self):
        for risk in self:
            sentences = risk._get_sentences()
            risk.explanation = "\n".join(
                self.env._(
                    "%(points)s: %(sentence)s",
                    points=points,
                    sentence=sentences.get(signal, signal),
                )
                for signal, points in risk.signals or ()
            )

    def _get_sentences(self):
        """Return the sentence of each signal. Override to add signals.

        :rtype: dict
        """
        self.ensure_one()
        facts = {'peers': 0, **(self.facts or {})}
        bought = facts.get('bought') or 1
        values = {
            'rate': f"{100 * (facts.get('returned') or 0) / bought:.0f}",
            'peers': f"{100 * (facts['peers'] or 0):.0f}",
            'bought': f"{bought:g}",
            'found': f"{facts.get('found') or 0:g}",
            'serial': f"{facts.get('serial') or 0:g}",
            'photo': facts.get('photo') or 0,
            'accounts': max(facts.get('contacts') or 0, facts.get('neighbours') or 0),
            'linked': facts.get('linked_found') or 0,
        }
        return {
            'rate': self.env._(
                "%(rate)s %% of %(bought)s order lines of one year came back, compared with "
                "%(peers)s %% of all customers.",
                **values,
            ),
            'value': self.env._("What comes back is the expensive part of what the customer buys."),
            'last_day': self.env._("It was requested on the last day."),
            'bracketing': self.env._(
                "Three or more variants were ordered, and all but one come back."
            ),
            'found': self.env._(
                "Earlier parcels of the customer contained other goods, or none (%(found)s).",
                **values,
            ),
            'serial': self.env._(
                "Earlier serial numbers were not the ones sold (%(serial)s).", **values
            ),
            'photo': self.env._(
                "The same photo was sent with returns of other customers (%(photo)s).", **values
            ),
            'shared': self.env._(
                "Other customers share the telephone number, e-mail or postal address "
                "(%(accounts)s).",
                **values,
            ),
            'linked_found': self.env._(
                "Parcels of customers with the same telephone number or e-mail address contained "
                "other goods, or none (%(linked)s).",
                **values,
            ),
            'linked_confirmed': self.env._(
                "Abuse was confirmed for a customer with the same telephone number or e-mail "
                "address."
            ),
            'confirmed': self.env._("Abuse was confirmed for an earlier return of the customer."),
        }

    @api.depends('facts')
    def _compute_card(self):
        wilson = self.env['sale.return.metric']._describe_rate
        # sudo: the number alone, for users who may see the risk.
        counts = dict(
            self.env['sale.return']
            .sudo()
            ._read_group(
                [
                    ('partner_id.commercial_partner_id', 'in', self.partner_id.ids),
                    ('company_id', 'in', self.company_id.ids),
                    ('state', 'in', ('submitted', 'approved')),
                ],
                ['partner_id'],
                ['__count'],
            )
        )
        for risk in self:
            facts = risk.facts or {}
            described = wilson(facts.get('returned') or 0.0, facts.get('bought') or 0.0)
            risk.rate = described['rate'] or 0.0
            risk.rate_low, risk.rate_high = described['low'], described['high']
            risk.amount_kept = (facts.get('bought_value') or 0.0) - (
                facts.get('returned_value') or 0.0
            )
            risk.open_count = sum(
                count
                for partner, count in counts.items()
                if partner.commercial_partner_id == risk.partner_id
            )

    # === ACTION METHODS === #

    @reads(note=text)
    def action_confirm(self, note=None):
        """Record that people found abuse.

        :param str note: what was found, None: the note in the form.
        """
        return self._settle('confirmed', note)

    @reads(note=text)
    def action_clear(self, note=None):
        """Record that people found everything in order: the return counts as a good one.

        :param str note: what was found.
        """
        return self._settle('cleared', note)

    def _settle(self, outcome, note):
        self.env['sale.return']._ensure_group('group_approver')
        self.check_access('read')
        if mine := self.filtered(lambda risk: risk.return_id.create_uid == self.env.user):
            raise UserError(
                self.env._(
                    "You opened return %(return)s yourself. Ask a colleague to record its outcome.",
                    **{'return': mine[0].return_id.name},
                )
            )
        # sudo: written by this method alone; the role was checked above.
        self.sudo().write(
            {
                'outcome': outcome,
                'note': (note or '').strip()[:2000],
                'decided_by_id': self.env.user.id,
                'date_decided': fields.Datetime.now(),
            }
        )
        return True
