from odoo import api, models

from .const import FLOWS, MOST_LEVELS

ENDS = {'refused': 'danger', 'auto_refused': 'danger', 'lost': 'danger', 'closed': 'success'}


class SaleReturnProcess(models.AbstractModel):
    """The nodes of the picture: what they are called, where they stand, and what a click opens.

    Rows are lists: where terms are collected for translation, a tuple after a term counts as one.
    """

    _inherit = 'sale.return.process'

    @api.model
    def _get_nodes(self, flow, policy):
        """Return the nodes that a flow can have, in the order in which they are drawn.

        Override to add some; the steps behind them are in `const.STEPS`.

        :param str flow: one of `const.FLOWS`.
        :param policy: `sale.return.policy`, empty for all.
        :return: `{key: {'name', 'column', 'sentence', 'tone', 'edit', 'always', 'leads_to'}}`;
            `always`: drawn also while no return has reached it; `leads_to`: keys of nodes to which
            an edge is drawn also while no return has taken it.
        :rtype: dict
        """
        return getattr(self, f'_get_{flow}_nodes')(policy)

    @api.model
    def _get_names(self, policy):
        """Return `{(flow, key): name}` of all nodes."""
        return {
            (flow, key): node['name']
            for flow in FLOWS
            for key, node in self._get_nodes(flow, policy).items()
        }

    @api.model
    def _get_column_names(self):
        """Return the names of flows and of their columns: `{flow or 'flow:column': name}`."""
        return {
            'request': self.env._("From the request to the decision"),
            'goods': self.env._("The goods"),
            'money': self.env._("The money"),
            'request:1': self.env._("Requested"),
            'request:2': self.env._("Policy"),
            'request:3': self.env._("Rules"),
            'request:4': self.env._("Outcome"),
            'request:5': self.env._("Who decides"),
            'request:99': self.env._("Decision"),
            'money:2': self.env._("Credit after"),
            'money:4': self.env._("Settlement"),
        }

    @api.model
    def _prepare_node(self, key, name, column, **values):
        """Return a node, see `_get_nodes`."""
        return {
            'name': name,
            'column': column,
            'sentence': "",
            'tone': ENDS.get(key, ''),
            'edit': False,
            'always': True,
            'leads_to': (),
            **values,
        }

    @api.model
    def _get_policy_edit(self, policy):
        """Return what a click on a step opens: the policy that describes it, or all policies."""
        return ['sale.return.policy', policy.id or False, []]

    # === REQUEST === #

    @api.model
    def _get_request_nodes(self, policy):
        nodes = {
            **self._get_door_nodes(policy),
            **self._get_policy_nodes(policy),
            **self._get_rule_nodes(policy),
        }
        edit = self._get_policy_edit(policy)
        levels = self._get_level_nodes(policy)
        first = next((key for key, node in levels.items() if node['always']), 'approved')
        ends = ('approved', 'refused')
        refuses = any(rule.outcome == 'refuse' for rule in policy.rule_ids)
        for key, name, column, values in [
            ['auto', self.env._("Approved automatically"), 4, {'leads_to': ['approved']}],
            ['ask', self.env._("A person decides"), 4, {'leads_to': [first]}],
            [
                'auto_refused',
                self.env._("Refused automatically"),
                4,
                {'always': refuses, 'leads_to': ['refused']},
            ],
            *[[key, None, None, node] for key, node in levels.items()],
            [
                'appeal',
                self.env._("Refused, then appealed"),
                90,
                {'always': False, 'leads_to': ends},
            ],
            ['approved', self.env._("Approved"), 99, {'tone': 'success'}],
            ['refused', self.env._("Refused"), 99, {}],
            ['withdrawn', self.env._("Cancelled"), 99, {}],
            [
                'lapsed',
                self.env._("Not decided in time"),
                99,
                {'always': bool(policy.decision_days)},
            ],
        ]:
            nodes[key] = (
                values
                if name is None
                else self._prepare_node(key, name, column, **{'edit': edit, **values})
            )
        return nodes

    @api.model
    def _get_door_nodes(self, policy):
        selection = self.env['sale.return']._fields['door']._description_selection(self.env)
        doors = {
            **dict(selection),
            'withdrawal': self.env._("Withdrawal from the contract"),
            'gift': self.env._("Return of a gift"),
            'channel': self.env._("Sales channel"),
            'goods': self.env._("Goods without a request"),
        }
        target = f'policy:{policy.id}' if policy else ''
        return {
            f'door:{key}': self._prepare_node(
                key, name, 1, leads_to=(target,), always=key in ('employee', 'account', 'link')
            )
            for key, name in doors.items()
        }

    @api.model
    def _get_policy_nodes(self, policy):
        rules = [f'rule:{rule.id}' for rule in policy.rule_ids]
        nodes = {
            f'policy:{one.id}': self._prepare_node(
                'policy',
                one.display_name,
                2,
                sentence=one.match_note,
                edit=['sale.return.policy', one.id, []],
                leads_to=(*rules, 'rule:pass'),
            )
            for one in self._get_named_policies(policy)
        }
        for key, name in [
            ['other', self.env._("Other policies")],
            ['none', self.env._("No policy")],
        ]:
            nodes[f'policy:{key}'] = self._prepare_node(
                key, name, 2, always=False, edit=['sale.return.policy', False, []]
            )
        return nodes

    @api.model
    def _get_rule_nodes(self, policy):
        then = {'refuse': 'auto_refused', 'authorize': 'auto'}
        nodes = {
            f'rule:{rule.id}': self._prepare_node(
                'rule',
                rule.name,
                3,
                sentence=rule.sentence,
                edit=['sale.return.rule', rule.id, []],
                leads_to=(then.get(rule.outcome, 'ask'),),
            )
            for rule in policy.rule_ids
        }
        edit = self._get_policy_edit(policy)
        for kind, name in self._get_kinds():
            nodes[f'kind:{kind}'] = self._prepare_node(
                kind,
                name,
                3,
                always=False,
                sentence=self.env._("By the terms of the policy and the reason.") if policy else "",
                edit=edit if policy else ['sale.return.rule', False, [['kind', '=', kind]]],
            )
        passes = policy.approval == 'none' or not policy
        for key, name, always in [
            ['earlier', self.env._("Rules of an earlier version"), False],
            [
                'approval',
                self.env._("Approval required by the policy"),
                policy.approval == 'always',
            ],
            ['none', self.env._("Rules not checked"), False],
            ['pass', self.env._("All rules passed"), True],
        ]:
            nodes[f'rule:{key}'] = self._prepare_node(
                key,
                name,
                3,
                always=always,
                edit=edit,
                leads_to=('auto',) if passes and key == 'pass' else (),
            )
        return nodes

    @api.model
    def _get_kinds(self):
        """Return the kinds of rules that there are: `[(kind, name)]`."""
        return self.env['sale.return.rule']._fields['kind']._description_selection(self.env)

    @api.model
    def _get_level_nodes(self, policy):
        """Return who decides: one node per level of a policy, else by their number."""
        edit = self._get_policy_edit(policy)
        by_levels = policy.approval == 'levels'
        ends = ('approved', 'refused')
        nodes = {
            'person': self._prepare_node(
                'person',
                self.env._("An approver"),
                5,
                always=not by_levels,
                edit=edit,
                leads_to=ends,
            ),
            'level:earlier': self._prepare_node(
                'level', self.env._("Levels of an earlier version"), 5, always=False, edit=edit
            ),
        }
        if not policy:
            for rank in range(1, MOST_LEVELS + 1):
                name = (
                    self.env._("Level %(number)s", number=rank)
                    if rank < MOST_LEVELS
                    else self.env._("Level %(number)s and later ones", number=rank)
                )
                nodes[f'level:{rank}'] = self._prepare_node(
                    'level', name, 4 + rank, always=False, edit=edit
                )
            return nodes
        keys = [f'level:{level.id}' for level in policy.level_ids]
        for index, level in enumerate(policy.level_ids):
            nodes[keys[index]] = self._prepare_node(
                'level',
                level.name,
                5 + index,
                always=by_levels,
                sentence=level.sentence,
                edit=['sale.return.approval.level', level.id, []],
                leads_to=(*keys[index + 1 : index + 2], *ends),
            )
        return nodes

    # === GOODS AND MONEY === #

    @api.model
    def _get_goods_nodes(self, policy):
        edit = self._get_policy_edit(policy)
        expiry = policy and self.env._(
            "Expected within %(days)s days of the approval.", days=policy.expiry_days
        )
        inspection = (
            policy
            and not policy.inspection_required
            and self.env._(
                "Without inspection: %(disposition)s.",
                disposition=policy.default_disposition_id.display_name,
            )
        )
        rows = [
            ['approved', self.env._("Approved"), 1, {'leads_to': ['sent', 'received', 'lost']}],
            ['sent', self.env._("Sent by the customer"), 2, {'leads_to': ['received', 'lost']}],
            [
                'received',
                self.env._("Received"),
                3,
                {'sentence': expiry or "", 'leads_to': ['inspected']},
            ],
            ['nothing', self.env._("Nothing comes back"), 3, {'always': False}],
            ['lost', self.env._("Never arrived"), 3, {}],
            [
                'inspected',
                self.env._("Inspected"),
                4,
                {'sentence': inspection or "", 'tone': 'success'},
            ],
            ['withdrawn', self.env._("Cancelled"), 4, {'always': False}],
        ]
        return {
            key: self._prepare_node(key, name, column, edit=edit, **values)
            for key, name, column, values in rows
        }

    @api.model
    def _get_money_nodes(self, policy):
        edit = self._get_policy_edit(policy)
        policies = self.env['sale.return.policy']._fields
        releases = policies['release_event']._description_selection(self.env)
        set_ = policy.release_event
        settlements = dict(policies['settlement']._description_selection(self.env))
        resolutions = dict(
            self.env['sale.return.line']._fields['resolution']._description_selection(self.env)
        )
        nodes = {
            'approved': self._prepare_node(
                'approved', self.env._("Approved"), 1, edit=edit,
                leads_to=(f'release:{set_}',) if policy else (),
            )
        }  # fmt: skip
        for key, name in releases:
            nodes[f'release:{key}'] = self._prepare_node(
                key, name, 2, edit=edit, always=key == set_, leads_to=('credited',)
            )
        nodes['credited'] = self._prepare_node(
            'credited', self.env._("Credited"), 3, edit=edit, leads_to=('way:paid', 'way:account')
        )
        settlement = settlements.get(policy.settlement, "")
        ways = {
            'paid': self.env._("Paid back"),
            'account': self.env._("Left as credit"),
            **{key: name for key, name in resolutions.items() if key != 'refund'},
            'mixed': self.env._("In several ways"),
        }
        for key, name in ways.items():
            main = key in ('paid', 'account')
            nodes[f'way:{key}'] = self._prepare_node(
                key, name, 4, edit=edit, always=main, leads_to=('closed',),
                sentence=settlement if key == 'paid' else "",
            )  # fmt: skip
        nodes['closed'] = self._prepare_node('closed', self.env._("Closed"), 5, edit=edit)
        nodes['withdrawn'] = self._prepare_node(
            'withdrawn', self.env._("Cancelled"), 5, edit=edit, always=False
        )
        return nodes
