"""What the picture of the process is read from: one row per return and step, as SQL.

A return has one path in each of three flows. *request* leads from the door through which it was
requested to the decision; *goods* and *money* begin at the approval. A path is the steps that the
return has reached, in their order; `moment` is when it reached them. So each return is counted once
on each part of its way, and what enters a step equals what left it and what is still there.
"""

# Days that the picture shows, by the day of the request; a picture that is older than so many days
# is drawn again.
PERIOD, OLDEST = 90, 200

# Where more returns than these were requested in the period, the picture shows fewer days.
MOST_RETURNS = 20_000

# Policies that the picture of all policies shows by name.
MOST_POLICIES = 15

# Levels that the picture of all policies tells apart.
MOST_LEVELS = 3

FLOWS = ('request', 'goods', 'money')

# Stands for no next step: the returns that are there now.
HERE = 'here'

# How strict an outcome is that leads to the decision on a return; see `_get_outcomes` of
# `sale.return.decision`: lines refused for good do not keep the others from being approved.
STRICTNESS = ['refuse', 'authorize', 'review', 'refuse_overridable']

STEPS = """
    WITH log AS (
        SELECT event.return_id AS id,
               MAX(event.date) FILTER (
                   WHERE event.state_from = 'draft' AND event.state_to = 'submitted'
               ) AS submitted,
               MAX(event.date) FILTER (
                   WHERE event.state_from = 'submitted' AND event.state_to = 'approved'
               ) AS approved,
               MAX(event.date) FILTER (WHERE event.state_to = 'refused') AS refused,
               MAX(event.date) FILTER (WHERE event.state_to = 'cancelled') AS cancelled,
               -- Whoever cancels a request gives no reason; the job that finds it too old does.
               (ARRAY_AGG(event.reason ORDER BY event.id DESC)
                   FILTER (WHERE event.state_to = 'cancelled'))[1] IS NOT NULL AS lapsed,
               MAX(event.date) FILTER (WHERE event.state_to = 'closed') AS closed,
               MIN(event.date) FILTER (WHERE event.kind = 'received') AS received,
               MAX(event.date) FILTER (WHERE event.kind = 'inspected') AS inspected,
               MAX(event.date) FILTER (WHERE event.kind = 'credited') AS credited,
               MAX(event.date) FILTER (WHERE event.kind = 'refunded') AS refunded,
               BOOL_OR(event.kind = 'receipt_created') AS has_receipt
          FROM sale_return_event AS event
         WHERE event.return_id IN (
                   SELECT request.return_id
                     FROM sale_return_event AS request
                    WHERE request.return_id IN %(returns)s
                      AND request.state_from = 'draft'
                      AND request.state_to = 'submitted'
                      AND request.date >= %(since)s
               )
      GROUP BY event.return_id
    ),
    -- The line that led to the decision, and what was said of it first.
    telling AS (
        SELECT DISTINCT ON (line.return_id)
               line.return_id AS id,
               line.policy_id,
               line.verdict_outcome AS outcome,
               line.verdicts,
               CASE WHEN JSONB_TYPEOF(line.policy_facts -> 'policy_id') = 'number'
                    THEN (line.policy_facts ->> 'policy_id')::int
                    ELSE line.policy_id END AS original_id
          FROM sale_return_line AS line
          JOIN log ON log.id = line.return_id
      ORDER BY line.return_id,
               ARRAY_POSITION(%(strictness)s::text[], line.verdict_outcome::text) DESC NULLS LAST,
               line.id
    ),
    total AS (
        SELECT line.return_id AS id,
               BOOL_OR(line.return_expected) AS is_expected,
               SUM(line.qty_received) > 0 AS has_come,
               MIN(line.resolution) AS resolution,
               COUNT(DISTINCT line.resolution) > 1 AS is_mixed
          FROM sale_return_line AS line
          JOIN log ON log.id = line.return_id
      GROUP BY line.return_id
    ),
    automatic AS (
        SELECT approval.return_id AS id,
               (ARRAY_AGG(approval.decision ORDER BY approval.id DESC))[1] AS decision
          FROM sale_return_approval AS approval
          JOIN log ON log.id = approval.return_id
         WHERE approval.automatic AND approval.date >= log.submitted
      GROUP BY approval.return_id
    ),
    fact AS (
        SELECT log.id,
               log.submitted,
               log.approved,
               log.closed,
               log.received,
               log.inspected,
               log.credited,
               log.refunded,
               asked.state,
               asked.credit_state,
               asked.refund_state,
               asked.date_dispatched AS sent,
               asked.state IN ('approved', 'closed')
                   OR asked.state = 'cancelled' AND COALESCE(log.approved >= log.submitted, FALSE)
                   AS is_approved,
               asked.state = 'cancelled' AS is_cancelled,
               total.is_expected,
               COALESCE(total.has_come, FALSE) AS has_come,
               total.has_come
                   AND (asked.inspection_state = 'full'
                        OR asked.state = 'closed' AND log.inspected IS NOT NULL) AS is_inspected,
               asked.credit_state = 'full'
                   OR asked.state = 'closed' AND asked.credit_state = 'partial' AS is_credited,
               CASE WHEN total.is_mixed THEN 'mixed' ELSE total.resolution END AS resolution,
               CASE WHEN total.is_expected THEN policy.release_event ELSE 'approval' END AS release,
               CASE policy.release_event
                   WHEN 'dispatch_proof'
                   THEN COALESCE(asked.date_dispatch_proved, log.received)
                   WHEN 'receipt' THEN log.received
                   WHEN 'inspection' THEN log.inspected
               END AS released,
               appeal.date AS appealed,
               appeal.state AS appeal_state,
               COALESCE(appeal.date_decided, log.refused) AS refused,
               log.cancelled,
               log.lapsed,
               CASE WHEN channel.return_id IS NOT NULL THEN 'door:channel'
                    WHEN asked.portal_kind IN ('withdrawal', 'gift')
                    THEN 'door:' || asked.portal_kind
                    -- No receipt was made for it, and yet there are moves: they were first.
                    WHEN log.has_receipt IS NOT TRUE AND total.is_expected AND EXISTS (
                             SELECT
                               FROM sale_return_line AS line
                               JOIN stock_move AS move ON move.sale_return_line_id = line.id
                              WHERE line.return_id = log.id
                         )
                    THEN 'door:goods'
                    ELSE 'door:' || COALESCE(asked.door, 'system') END AS door,
               CASE WHEN telling.original_id IS NULL THEN 'policy:none'
                    WHEN telling.original_id = ANY(%(policies)s)
                    THEN 'policy:' || telling.original_id
                    ELSE 'policy:other' END AS policy,
               CASE WHEN telling.outcome = 'authorize' THEN 'rule:pass'
                    WHEN verdict.kind IS NULL THEN 'rule:none'
                    WHEN verdict.kind = 'approval' THEN 'rule:approval'
                    WHEN verdict.rule_id = ANY(%(rules)s) THEN 'rule:' || verdict.rule_id
                    WHEN verdict.rule_id IS NOT NULL AND %(by_rule)s
                         OR verdict.kind <> ALL(%(kinds)s)
                    THEN 'rule:earlier'
                    ELSE 'kind:' || verdict.kind END AS rule,
               CASE automatic.decision WHEN 'approved' THEN 'auto'
                                       WHEN 'refused' THEN 'auto_refused'
                                       ELSE 'ask' END AS verdict
          FROM log
          JOIN sale_return AS asked ON asked.id = log.id
          JOIN telling ON telling.id = log.id
          JOIN total ON total.id = log.id
     LEFT JOIN automatic ON automatic.id = log.id
     LEFT JOIN sale_return_policy AS policy ON policy.id = telling.policy_id
     LEFT JOIN sale_return_appeal AS appeal
            ON appeal.return_id = log.id AND appeal.date >= log.submitted
     LEFT JOIN (
               SELECT DISTINCT return_id FROM sale_return_channel_request
               ) AS channel ON channel.return_id = log.id
     LEFT JOIN LATERAL (
               SELECT item.value ->> 'kind' AS kind,
                      CASE WHEN JSONB_TYPEOF(item.value -> 'rule_id') = 'number'
                           THEN (item.value ->> 'rule_id')::int END AS rule_id
                 FROM JSONB_ARRAY_ELEMENTS(
                          CASE WHEN JSONB_TYPEOF(telling.verdicts) = 'array'
                               THEN telling.verdicts END
                      ) WITH ORDINALITY AS item (value, number)
                WHERE telling.outcome <> 'authorize'
                  AND item.value ->> 'outcome' = telling.outcome
             ORDER BY item.number
                LIMIT 1
               ) AS verdict ON TRUE
         WHERE %(scope)s
    ),
    -- Who decided, and at which level; last the level that is asked now.
    seat AS (
        SELECT approval.return_id AS id, approval.step_id, step.level_id, approval.date
          FROM sale_return_approval AS approval
          JOIN fact ON fact.id = approval.return_id
     LEFT JOIN sale_return_approval_step AS step ON step.id = approval.step_id
         WHERE NOT COALESCE(approval.automatic, FALSE) AND approval.date >= fact.submitted
         UNION ALL
        SELECT fact.id, step.id, step.level_id, NULL
          FROM fact
     LEFT JOIN LATERAL (
               SELECT step.id, step.level_id
                 FROM sale_return_approval_step AS step
                WHERE step.return_id = fact.id AND step.state = 'pending'
             ORDER BY step.sequence, step.id
                LIMIT 1
               ) AS step ON TRUE
         WHERE fact.state = 'submitted'
    ),
    ranked AS (
        SELECT id, step_id, level_id, date,
               LEAST(ROW_NUMBER() OVER (PARTITION BY id ORDER BY date NULLS LAST, step_id),
                     %(most_levels)s) AS rank
          FROM seat
    ),
    seated AS (
        SELECT id, date,
               CASE WHEN step_id IS NULL THEN 'person'
                    WHEN NOT %(by_rule)s THEN 'level:' || rank
                    WHEN level_id = ANY(%(levels)s) THEN 'level:' || level_id
                    ELSE 'level:earlier' END AS node,
               CASE WHEN step_id IS NULL THEN 10
                    WHEN NOT %(by_rule)s THEN 11 + rank
                    WHEN level_id = ANY(%(levels)s)
                    THEN 11 + ARRAY_POSITION(%(levels)s, level_id)
                    ELSE 11 END AS position
          FROM ranked
    ),
    -- A level is asked when the one before it has decided.
    turn AS (
        SELECT seated.id, seated.node, seated.position,
               COALESCE(
                   LAG(MAX(seated.date)) OVER (PARTITION BY seated.id ORDER BY seated.position),
                   fact.submitted
               ) AS moment
          FROM seated
          JOIN fact ON fact.id = seated.id
      GROUP BY seated.id, seated.node, seated.position, fact.submitted
    ),
    step AS (
        SELECT fact.id, reached.flow, reached.node, reached.position, reached.moment
          FROM fact
    CROSS JOIN LATERAL (VALUES
            ('request', fact.door, 1, fact.submitted),
            ('request', fact.policy, 2, fact.submitted),
            ('request', fact.rule, 3, fact.submitted),
            ('request', fact.verdict, 4, fact.submitted),
            ('request', CASE WHEN fact.appealed IS NOT NULL THEN 'appeal' END, 90, fact.appealed),
            ('request', CASE
                WHEN fact.is_approved THEN 'approved'
                WHEN fact.state = 'refused' AND fact.appeal_state IS DISTINCT FROM 'open'
                THEN 'refused'
                WHEN fact.is_cancelled AND fact.lapsed THEN 'lapsed'
                WHEN fact.is_cancelled THEN 'withdrawn' END,
             99, CASE
                WHEN fact.is_approved THEN fact.approved
                WHEN fact.state = 'refused' THEN fact.refused
                ELSE fact.cancelled END),
            ('goods', CASE WHEN fact.is_approved THEN 'approved' END, 1, fact.approved),
            ('goods', CASE WHEN fact.is_approved AND fact.is_expected AND fact.sent IS NOT NULL
                           THEN 'sent' END, 2, fact.sent),
            ('goods', CASE
                WHEN NOT fact.is_approved THEN NULL
                WHEN fact.has_come THEN 'received'
                WHEN fact.is_cancelled THEN NULL
                WHEN NOT fact.is_expected THEN 'nothing'
                WHEN fact.state = 'closed' THEN 'lost' END,
             3, CASE
                WHEN fact.has_come THEN fact.received
                WHEN NOT fact.is_expected THEN fact.approved
                ELSE fact.closed END),
            ('goods', CASE WHEN fact.is_approved AND fact.is_inspected THEN 'inspected' END,
             4, fact.inspected),
            ('goods', CASE WHEN fact.is_approved AND fact.is_cancelled THEN 'withdrawn' END,
             5, fact.cancelled),
            ('money', CASE WHEN fact.is_approved THEN 'approved' END, 1, fact.approved),
            ('money', CASE
                WHEN NOT fact.is_approved OR fact.is_cancelled THEN NULL
                WHEN fact.release = 'approval' OR fact.released IS NOT NULL
                    AND (fact.release <> 'inspection' OR fact.is_inspected)
                THEN 'release:' || fact.release END,
             2, CASE WHEN fact.release = 'approval' THEN fact.approved
                     ELSE GREATEST(fact.released, fact.approved) END),
            ('money', CASE WHEN fact.is_approved AND fact.is_credited THEN 'credited' END,
             3, fact.credited),
            ('money', CASE
                WHEN NOT fact.is_approved OR fact.is_cancelled THEN NULL
                WHEN fact.resolution = 'refund' THEN CASE
                    WHEN NOT fact.is_credited THEN NULL
                    WHEN fact.refund_state = 'full' THEN 'way:paid'
                    WHEN COALESCE(fact.refund_state, 'no') = 'no' THEN 'way:account' END
                WHEN fact.is_credited OR fact.state = 'closed' AND fact.has_come
                THEN 'way:' || fact.resolution END,
             4, CASE WHEN fact.resolution <> 'refund'
                     THEN COALESCE(fact.credited, fact.closed)
                     WHEN fact.refund_state = 'full' THEN fact.refunded
                     ELSE fact.credited END),
            ('money', CASE WHEN NOT fact.is_approved THEN NULL
                           WHEN fact.is_cancelled THEN 'withdrawn'
                           WHEN fact.state = 'closed' THEN 'closed' END,
             5, CASE WHEN fact.is_cancelled THEN fact.cancelled ELSE fact.closed END)
            ) AS reached (flow, node, position, moment)
         WHERE reached.node IS NOT NULL
         UNION ALL
        SELECT id, 'request', node, position, moment FROM turn
    ),
    path AS (
        SELECT id, flow, node, moment,
               LEAD(node) OVER way AS target,
               LEAD(moment) OVER way AS reached
          FROM step
        WINDOW way AS (PARTITION BY id, flow ORDER BY position)
    )
"""

EDGES = """
    SELECT flow, node, target, COUNT(*),
           PERCENTILE_CONT(0.5) WITHIN GROUP (
               ORDER BY EXTRACT(EPOCH FROM reached - moment)::float8
           ) FILTER (WHERE reached >= moment) AS median,
           MAX(EXTRACT(EPOCH FROM reached - moment)::float8) AS longest
      FROM path
  GROUP BY flow, node, target
"""
