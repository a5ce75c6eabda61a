from odoo import api, models


class SaleReturn(models.Model):
    """The queue of returns whose credit notes are left to the scheduled job."""

    _inherit = 'sale.return'

    def _queue_credit(self, error=None):
        """Leave the credit of returns to the scheduled job.

        :param str error: why it could not be made at once, shown on the return.
        """
        # The job tries again every hour; the same failure is told once.
        news = self.filtered(lambda r: error and r.credit_error != error)
        self._write_facts({'credit_queued': True, 'credit_error': error or False})
        if error:
            self.env['sale.return.event']._log(
                [
                    {'return_id': sale_return.id, 'kind': 'credit_failed', 'reason': error}
                    for sale_return in news
                ]
            )
        elif self:
            # sudo: whoever inspects may not start jobs by himself.
            self.env.ref('sale_return.ir_cron_create_credit_notes').sudo()._trigger()

    def _queue_due_credit(self):
        """Queue the returns of which something is due, e.g. because its invoice was posted."""
        self.filtered(
            lambda r: (
                r.company_id.sale_return_auto_credit
                and any(line.qty_to_credit > 0 for line in r.line_ids)
            )
        )._queue_credit()

    def _dequeue_credit(self):
        """Forget that returns were queued: their credit notes were made."""
        self.filtered('credit_queued')._write_facts({'credit_queued': False, 'credit_error': False})

    @api.model
    def _cron_create_credit_notes(self, limit=100):
        """Scheduled job: create the credit notes that a step has left to it.

        :param int limit: returns per transaction.
        """
        domain = [('credit_queued', '=', True)]
        # sudo: the job works for all companies.
        ids = self.sudo().search(domain, order='id').ids
        remaining = len(ids)
        cron = self.env['ir.cron']
        cron._commit_progress(remaining=remaining)
        for start in range(0, len(ids), limit):
            batch = self.sudo().browse(ids[start : start + limit]).try_lock_for_update()
            batch = batch.filtered_domain(domain)
            self.env['sale.return.credit']._credit_isolated(batch)
            batch._close_or_reopen()
            remaining = len(ids) - start - limit
            if not cron._commit_progress(min(limit, len(ids) - start), remaining=max(remaining, 0)):
                break
