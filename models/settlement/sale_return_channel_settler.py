from collections import defaultdict
from zoneinfo import ZoneInfo

from odoo import api, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tools import SQL

from ...tools.channels import Broken, FormatError, Movement, read
from ...tools.reader import take_text

CHUNK = 5000
INSERT = """
    INSERT INTO sale_return_channel_movement
           (file_id, channel_id, company_id, source, key, kind, label, date, currency_id, amount,
            refund_id, create_uid, create_date, write_uid, write_date)
    SELECT %(file)s, %(channel)s, %(company)s, %(source)s, row.key, row.kind, row.label, row.date,
           %(currency)s, row.amount, refund.id, %(uid)s, %(now)s, %(uid)s, %(now)s
      FROM UNNEST(%(keys)s::text[], %(kinds)s::text[], %(labels)s::text[], %(dates)s::date[],
                  %(amounts)s::numeric[], %(refunds)s::text[])
        AS row(key, kind, label, date, amount, refund)
 LEFT JOIN sale_return_channel_refund refund
        ON refund.channel_id = %(channel)s AND refund.source = %(source)s
       AND refund.key = row.refund
        ON CONFLICT DO NOTHING
"""


class SaleReturnChannelSettler(models.AbstractModel):
    """Service: bring settlements of channels into the ledger, as bank statements of their journal.

    The draft is the movements of a file. Posting makes a statement of them: a line for each refund,
    reconciled with the credit notes that it matches; one for each kind of fee, on the account and
    with the tax of its word; one for each payout, on the account of liquidity transfers. What
    buyers paid, and what is not known, waits on the suspense account of the journal for Odoo's own
    reconciliation.
    """

    _name = 'sale.return.channel.settler'
    _description = "Settlements of Channels"

    # === WHO, AND WHAT === #

    @api.model
    def _check_may_settle(self, file):
        """Refuse whoever may not enter bank statements, and channels without a journal."""
        file.check_access('read')
        if not self.env['account.bank.statement.line'].has_access('create'):
            raise AccessError(
                self.env._("Only accountants who enter bank statements post settlements.")
            )
        if not file.channel_id.sudo().journal_id:  # sudo: as on the form of the file
            raise UserError(
                self.env._(
                    "%(channel)s has no journal for settlements. Choose one on the channel first.",
                    channel=file.channel_id.name,
                )
            )

    # === DRAFT === #

    @api.model
    def _draft(self, file):
        """Read the movements of a file.

        :raise UserError: if the file cannot be read, does not show the whole account, or another
            one did already.
        """
        self._check_may_settle(file)
        # sudo: files and movements are written by services only; the accountant was checked above.
        file = file.sudo()
        channel = file.channel_id
        channel._take_turn()
        if file.statement_id:
            return
        file.movement_ids.unlink()
        self._ensure_new_settlement(file)
        try:
            broken = self._read_movements(file)
        except FormatError as error:
            importer = self.env['sale.return.channel.importer']
            raise UserError(importer._get_sentence(file.name, error)) from None
        self._ensure_all_read(file, broken)
        file.invalidate_recordset()
        if not file.movement_ids:
            raise UserError(
                self.env._(
                    "%(file)s shows nothing new of the account with %(channel)s: its format has "
                    "refunds only, or another file has shown it all.",
                    file=file.name,
                    channel=channel.name,
                )
            )

    @api.model
    def _read_movements(self, file):
        """Write the movements of a file.

        :return: the lines of the file that cannot be read.
        :rtype: list
        """
        channel = file.channel_id
        source = channel._get_sources().get(file.format)
        content = file.attachment_id.raw or b''
        reading = read(content, file.name, channel._get_profiles(), money=True)
        rows, broken = [], []
        for item in reading:
            if isinstance(item, Movement):
                rows.append(item)
            elif isinstance(item, Broken):
                broken.append(item.line)
            if len(rows) >= CHUNK:
                self._insert(file, source, reading, rows)
                rows = []
        self._insert(file, source, reading, rows)
        return broken

    @api.model
    def _ensure_all_read(self, file, broken):
        """Refuse a file whose rows the import could read, but not all that moves money in them."""
        if len(broken) <= file.broken_count:
            return
        known = set(file.broken_ids.mapped('line'))
        raise UserError(
            self.env._(
                "%(file)s cannot be settled: %(count)s of its rows have amounts or times that "
                "cannot be read, the first in line %(line)s. Fetch the file again, whole, and "
                "import it.",
                file=file.name,
                count=len(broken),
                line=next((line for line in broken if line not in known), broken[0]),
            )
        )

    @api.model
    def _ensure_new_settlement(self, file):
        """Refuse a settlement that another file has: two layouts name its rows otherwise."""
        twin = file.search(
            [
                ('id', '!=', file.id),
                ('channel_id', '=', file.channel_id.id),
                ('source', '=', file.source),
                ('number', '=', file.number),
                ('movement_ids', '!=', False),
            ],
            limit=1,
        )
        if file.number and twin:
            raise UserError(
                self.env._(
                    "Settlement %(number)s is that of %(file)s already.",
                    number=file.number,
                    file=twin.name,
                )
            )

    @api.model
    def _insert(self, file, source, reading, rows):
        """Write movements; the ORM would take minutes for a large file."""
        if not rows:
            return
        channel = file.channel_id
        zone = ZoneInfo(channel._get_timezone())
        currency = self._get_currency(file, reading, rows)
        values = [
            (
                take_text(row.key, 300),
                row.kind,
                take_text(row.label, 100) or None,
                self._get_day(row.at, zone),
                row.amount,
                take_text(row.refund, 200) or None,
            )
            for row in rows
        ]
        keys, kinds, labels, dates, amounts, refunds = map(list, zip(*values, strict=True))
        self.env.cr.execute(
            SQL(
                INSERT,
                file=file.id,
                channel=channel.id,
                company=file.company_id.id,
                source=source,
                currency=currency.id,
                uid=self.env.uid,
                now=self.env.cr.now(),
                keys=keys,
                kinds=kinds,
                labels=labels,
                dates=dates,
                amounts=amounts,
                refunds=refunds,
            )
        )

    @api.model
    def _get_currency(self, file, reading, rows):
        """Return the currency of the journal, which has to be that of the movements."""
        channel = file.channel_id
        currency = self._get_journal_currency(channel)
        codes = {row.currency or reading.currency or channel.currency_id.name for row in rows}
        if other := codes - {currency.name}:
            raise UserError(
                self.env._(
                    "%(file)s has amounts in %(currency)s, and journal %(journal)s is in "
                    "%(other)s. Use a channel with a journal for each currency.",
                    file=file.name,
                    currency=", ".join(sorted(other)),
                    journal=channel.journal_id.display_name,
                    other=currency.name,
                )
            )
        return currency

    @api.model
    def _get_journal_currency(self, channel):
        return channel.journal_id.currency_id or channel.company_id.currency_id

    @api.model
    def _get_day(self, moment, zone):
        """Return the day of a movement in the time zone of the channel, None if it has no time."""
        if moment is None:
            return None
        return (moment.astimezone(zone) if moment.tzinfo else moment).date()

    # === POST === #

    @api.model
    def _post(self, file):
        """Post the draft as a bank statement; a second call posts nothing.

        :return: the statement.
        :raise UserError: if rows that the file states are missing.
        """
        self._check_may_settle(file)
        # sudo: as above. The statement is made by the user.
        record = file.sudo()
        record.channel_id._take_turn()
        record.invalidate_recordset()
        if record.statement_id:
            return record.statement_id.sudo(False)
        self._ensure_complete(record)
        if not record.movement_ids:
            self._draft(file)
        self._ensure_same_currency(record)
        # With the notes as they are now.
        self.env['sale.return.channel.matcher']._match_file(record.channel_id, record)
        lines = self._prepare_lines(record)
        if not lines:
            raise UserError(
                self.env._(
                    "The settlement of %(file)s cannot be posted: its movements of each kind come "
                    "to nothing. Nothing needs to be posted for it.",
                    file=record.name,
                )
            )
        statement = self._create_statement(record, lines)
        self._reconcile(record, lines, statement)
        record.statement_id = statement
        return statement

    @api.model
    def _ensure_complete(self, file):
        currency = file.currency_id
        if file.broken_count or (file.is_stated and not currency.is_zero(file.amount_unexplained)):
            raise UserError(
                self.env._(
                    "%(file)s has %(broken)s broken rows, and %(amount)s of its total are not "
                    "explained by its rows. Fetch the file again, whole, and import it.",
                    file=file.name,
                    broken=file.broken_count,
                    amount=currency.format(file.amount_unexplained),
                )
            )

    @api.model
    def _ensure_same_currency(self, file):
        """Refuse a draft if its journal was exchanged, or has another currency since."""
        drafted = file.movement_ids[:1].currency_id
        currency = self._get_journal_currency(file.channel_id)
        if drafted != currency:
            raise UserError(
                self.env._(
                    "The settlement of %(file)s was drafted in %(currency)s, and journal "
                    "%(journal)s is in %(other)s now. Choose a journal in %(currency)s on the "
                    "channel, or draft the settlement again.",
                    file=file.name,
                    currency=drafted.name,
                    journal=file.channel_id.journal_id.display_name,
                    other=currency.name,
                )
            )

    @api.model
    def _prepare_lines(self, file):
        """Return the lines of the statement of a file, without those of zero.

        :return: dicts of `kind`, `label`, `date`, `amount` and `refund` (a record), by date.
        :rtype: list
        """
        # sudo: movements are read like the file, by a user who was checked.
        movements = self.env['sale.return.channel.movement'].sudo()
        grouped = defaultdict(float)
        dates = {}
        for kind, label, refund, number, day in movements._read_group(
            [('file_id', '=', file.id)],
            ['kind', 'label', 'refund_id'],
            ['amount:sum', 'date:max'],
        ):
            key = (kind, label or '', refund)
            grouped[key] += number
            dates[key] = day or file.company_id._get_sale_return_day()
        currency = file.movement_ids[:1].currency_id
        lines = [
            {
                'kind': kind,
                'label': label,
                'refund': refund,
                'date': dates[kind, label, refund],
                'amount': currency.round(amount),
            }
            for (kind, label, refund), amount in grouped.items()
            if not currency.is_zero(amount)
        ]
        return sorted(lines, key=lambda line: (line['date'], line['kind'] == 'payout'))

    @api.model
    def _create_statement(self, file, lines):
        """Create the statement with its lines, which Odoo posts."""
        channel, kinds = (
            file.channel_id,
            dict(
                self.env['sale.return.channel.movement']
                ._fields['kind']
                ._description_selection(self.env)
            ),
        )
        journal = channel.journal_id.sudo(False)
        number = file.number or file.name
        statement_lines = self.env['account.bank.statement.line'].create(
            [
                {
                    'journal_id': journal.id,
                    'date': line['date'],
                    'payment_ref': " ".join(
                        filter(
                            None,
                            (
                                kinds[line['kind']],
                                line['label'] or line['refund'].order_ref,
                                f"({number})",
                            ),
                        )
                    ),
                    'partner_id': line['refund'].partner_id.commercial_partner_id.id,
                    'amount': line['amount'],
                }
                for line in lines
            ]
        )
        for line, statement_line in zip(lines, statement_lines, strict=True):
            self._set_counterpart(channel, line, statement_line)
        return self.env['account.bank.statement'].create(
            {
                'name': f"{channel.name} {number}",
                'line_ids': [Command.set(statement_lines.ids)],
            }
        )

    @api.model
    def _set_counterpart(self, channel, line, statement_line):
        """Replace the suspense account by that of the fee, or of payouts, with its tax."""
        account, tax = self._get_account(channel, line)
        if not account:
            return
        _liquidity, suspense, _other = statement_line._seek_for_lines()
        commands = [Command.update(suspense.id, {'account_id': account.id})]
        if tax:
            commands = [
                Command.delete(suspense.id),
                *map(Command.create, self._prepare_items(suspense, account, tax, line['amount'])),
            ]
        statement_line.with_context(
            skip_account_move_synchronization=True, force_delete=True, skip_readonly_check=True
        ).move_id.write({'line_ids': commands})

    @api.model
    def _prepare_items(self, suspense, account, tax, amount):
        """Prepare the base and the tax of a fee that includes it, instead of a suspense item."""
        values = tax.with_context(force_price_include=True).compute_all(
            abs(amount), currency=suspense.currency_id, is_refund=amount > 0
        )
        sign = -1 if amount > 0 else 1
        ratio = suspense.balance / suspense.amount_currency
        common = {
            'name': suspense.name,
            'partner_id': suspense.partner_id.id,
            'currency_id': suspense.currency_id.id,
        }
        items = [
            {
                **common,
                'name': part['name'],
                'account_id': part['account_id'] or account.id,
                'tax_repartition_line_id': part['tax_repartition_line_id'],
                'tax_tag_ids': [Command.set(part['tag_ids'])],
                # As Odoo has it: in the company's currency, with the sign of the base item.
                'tax_base_amount': suspense.company_currency_id.round(sign * part['base'] * ratio),
                'amount_currency': sign * part['amount'],
                'balance': suspense.company_currency_id.round(sign * part['amount'] * ratio),
            }
            for part in values['taxes']
        ]
        base = {
            **common,
            'account_id': account.id,
            'tax_ids': [Command.set(tax.ids)],
            'tax_tag_ids': [Command.set(values['base_tags'])],
            # What is left, so that rounding leaves nothing over.
            'amount_currency': suspense.amount_currency
            - sum(item['amount_currency'] for item in items),
            'balance': suspense.balance - sum(item['balance'] for item in items),
        }
        return [base, *items]

    @api.model
    def _get_account(self, channel, line):
        """Return the account and the tax of a line; nothing leaves it on the suspense account."""
        nothing = self.env['account.account'], self.env['account.tax']
        if line['kind'] == 'payout':
            return channel.company_id.sudo().transfer_account_id.sudo(False), nothing[1]
        if line['kind'] != 'fee':
            return nothing
        # sudo: words are read like the channel.
        word = self.env['sale.return.channel.word']._find(channel, 'fee', line['label']).sudo()
        # A word for all companies may name an account that only one of them has.
        account = self._keep_own(word.fee_account_id, channel)
        if account:
            tax = self._keep_own(word.fee_tax_id, channel)
        else:
            account, tax = channel.fee_account_id, channel.fee_tax_id
        return account.sudo(False), tax.sudo(False)

    @api.model
    def _keep_own(self, record, channel):
        """Return an account or a tax if the company of the channel may use it, nothing if not."""
        return record.filtered_domain(record._check_company_domain(channel.company_id))

    @api.model
    def _reconcile(self, file, lines, statement):
        """Reconcile refunds that match with their notes; a note that is paid already stays."""
        company = file.company_id
        plan, used = [], defaultdict(float)
        for line, statement_line in zip(
            lines, statement.line_ids.sorted('id'), strict=True
        ):  # created in this order
            refund = line['refund']
            if line['kind'] != 'refund' or refund.state != 'match':
                continue
            receivable = refund.note_ids.sudo(False).line_ids.filtered(
                lambda item: (
                    item.account_id.account_type == 'asset_receivable' and not item.reconciled
                )
            )
            currency = statement_line.currency_id
            if (
                len(receivable.account_id) != 1
                or receivable.currency_id != currency
                or receivable.company_id != company
            ):
                continue
            shares = self._share(receivable, -line['amount'], currency, used)
            if not shares:
                continue
            _liquidity, suspense, _other = statement_line._seek_for_lines()
            suspense.with_context(
                skip_account_move_synchronization=True, skip_readonly_check=True
            ).write({'account_id': receivable.account_id.id})
            plan.append(suspense + self.env['account.move.line'].union(*shares))
            for item, share in shares.items():
                used[item] += share
        if plan:
            self.env['account.move.line']._reconcile_plan(plan)

    @api.model
    def _share(self, receivable, amount, currency, used):
        """Return what a refund pays of each item, the earliest first, as Odoo reconciles them.

        Refunds may share notes: together they pay no more of an item than is open.

        :param dict used: what earlier refunds pay of each item.
        :return: `{item: amount}`, empty if less is open than was refunded.
        :rtype: dict
        """
        shares = {}
        for item in receivable.sorted(lambda item: (item.date_maturity or item.date, item.id)):
            share = currency.round(min(amount, -item.amount_residual_currency - used[item]))
            if currency.compare_amounts(share, 0.0) > 0:
                shares[item] = share
                amount -= share
        return shares if currency.is_zero(amount) else {}

    # === TAKE BACK === #

    @api.model
    def _reverse(self, file):
        """Post the opposite of a statement today, and leave the draft to be posted again.

        :return: the statement that takes it back.
        """
        self._check_may_settle(file)
        record = file.sudo()  # sudo: as above
        record.channel_id._take_turn()
        record.invalidate_recordset()
        statement = record.statement_id.sudo(False)
        if not statement:
            raise UserError(
                self.env._("The settlement of %(file)s is not posted.", file=record.name)
            )
        old = statement.line_ids.sorted('id')
        if not old:
            raise UserError(
                self.env._(
                    "%(statement)s, the settlement of %(file)s, cannot be reversed: it has no "
                    "lines any more. Put its lines on it again first.",
                    statement=statement.name,
                    file=record.name,
                )
            )
        old.move_id.line_ids.remove_move_reconcile()
        new = self.env['account.bank.statement.line'].create(
            [
                {
                    'journal_id': line.journal_id.id,
                    'date': line.company_id._get_sale_return_day(),
                    'payment_ref': self.env._("Reversal: %(line)s", line=line.payment_ref),
                    'partner_id': line.partner_id.id,
                    'amount': -line.amount,
                }
                for line in old
            ]
        )
        plan = []
        for line, mirrored in zip(old, new, strict=True):
            plan += self._mirror(line, mirrored)
        if plan:
            self.env['account.move.line']._reconcile_plan(plan)
        reversal = self.env['account.bank.statement'].create(
            {
                'name': self.env._("Reversal: %(line)s", line=statement.name),
                'line_ids': [Command.set(new.ids)],
            }
        )
        record.statement_id = False
        return reversal

    @api.model
    def _mirror(self, line, mirrored):
        """Make the entry of a line the opposite of another's; return what is to be reconciled."""
        liquidity, suspense, _other = mirrored._seek_for_lines()
        originals = line.move_id.line_ids - line._seek_for_lines()[0]
        commands = [Command.delete(item.id) for item in suspense]
        commands += [
            Command.create(
                {
                    'name': item.name,
                    'partner_id': item.partner_id.id,
                    'account_id': item.account_id.id,
                    'currency_id': item.currency_id.id,
                    'amount_currency': -item.amount_currency,
                    'balance': -item.balance,
                    'tax_ids': [Command.set(item.tax_ids.ids)],
                    'tax_tag_ids': [Command.set(item.tax_tag_ids.ids)],
                    'tax_repartition_line_id': item.tax_repartition_line_id.id,
                    'tax_base_amount': -item.tax_base_amount,
                }
            )
            for item in originals
        ]
        source = line._seek_for_lines()[0]
        commands.append(Command.update(liquidity.id, {'balance': -source.balance}))
        mirrored.with_context(
            skip_account_move_synchronization=True, force_delete=True, skip_readonly_check=True
        ).move_id.write({'line_ids': commands})
        pairs = []
        twins = mirrored.move_id.line_ids - liquidity
        for item in originals.filtered(lambda item: item.account_id.reconcile):
            twin = twins.filtered(
                lambda other, item=item: (
                    other.account_id == item.account_id and other.balance == -item.balance
                )
            )[:1]
            if twin:
                twins -= twin  # two items of an entry may be alike
                pairs.append(item + twin)
        return pairs
