from datetime import timedelta

from odoo import api, fields, models, tools

# A job that is overdue by this much does not run at all.
STANDSTILL = timedelta(days=1)


class SaleReturnHealth(models.AbstractModel):
    """Checks of the configuration. Each room adds checks of what it needs."""

    _name = 'sale.return.health'
    _description = "Health of Returns"

    @api.model
    def _get_findings(self, company):
        """Return what is misconfigured in a company. Override to add checks.

        A finding with a `code` is fixed by `_fix_<code>(company)`; one with an `action` opens it,
        filtered by `domain` if there is one.

        :param company: `res.company`
        :return: list of dicts: `sentence`, `button`, and `code` or `action`, `domain`.
        :rtype: list
        """
        return [*self._get_job_findings(), *self._get_mail_findings()]

    @api.model
    def _fix(self, code, company):
        """Fix a finding.

        :param str code: what follows `_fix_` in the name of the method.
        :param company: `res.company`
        :return: False where it cannot be fixed automatically.
        :rtype: bool
        """
        method = getattr(self, f'_fix_{code}', None)
        if method is None:
            return False
        method(company)
        return True

    # === JOBS === #

    def _get_jobs(self):
        """Return the scheduled jobs of this add-on, including inactive ones."""
        # sudo: managers of Returns need not administer the system.
        names = self.env['ir.model.data'].sudo()
        ids = names.search([('module', '=', 'sale_return'), ('model', '=', 'ir.cron')])
        jobs = self.env['ir.cron'].sudo().with_context(active_test=False)
        return jobs.browse(ids.mapped('res_id')).exists()

    def _get_job_findings(self):
        """Report jobs that are inactive, fail, or never run."""
        jobs = self._get_jobs()
        findings = [
            {
                'sentence': self.env._("The job “%(job)s” is switched off.", job=job.name),
                'button': self.env._("Switch On"),
                'code': 'jobs',
            }
            for job in jobs.filtered(lambda job: not job.active)
        ]
        findings += [
            {
                'sentence': self.env._(
                    "The job “%(job)s” fails (%(count)s in a row).",
                    job=job.name,
                    count=job.failure_count,
                ),
                'button': self.env._("Open the Job"),
                'action': 'base.ir_cron_act',
                'domain': [('id', '=', job.id)],
            }
            for job in jobs.filtered('failure_count')
        ]
        overdue = fields.Datetime.now() - STANDSTILL
        running = jobs.filtered('active')
        if running and all(job.nextcall < overdue for job in running):
            findings.append(
                {
                    'sentence': self.env._(
                        "No job of Returns has run for more than a day: start Odoo with workers "
                        "for scheduled jobs (--max-cron-threads)."
                    ),
                    'button': self.env._("Open the Jobs"),
                    'action': 'base.ir_cron_act',
                    'domain': [('id', 'in', running.ids)],
                }
            )
        return findings

    def _fix_jobs(self, _company):
        """Switch the jobs of this add-on on."""
        self._get_jobs().filtered(lambda job: not job.active).active = True

    # === MAILS === #

    def _get_mail_findings(self):
        """Report that no mail can be sent."""
        # sudo: managers of Returns need not administer the system.
        servers = self.env['ir.mail_server'].sudo()
        configured = tools.config['smtp_server'] not in (False, '', 'localhost')
        if configured or servers.search_count([], limit=1):
            return []
        return [
            {
                'sentence': self.env._("No outgoing mail server is set up: customers get no mail."),
                'button': self.env._("Mail Servers"),
                'action': 'base.action_ir_mail_server_list',
            }
        ]
