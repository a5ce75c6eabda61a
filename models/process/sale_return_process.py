from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL
from odoo.tools.misc import formatLang

from ...tools.reader import iso_day, needed, reads, record_id, take_text, text
from .const import (
    EDGES,
    FLOWS,
    HERE,
    MOST_LEVELS,
    MOST_POLICIES,
    MOST_RETURNS,
    OLDEST,
    PERIOD,
    STEPS,
    STRICTNESS,
)

HOUR, DAY = 3600, 86400


class SaleReturnProcess(models.AbstractModel):
    """Service: the picture of the process, with what the returns of the last months did.

    The nodes are doors, policies, rules, levels and steps; edges lead from one to the next. Its
    other part: `sale_return_process_words.py`.
    """

    _name = 'sale.return.process'
    _description = "Picture of the Process"

    # === PICTURE === #

    @api.model
    @reads(policy_id=record_id)
    def get_picture(self, policy_id=None):
        """Return the picture of one policy, or of all policies that the user sees.

        The returns were last requested in the last 90 days of the company (fewer where there are
        more than `MOST_RETURNS`) and are none of the drafts; the user sees them, and they are
        counted once in each flow. Returns without a log, such as imported ones, are not counted.

        :param int policy_id: of a policy; None for all.
        :return: `{'policy': {'id', 'name'} or False, 'policies': [{'id', 'name'}], 'since': first
            day, 'days': int, 'count': returns, 'flows': [flow]}`; a flow is `{'key', 'name',
            'columns': [{'name', 'nodes': [node]}]}`, a node `{'key', 'name', 'sentence', 'tone',
            'edit': [model, id, domain] or False, 'count', 'here', 'edges': [edge]}`: of its `count`
            returns `here` are still there. An edge is `{'target', 'name', 'count', 'share' (0–1),
            'seconds' (median, None without any time), 'time' (in words)}`.
        :rtype: dict
        :raise AccessError: without the role of manager, or access to the policy.
        :raise UserError: when the part is switched off or there is no such policy.
        """
        self._ensure_may_see()
        policy = self._get_policy(policy_id)
        # The one that is drawn may be archived.
        policies = self.env['sale.return.policy'].search([]) | policy
        today = self.env.company._get_sale_return_day()
        since = self._get_first_day(today)
        ways = {}
        for flow, node, target, count, median, longest in self._read_ways(policy, since):
            ways.setdefault(flow, {}).setdefault(node, {})[target] = {
                'count': count,
                # What happens in one go takes no time.
                'seconds': median if longest else None,
            }
        return {
            'policy': bool(policy) and {'id': policy.id, 'name': policy.display_name},
            'policies': [{'id': p.id, 'name': p.display_name} for p in policies],
            'since': fields.Date.to_string(since),
            'days': (today - since).days + 1,
            'count': sum(
                way['count']
                for node, targets in ways.get('request', {}).items()
                if node.startswith('door:')
                for way in targets.values()
            ),
            'flows': [self._draw(flow, policy, ways.get(flow, {})) for flow in FLOWS],
        }

    @api.model
    @reads(
        policy_id=record_id,
        since=needed(iso_day, 'day'),
        flow=needed(text, 'text'),
        node=needed(text, 'text'),
        target=text,
    )
    def get_returns_action(self, policy_id, since, flow, node, target=None):
        """Return the list of the returns that a part of the picture counts.

        :param int policy_id: as of `get_picture`.
        :param str since: first day of the picture.
        :param str flow: key of its flow.
        :param str node: key of a node.
        :param str target: key of the node to which the edge leads, `here` for the returns that are
            still there; None for all that have reached the node.
        :return: the action of the list.
        :rtype: dict
        :raise AccessError: as of `get_picture`.
        :raise UserError: when there is no such flow, or the picture is too old.
        """
        self._ensure_may_see()
        policy = self._get_policy(policy_id)
        part = '|'.join(map(str, (flow, policy.id or 0, since, node, target or '')))
        self._read_part(part)
        names = self._get_names(policy)
        name = names.get((flow, node)) or node
        if target == HERE:
            name = self.env._("%(step)s: there now", step=name)
        elif target:
            name = self.env._(
                "%(step)s → %(next)s", step=name, next=names.get((flow, target)) or target
            )
        action = self.env['ir.actions.act_window']._for_xml_id('sale_return.sale_return_action')
        domain = [('process_step', '=', part)]
        return {**action, 'name': name, 'display_name': name, 'domain': domain, 'context': {}}

    # === WHO === #

    @api.model
    def _is_on(self):
        """Tell whether the settings have switched this part on: it comes with the policy lab."""
        return self.env['res.groups']._is_feature_enabled('sale_return.group_lab')

    @api.model
    def _ensure_may_see(self):
        """Refuse the picture to people who do not set up Returns, and while it is switched off."""
        self.env['sale.return']._ensure_group('group_manager')
        if not self._is_on():
            raise UserError(
                self.env._(
                    "The picture of the process belongs to the policy lab, which is switched off. "
                    "Switch it on in Settings, Returns."
                )
            )

    @api.model
    def _get_policy(self, policy_id):
        """Return the policy of a picture; empty for all.

        :raise AccessError: when the user does not see it.
        :raise UserError: when there is none.
        """
        policies = self.env['sale.return.policy']
        if not policy_id:
            return policies
        policy = policies.browse(policy_id).exists()
        if not policy:
            raise UserError(self.env._("This policy does not exist any more. Choose another one."))
        policy.check_access('read')
        return policy

    # === COUNT === #

    @api.model
    def _read_ways(self, policy, since):
        """Return how many returns went from which step to which, and how long half of them took.

        :return: `[(flow, node, target or None, returns, median and longest in seconds or None)]`
        :rtype: list
        """
        return self.env.execute_query(SQL("%s%s", self._get_steps(policy, since), SQL(EDGES)))

    @api.model
    def _find(self, part):
        """Return the ids of the returns that a part of a picture counts.

        :param str part: flow, policy (0 for all), first day, node, and next node (may be empty),
            separated by `|`.
        :rtype: odoo.tools.SQL
        :raise AccessError: without the role of manager, or access to the policy.
        :raise UserError: when it is no part of a picture.
        """
        self._ensure_may_see()
        flow, policy, since, node, target = self._read_part(part)
        where = SQL("flow = %s AND node = %s", flow, node)
        if target == HERE:
            where = SQL("%s AND target IS NULL", where)
        elif target:
            where = SQL("%s AND target = %s", where, target)
        return SQL("(%s SELECT id FROM path WHERE %s)", self._get_steps(policy, since), where)

    @api.model
    def _read_part(self, part):
        """Return `(flow, policy, first day, node, next node)` of a part of a picture.

        :raise UserError: when it is none.
        """
        pieces = take_text(part).split('|')
        try:
            flow, key, since, node, target = pieces
            since, key = fields.Date.to_date(since), int(key)
        except ValueError:
            flow, since = None, None
        if flow not in FLOWS or not since or not 0 <= key < 2**31:
            raise UserError(
                self.env._("This is no part of the picture of the process. Open the picture again.")
            )
        if not 0 <= (self.env.company._get_sale_return_day() - since).days <= OLDEST:
            raise UserError(self.env._("This picture of the process is old. Open it again."))
        return flow, self._get_policy(key), since, node, target

    @api.model
    def _get_steps(self, policy, since):
        """Return the query of the steps and paths of the returns of a picture."""
        self.env['sale.return'].flush_model()
        self.env['sale.return.line'].flush_model()
        for model in ('event', 'approval', 'approval.step', 'appeal', 'channel.request', 'policy'):
            self.env[f'sale.return.{model}'].flush_model()
        begin = self._get_moment(since)
        # All that was requested since then was also written since then: that is indexed.
        returns = self.env['sale.return']._search(
            [('state', '!=', 'draft'), ('write_date', '>=', begin)], order=None
        )
        return SQL(
            STEPS,
            returns=returns.subselect(),
            since=begin,
            strictness=STRICTNESS,
            policies=self._get_named_policies(policy).ids,
            rules=policy.rule_ids.ids,
            kinds=[kind for kind, _name in self._get_kinds()],
            levels=policy.level_ids.ids,
            by_rule=bool(policy),
            most_levels=MOST_LEVELS,
            scope=SQL("telling.original_id = %s", policy.id) if policy else SQL("TRUE"),
        )

    @api.model
    def _get_first_day(self, today):
        """Return the first day of the picture: as many whole days as it can show."""
        since = today - timedelta(days=PERIOD - 1)
        begin = self._get_moment(since)
        zone = self.env.company._get_sale_return_timezone()
        days = (
            self.env['sale.return']
            .with_context(tz=zone)
            ._read_group(
                # All that was created since then was also written since then: that is indexed.
                [
                    ('state', '!=', 'draft'),
                    ('create_date', '>=', begin),
                    ('write_date', '>=', begin),
                ],
                ['create_date:day'],
                ['__count'],
                order='create_date:day DESC',
            )
        )
        total = 0
        for day, count in days:
            total += count
            if total > MOST_RETURNS:
                return min(today, max(since, day.date() + timedelta(days=1)))
        return since

    @api.model
    def _get_named_policies(self, policy):
        """Return the policies that have a node of their own."""
        return policy or self.env['sale.return.policy'].search([], limit=MOST_POLICIES)

    @api.model
    def _get_moment(self, day):
        """Return when a day of the company begins, naive, in UTC."""
        zone = ZoneInfo(self.env.company._get_sale_return_timezone())
        moment = datetime.combine(day, time.min, tzinfo=zone)
        return moment.astimezone(ZoneInfo('UTC')).replace(tzinfo=None)

    # === DRAW === #

    @api.model
    def _draw(self, flow, policy, ways):
        """Return a flow of the picture, see `get_picture`.

        :param dict ways: `{node: {next node or None: {'count', 'seconds'}}}`
        """
        known = self._get_nodes(flow, policy)
        columns = {}
        for key, node in known.items():
            if node['always'] or key in ways:
                columns.setdefault(node['column'], []).append(key)
        shown = {key for keys in columns.values() for key in keys}
        names = self._get_column_names()
        return {
            'key': flow,
            'name': names[flow],
            'columns': [
                {
                    'name': names.get(f'{flow}:{column}', ""),
                    'nodes': [
                        self._draw_node(key, known, ways.get(key, {}), shown) for key in keys
                    ],
                }
                for column, keys in sorted(columns.items())
            ],
        }

    @api.model
    def _draw_node(self, key, known, targets, shown):
        node = known[key]
        count = sum(way['count'] for way in targets.values())
        order = list(known)
        # What could have happened and did not is drawn as well.
        unused = [
            target for target in node['leads_to'] if target in shown and target not in targets
        ]
        edges = {target: way for target, way in targets.items() if target}
        edges.update((target, {'count': 0, 'seconds': None}) for target in unused)
        return {
            'key': key,
            'name': node['name'],
            'sentence': node['sentence'],
            'tone': node['tone'],
            'edit': node['edit'],
            'count': count,
            'here': targets.get(None, {}).get('count', 0),
            'edges': [
                {
                    'target': target,
                    'name': known[target]['name'],
                    'count': way['count'],
                    'share': way['count'] / count if count else 0.0,
                    'seconds': way['seconds'],
                    'time': self._describe_time(way['seconds']),
                }
                for target, way in sorted(edges.items(), key=lambda item: order.index(item[0]))
            ],
        }

    @api.model
    def _describe_time(self, seconds):
        """Return a time in words, e.g. "3.2 days"; empty without one."""
        if seconds is None:
            return ""
        if seconds < HOUR:
            return self.env._("%(number)s min", number=formatLang(self.env, seconds / 60, digits=0))
        if seconds < 2 * DAY:
            return self.env._(
                "%(number)s hours", number=formatLang(self.env, seconds / HOUR, digits=1)
            )
        return self.env._("%(number)s days", number=formatLang(self.env, seconds / DAY, digits=1))
