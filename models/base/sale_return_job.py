from odoo import api, models


class SaleReturnJob(models.AbstractModel):
    """Service: the loop of scheduled jobs."""

    _name = 'sale.return.job'
    _description = "Jobs of Returns"

    @api.model
    def _work_off(self, records, step, size=1):
        """Process records in batches, each in its own transaction.

        Several workers may do the same job at once: each takes records that no other worker has,
        and locked records wait for the next run. The loop ends early when the job's time is over;
        Odoo continues it later.

        :param records: the records to process, in order.
        :param step: function called with unlocked records. It checks whether they still need
            processing: another worker may have been faster.
        :param int size: records per transaction. Use 1 where something leaves the database that
            cannot be undone.
        """
        cron = self.env['ir.cron']
        left = len(records)
        cron._commit_progress(remaining=left)
        ids = records.ids
        for start in range(0, len(ids), size):
            batch = records.browse(ids[start : start + size])
            left -= len(batch)
            if free := batch.try_lock_for_update(allow_referencing=True):
                step(free)
            if not cron._commit_progress(len(batch), remaining=left):
                break
