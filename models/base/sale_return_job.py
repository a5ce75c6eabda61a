from odoo import api, models


class SaleReturnJob(models.AbstractModel):
    """Service: the loop of scheduled jobs."""

    _name = 'sale.return.job'
    _description = "Jobs of Returns"

    @api.model
    def _work_off(self, records, step, size=1):
        """Do something with records, so many at a time, each time in a transaction of its own.

        Several workers may do the same job at once: each takes the records that no other one has,
        and a record that somebody is working on waits for the next run. The loop ends early when
        the job's time is over; Odoo goes on with it later.

        :param records: what there is to do, in order.
        :param step: function of the records that were free. It looks again whether they (still)
            need it: another worker may have been faster.
        :param int size: records per transaction. One where something leaves the database that
            cannot be called back.
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
