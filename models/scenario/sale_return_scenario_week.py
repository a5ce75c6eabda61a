from odoo import fields, models


class SaleReturnScenarioWeek(models.Model):
    """One week of a scenario, or all of them: what happened, what would have, or the difference."""

    _name = 'sale.return.scenario.week'
    _description = "Week of a Scenario"
    _log_access = False
    # As they are created: what happened, the scenario, the difference.
    _order = 'date, id'
    _rec_name = 'date'

    scenario_id = fields.Many2one(
        'sale.return.scenario', required=True, readonly=True, index=True, ondelete='cascade'
    )
    currency_id = fields.Many2one(related='scenario_id.currency_id')
    is_total = fields.Boolean(readonly=True)
    date = fields.Date("Week from", required=True, readonly=True)
    version = fields.Selection(
        [('base', "What Happened"), ('scenario', "Scenario"), ('difference', "Difference")],
        string="Shown",
        required=True,
        readonly=True,
    )
    returned = fields.Float(
        "Units Returned",
        readonly=True,
        help="What was received into quarantine, in units of the stock: kits as their components.",
    )
    restocked = fields.Float(
        "Units Restocked", readonly=True, help="What was put back into stock after inspection."
    )
    restocked_value = fields.Monetary("Value Restocked", readonly=True, help="At cost.")
    waiting = fields.Float(
        "Units in Quarantine",
        readonly=True,
        aggregator='max',
        help="At the end of the week. The total shows the most of all weeks.",
    )
    waiting_volume = fields.Float(
        "Space in Quarantine",
        readonly=True,
        aggregator='max',
        help="In the unit of volume of the products, at the end of the week. The total shows the "
        "most of all weeks.",
    )
    credited = fields.Monetary(
        readonly=True,
        help="Posted credit notes of returns at their accounting date, taxes included, whether "
        "they were paid out or set off against an invoice.",
    )
    fees = fields.Monetary(
        "Fees Kept",
        readonly=True,
        help="What was kept of credit notes: restocking fees, reductions for the condition and "
        "freight, taxes included.",
    )
    scrapped = fields.Monetary(
        "Written Off", readonly=True, help="Cost of what was scrapped after inspection."
    )
    handling = fields.Monetary(
        readonly=True, help="Units returned, at the cost of handling of the scenario."
    )
    cost = fields.Monetary(
        readonly=True, help="What was written off and the handling, less fees kept."
    )
