from collections import defaultdict

from odoo import api, models
from odoo.tools import SQL

# Number of notes whose documents are read in one batch.
CHUNK = 100
# Account types on the other side of entries that settle a note without reversing its credit.
CLEARING_TYPES = (
    'asset_cash',
    'asset_current',
    'asset_receivable',
    'liability_credit_card',
    'liability_current',
    'liability_payable',
)


class SaleReturnNoteCheck(models.AbstractModel):
    """Service: compare the credit notes of returns with the ledger of their goods.

    The right content of a note is recomputed from the invoice and earlier credits, by the code that
    created it, temporarily ignoring everything later (`_before`). That takes a while, so a note
    found correct is only checked again when its documents have changed:
    `account.move.sale_return_proof` is a digest of them. The digest covers all relevant data, is
    computed by one query, and is used for nothing else.

    Differences are identified by codes, see `sale.return.explainer`. What a note says and should
    say: `sale_return_note_check_content.py`; what it was created with:
    `sale_return_note_check_given.py`.
    """

    _name = 'sale.return.note.check'
    _description = "Return Credit Note Check"

    # === FIND === #

    @api.model
    def _find_differences(self, company):
        """Find notes of returns with other content; see `sale.return.reconciler`.

        :param company: one `res.company`, the current one.
        :return: `{key: values of the row}`, one row per note.
        :rtype: dict
        """
        problems = defaultdict(list)
        expected = {}
        proofs = self._get_unproven(company)
        ids = sorted(proofs)
        for start in range(0, len(ids), CHUNK):
            for note in self.env['account.move'].browse(ids[start : start + CHUNK]):
                codes, amount = self._check_note(note)
                problems[note.id] += codes
                expected[note.id] = amount
            self.env.flush_all()
            self.env.invalidate_all()
        self._store_proofs({note: proofs[note] for note in ids if not problems[note]})
        taken_back = self._get_taken_back(company)
        for note_id in taken_back:
            problems[note_id].append('taken_back')
        for note, excess in self._get_reversed_twice(company).items():
            problems[note.id].append('reversed_twice')
            expected[note.id] = 0.0
            taken_back[note.id] = note.amount_total + excess
        for note, excess in self._get_above_invoice(company).items():
            if not problems[note.id]:
                problems[note.id].append('above_invoice')
                expected[note.id] = note.amount_total - excess
        found = {}
        for note_id, codes in problems.items():
            if codes:
                note = self.env['account.move'].browse(note_id)
                found[f'note_difference:{note_id}'] = self._prepare_row(
                    note,
                    codes,
                    expected.get(note_id, note.amount_total),
                    taken_back.get(note_id, 0.0),
                )
        return found

    @api.model
    def _prove(self, company):
        """Check notes that were never checked, in batches, and store which are correct.

        Called by the job before it compares, and committed in batches: after an upgrade all notes
        are unchecked, and a job that runs out of time would otherwise start from scratch each
        night.

        :param company: one `res.company`, which is the current one.
        :return: False when the time of the job is over.
        :rtype: bool
        """
        proofs = self._get_unproven(company)
        ids = sorted(proofs)
        for start in range(0, len(ids), CHUNK):
            notes = self.env['account.move'].browse(ids[start : start + CHUNK])
            self._store_proofs({n.id: proofs[n.id] for n in notes if not self._check_note(n)[0]})
            self.env.flush_all()
            self.env.invalidate_all()
            if not self.env['ir.cron']._commit_progress():
                return False
        return True

    @api.model
    def _prepare_row(self, note, codes, expected, taken_back=0.0):
        """Prepare the row of a note. Override to add values.

        :param list codes: of the differences.
        :param float expected: the total that it should have, in its currency.
        :param float taken_back: the part of its total reversed by other entries.
        :return: values for `sale.return.reconciliation`.
        :rtype: dict
        """
        invoices = note._get_sale_return_credited_invoices()
        currency = invoices[:1].currency_id or note.currency_id
        credited = currency.round(note.amount_total - taken_back)
        difference = currency.round(credited - expected)
        vals = self.env['sale.return.reconciler']._prepare_note_vals(note, difference)
        returns = note.invoice_line_ids.sale_return_line_id.return_id or invoices.sale_return_ids
        vals.update(
            self.env['sale.return.reconciler']._prepare_return_vals(returns.sorted('id')[:1])
        )
        return {
            **vals,
            'kind': 'note_difference',
            'cause': ','.join(dict.fromkeys(codes)),
            'currency_id': currency.id,
            'amount_accepted': expected,
            'amount_credited': credited,
            'amount_difference': difference,
        }

    # === WHICH NOTES === #

    @api.model
    def _get_unproven(self, company):
        """Return `{note id: digest of its documents}` of the notes to be checked.

        A note that was reversed as a whole credits nothing.
        """
        self.env.cr.execute(
            SQL(
                """WITH notes AS MATERIALIZED (
                       SELECT note.id, note.reversed_entry_id, note.sale_return_proof
                         FROM account_move note
                        WHERE note.move_type = 'out_refund' AND note.state IN ('draft', 'posted')
                          AND EXISTS (SELECT FROM account_move_line line
                               JOIN sale_return_line back ON back.id = line.sale_return_line_id
                              WHERE line.move_id = note.id AND back.company_id = %(company)s)
                          AND NOT EXISTS (SELECT FROM account_move bill
                               WHERE bill.reversed_entry_id = note.id AND bill.state = 'posted'
                                 AND bill.move_type = 'out_invoice'
                                 AND bill.currency_id = note.currency_id
                                 AND bill.amount_total = note.amount_total)),
                   links AS MATERIALIZED (
                       SELECT id AS note_id, id AS move_id FROM notes
                        UNION
                       SELECT id, reversed_entry_id FROM notes WHERE reversed_entry_id IS NOT NULL
                        UNION
                       SELECT notes.id, billed.move_id
                         FROM notes
                         JOIN account_move_line line ON line.move_id = notes.id
                         JOIN account_move_line billed ON billed.id = line.credited_line_id
                        UNION
                       SELECT notes.id, UNNEST(ARRAY[other.id, again.id])
                         FROM notes
                         JOIN account_move other
                           ON other.reversed_entry_id IN (notes.id, notes.reversed_entry_id)
                    LEFT JOIN account_move again ON again.reversed_entry_id = other.id),
                   items AS (%(items)s), judged AS (%(judged)s),
                   digests AS (
                       SELECT notes.id, notes.sale_return_proof,
                              md5(string_agg(ROW(move.id, move.state, move.partner_id,
                                  move.commercial_partner_id, move.currency_id, move.company_id,
                                  move.journal_id, move.reversed_entry_id, move.date,
                                  move.invoice_date, move.invoice_currency_rate,
                                  move.amount_untaxed, move.amount_tax, move.amount_total,
                                  move.amount_total_signed, items.digest, judged.digest)::text,
                                  ';' ORDER BY move.id)) AS digest
                         FROM notes
                         JOIN links ON links.note_id = notes.id
                         JOIN account_move move ON move.id = links.move_id
                    LEFT JOIN items ON items.move_id = move.id
                    LEFT JOIN judged ON judged.move_id = move.id AND move.id = notes.id
                     GROUP BY notes.id, notes.sale_return_proof)
                   SELECT id, digest FROM digests
                    WHERE digest IS DISTINCT FROM sale_return_proof""",
                company=company.id,
                items=self._get_items_query(),
                judged=self._get_judged_query(),
            )
        )
        return dict(self.env.cr.fetchall())

    @api.model
    def _get_items_query(self):
        """Return a digest of the journal items of documents: `(move_id, digest)`."""
        return SQL(
            """SELECT line.move_id, md5(string_agg(ROW(line.id, line.account_id,
                       line.partner_id, line.currency_id, line.company_id, line.date,
                       line.parent_state, line.display_type, line.product_id,
                       line.product_uom_id, line.quantity, line.price_unit,
                       line.discount, line.price_subtotal, line.price_total,
                       line.amount_currency, line.balance, line.debit, line.credit,
                       line.tax_line_id, line.tax_repartition_line_id,
                       line.sale_return_line_id, line.sale_return_kind,
                       line.credited_line_id, line.sale_return_withheld_qty,
                       line.sale_return_kept, line.extra_tax_data,
                       (SELECT string_agg(rel.account_tax_id::text, ','
                                   ORDER BY rel.account_tax_id)
                          FROM account_move_line_account_tax_rel rel
                         WHERE rel.account_move_line_id = line.id))::text, ';'
                       ORDER BY line.id)) AS digest
              FROM account_move_line line
             WHERE line.move_id IN (SELECT move_id FROM links)
          GROUP BY line.move_id"""
        )

    @api.model
    def _get_judged_query(self):
        """Return a digest of the inspection results for the goods of notes: `(move_id, digest)`."""
        return SQL(
            """SELECT line.move_id, md5(string_agg(ROW(found.id, found.line_id,
                       found.quantity, found.grade_id, found.disposition_id)::text, ';'
                       ORDER BY line.id, found.id)) AS digest
              FROM account_move_line line
              JOIN notes ON notes.id = line.move_id
              JOIN sale_return_inspection found
                ON found.line_id = line.sale_return_line_id
          GROUP BY line.move_id"""
        )

    @api.model
    def _store_proofs(self, proofs):
        """Store the digests of notes found correct."""
        if not proofs:
            return
        # By SQL: this does not count as a change of the documents, which belong to other people.
        self.env.cr.execute(
            SQL(
                """UPDATE account_move SET sale_return_proof = proof.digest
                     FROM unnest(%s::int[], %s::varchar[]) AS proof (id, digest)
                    WHERE account_move.id = proof.id""",
                list(proofs),
                list(proofs.values()),
            )
        )
        self.env['account.move'].browse(proofs).invalidate_recordset(['sale_return_proof'])

    # === ONE NOTE === #

    @api.model
    def _check_note(self, note):
        """Compare a note with what it should be.

        :return: `(codes of the differences, right total in its currency)`.
        :rtype: tuple
        """
        codes = [
            *self._check_header(note),
            *self._check_dates(note),
            *self._check_items(note),
        ]
        actual = self._get_actual(note)
        expected = self._get_expected(note)
        differences = self._compare(note, actual, expected)
        if set(differences) == {'amounts'} and self._is_made_up_for(note, actual, expected):
            return codes, note.amount_total
        codes += differences
        total = sum(sum(amounts.values()) for amounts in expected.values())
        # Reverse charge taxes cancel out and are in no total.
        mirrored = note.currency_id.round(
            sum(sum(amounts.values()) for amounts in actual.values()) - self._get_lines_total(note)
        )
        return codes, note.currency_id.round(total - mirrored)

    @api.model
    def _get_lines_total(self, note):
        return sum(
            item.amount_currency
            for item in note.line_ids
            if item.display_type in ('product', 'rounding', 'tax')
        )

    @api.model
    def _check_header(self, note):
        """Return codes of differences between the headers of a note and its invoice."""
        lines = note.invoice_line_ids.filtered('sale_return_line_id')
        invoice = lines.credited_line_id.move_id
        codes = []
        if len(invoice) != 1 or note.reversed_entry_id != invoice:
            codes.append('invoice')
        invoice = invoice[:1]
        if not invoice:
            return codes
        customer = note._get_billed_customers(invoice)
        receivable = note.line_ids.filtered(lambda item: item.display_type == 'payment_term')
        partners = note.partner_id.commercial_partner_id | note.commercial_partner_id
        if partners | note.line_ids.partner_id.commercial_partner_id != customer:
            codes.append('partner')
        if note.currency_id != invoice.currency_id or note.line_ids.currency_id - (
            invoice.currency_id | note.company_currency_id
        ):
            codes.append('currency')
        if (
            note.company_id != invoice.company_id
            or note.line_ids.company_id != invoice.company_id
            or note.journal_id.type != 'sale'
            or note.journal_id.company_id not in invoice.company_id.parent_ids
        ):
            codes.append('company')
        known = invoice.line_ids.filtered(lambda item: item.display_type == 'payment_term')
        own = note.partner_id.with_company(note.company_id).property_account_receivable_id
        if receivable.account_id - known.account_id - own:
            codes.append('receivable')
        orders = lines.sale_return_line_id.sale_line_id.order_id
        if orders and lines.sale_line_ids.order_id - orders:
            codes.append('invoice')
        return codes

    @api.model
    def _check_dates(self, note):
        """Return codes of impossible dates."""
        if note.state != 'posted':
            return []
        today = note.company_id._get_sale_return_day()
        invoice = note.reversed_entry_id
        codes = []
        if any(item.date != note.date for item in note.line_ids):
            codes.append('dates')
        made = note.company_id._get_sale_return_day(note.create_date)
        if invoice.date and note.date < min(invoice.date, made):
            codes.append('dates')
        if note.invoice_date and invoice.invoice_date:
            if note.invoice_date < min(invoice.invoice_date, made) or note.invoice_date > today:
                codes.append('dates')
        # Today may be locked: then the date is the first open day after that.
        if note.date > today and not note.company_id._get_violated_lock_dates(
            today, True, note.journal_id
        ):
            codes.append('dates')
        return codes

    @api.model
    def _check_items(self, note):
        """Return codes of journal items that do not agree with each other or with the header."""
        currency, company_currency = note.currency_id, note.company_currency_id
        sums = defaultdict(float)
        codes = []
        rate = note.invoice_currency_rate or 1.0
        slack = company_currency.rounding + (
            currency.rounding / rate if currency != company_currency else -company_currency.rounding
        )
        for item in note.line_ids:
            tax = item.display_type == 'tax' or (
                item.display_type == 'rounding' and item.tax_repartition_line_id
            )
            name = 'tax' if tax else item.display_type
            sums['untaxed' if name in ('product', 'rounding') else name] += item.amount_currency
            sums['balance'] += item.balance
            if item.display_type in ('product', 'tax', 'payment_term') and (
                abs(item.balance - item.amount_currency / rate)
                > slack + company_currency.rounding / 2
            ):
                codes.append('unbalanced')
            if item.display_type == 'product' and currency.compare_amounts(
                item.price_subtotal, item.amount_currency
            ):
                codes.append('unbalanced')
            if (
                item.debit - item.credit != item.balance
                and company_currency.compare_amounts(item.debit - item.credit, item.balance)
            ) or (item.parent_state != note.state):
                codes.append('unbalanced')
            codes += self._check_tax_item(note, item)
        codes += self._check_given(note)
        agree = (
            (note.amount_untaxed, sums['untaxed']),
            (note.amount_tax, sums['tax']),
            (note.amount_total, sums['untaxed'] + sums['tax']),
            (note.amount_total, -sums['payment_term']),
        )
        if any(currency.compare_amounts(a, b) for a, b in agree) or (
            company_currency.compare_amounts(sums['balance'], 0.0)
        ):
            codes.append('unbalanced')
        signed = -sum(item.balance for item in note.line_ids if item.display_type == 'payment_term')
        if company_currency.compare_amounts(-note.amount_total_signed, signed):
            codes.append('unbalanced')
        return codes

    @api.model
    def _check_tax_item(self, note, item):
        """Return a code if a tax is posted to the wrong account."""
        line = item.tax_repartition_line_id
        if item.display_type != 'tax' or not line:
            return []
        bases = note.invoice_line_ids.filtered(
            lambda base: line.tax_id in base.tax_ids.flatten_taxes_hierarchy()
        )
        accounts = line.account_id or bases.account_id
        accounts |= line.tax_id.cash_basis_transition_account_id
        wrong = item.account_id not in accounts or item.tax_line_id != line.tax_id
        return ['accounts'] if wrong else []

    # === AFTERWARDS === #

    @api.model
    def _get_taken_back(self, company):
        """Return `{note id: amount}` reversed by miscellaneous entries.

        In the currency of the note. A payment, a bank statement, an exchange difference, a
        discount that a refund writes back and an entry between clearing accounts settle a note.
        """
        self.env.cr.execute(
            SQL(
                """SELECT due.move_id, SUM(part.credit_amount_currency)
                     FROM account_move_line due
                     JOIN account_move note ON note.id = due.move_id
                     JOIN account_partial_reconcile part ON part.credit_move_id = due.id
                     JOIN account_move_line against ON against.id = part.debit_move_id
                     JOIN account_move entry ON entry.id = against.move_id
                     JOIN account_journal journal ON journal.id = entry.journal_id
                    WHERE due.company_id = %(company)s AND note.move_type = 'out_refund'
                      AND note.state = 'posted' AND due.display_type = 'payment_term'
                      AND entry.move_type = 'entry' AND journal.type = 'general'
                      AND entry.origin_payment_id IS NULL AND entry.statement_line_id IS NULL
                      AND entry.journal_id IS DISTINCT FROM %(exchange)s
                      AND EXISTS (SELECT FROM account_move_line line
                           WHERE line.move_id = note.id AND line.sale_return_line_id IS NOT NULL)
                      AND NOT EXISTS (SELECT FROM sale_return_refund refund
                           WHERE refund.write_back_move_id = entry.id)
                      AND EXISTS (SELECT FROM account_move_line other
                           JOIN account_account account ON account.id = other.account_id
                          WHERE other.move_id = entry.id
                            AND account.account_type NOT IN %(clearing)s)
                 GROUP BY due.move_id""",
                company=company.id,
                exchange=company.currency_exchange_journal_id.id or None,
                clearing=CLEARING_TYPES,
            )
        )
        return dict(self.env.cr.fetchall())

    @api.model
    def _get_reversed_twice(self, company):
        """Return `{note: excess amount}` of notes that invoices reverse more than once.

        Only notes of orders with returns; amounts in the note's currency.
        """
        self.env.cr.execute(
            SQL(
                """SELECT note.id
                     FROM account_move note
                     JOIN account_move bill ON bill.reversed_entry_id = note.id
                    WHERE note.company_id = %(company)s AND note.move_type = 'out_refund'
                      AND note.state = 'posted' AND bill.move_type = 'out_invoice'
                      AND bill.state = 'posted'
                      AND EXISTS (SELECT FROM account_move_line line
                           JOIN sale_order_line_invoice_rel sold ON sold.invoice_line_id = line.id
                           JOIN sale_return_line back ON back.sale_line_id = sold.order_line_id
                          WHERE line.move_id = note.id)
                 GROUP BY note.id
                   HAVING COUNT(*) > 1""",
                company=company.id,
            )
        )
        notes = self.env['account.move'].browse(row[0] for row in self.env.cr.fetchall())
        return notes._get_sale_return_reversal_excess()

    @api.model
    def _get_above_invoice(self, company):
        """Return `{last note: excess amount}` of invoices exceeded by their notes.

        Only invoices of orders with returns; amounts in the invoice's currency.
        """
        self.env.cr.execute(
            SQL(
                """SELECT invoice.id
                     FROM account_move invoice
                     JOIN account_move note ON note.reversed_entry_id = invoice.id
                    WHERE invoice.company_id = %(company)s AND invoice.move_type = 'out_invoice'
                      AND note.state = 'posted' AND note.move_type = 'out_refund'
                      AND EXISTS (SELECT FROM account_move_line line
                           JOIN sale_order_line_invoice_rel sold ON sold.invoice_line_id = line.id
                           JOIN sale_return_line back ON back.sale_line_id = sold.order_line_id
                          WHERE line.move_id = invoice.id)
                 GROUP BY invoice.id
                   HAVING SUM(ABS(note.amount_total_signed)) > ABS(invoice.amount_total_signed)
                       OR SUM(note.amount_total) > invoice.amount_total""",
                company=company.id,
            )
        )
        found = {}
        invoices = self.env['account.move'].browse(row[0] for row in self.env.cr.fetchall())
        for invoice, excess in invoices._get_sale_return_excess().items():
            notes = invoice.reversal_move_ids.filtered(lambda move: move.state == 'posted')
            found[notes.sorted('id')[-1:]] = excess
        return found
