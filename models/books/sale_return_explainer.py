from odoo import api, models
from odoo.tools.misc import formatLang


class SaleReturnExplainer(models.AbstractModel):
    """Service: describe a difference in a sentence, with its figures and cause."""

    _name = 'sale.return.explainer'
    _description = "Return Difference Explainer"

    @api.model
    def _explain(self, row):
        """Return the sentences of a row, in the language of the user.

        :param row: one `sale.return.reconciliation`.
        :rtype: str
        """
        # sudo: users who may read a row may read what it says about its documents.
        row = row.sudo()
        explain = getattr(self, f'_explain_{row.kind}', None)
        sentences = [explain(row)] if explain else []
        if cause := self._explain_cause(row):
            sentences.append(cause)
        return " ".join(sentences)

    @api.model
    def _get_values(self, row):
        """Return the figures and names that the sentences use."""
        currency, company_currency = row.currency_id, row.company_currency_id
        return {
            'return': row.return_id.name or "",
            'product': row.product_id.display_name or "",
            'unit': row.product_uom_id._get_name_after(row.qty_difference),
            'customer': row.partner_id.display_name or "",
            'note': row.note_id.name or "",
            'difference_qty': self._format_quantity(row.qty_difference),
            'accepted_qty': self._format_quantity(row.qty_accepted),
            'received_qty': self._format_quantity(row.qty_received),
            'credited_qty': self._format_quantity(row.qty_credited),
            'difference': formatLang(self.env, abs(row.amount_difference), currency_obj=currency),
            'accepted': formatLang(self.env, row.amount_accepted, currency_obj=currency),
            'payment': row.payment_id.display_name or "",
            'invoice': row.note_id.reversed_entry_id.name or "",
            'credited': formatLang(self.env, row.amount_credited, currency_obj=currency),
            'refunded': formatLang(self.env, row.amount_refunded, currency_obj=currency),
            'moved': formatLang(self.env, row.cost_moved, currency_obj=company_currency),
            'reversed': formatLang(self.env, row.cost_reversed, currency_obj=company_currency),
        }

    @api.model
    def _format_quantity(self, quantity):
        # 3 and 0.5, not 3.00 and 0.50.
        return (
            formatLang(self.env, quantity, dp='Product Unit') if quantity % 1 else f"{quantity:.0f}"
        )

    # === KINDS === #

    @api.model
    def _explain_received_not_credited(self, row):
        values = self._get_values(row)
        if row.return_line_id and not row.return_line_id.return_expected:
            return self.env._(
                "%(difference_qty)s %(unit)s of %(product)s in return %(return)s are accepted and "
                "not credited (%(difference)s).",
                **values,
            )
        return self.env._(
            "%(difference_qty)s %(unit)s of %(product)s came back with return %(return)s and are "
            "not credited (%(difference)s). Received %(received_qty)s, credited %(credited_qty)s.",
            **values,
        )

    @api.model
    def _explain_credited_not_received(self, row):
        return self.env._(
            "%(difference_qty)s %(unit)s of %(product)s in return %(return)s are credited "
            "(%(difference)s) but have not arrived. Credited %(credited_qty)s, received "
            "%(received_qty)s.",
            **self._get_values(row),
        )

    @api.model
    def _explain_credited_too_much(self, row):
        return self.env._(
            "Return %(return)s credits %(difference_qty)s %(unit)s of %(product)s too many "
            "(%(difference)s): credited %(credited_qty)s, accepted %(accepted_qty)s. Reverse the "
            "credit note, or the part for these goods. If they are to be credited after all, "
            "correct the result of their inspection.",
            **self._get_values(row),
        )

    @api.model
    def _explain_credited_not_refunded(self, row):
        return self.env._(
            "%(difference)s of credit note %(note)s should have been paid back to %(customer)s "
            "but were not. Credited %(credited)s, paid back %(refunded)s.",
            **self._get_values(row),
        )

    @api.model
    def _explain_refunded_too_much(self, row):
        return self.env._(
            "%(customer)s was paid back %(difference)s more than credit note %(note)s credits. "
            "Credited %(credited)s, paid back %(refunded)s.",
            **self._get_values(row),
        )

    @api.model
    def _explain_unlinked_note(self, row):
        return self.env._(
            "Credit note %(note)s credits %(customer)s %(difference)s without an invoice line. "
            "It is not linked to any return: if it is for returned goods, these could be "
            "credited again.",
            **self._get_values(row),
        )

    @api.model
    def _explain_cost_difference(self, row):
        values = self._get_values(row)
        if row.amount_difference > 0:
            return self.env._(
                "%(product)s in return %(return)s: the stock account has %(difference)s more than "
                "the goods are worth. Goods %(moved)s, cost reversed %(reversed)s.",
                **values,
            )
        return self.env._(
            "%(product)s in return %(return)s: the stock account has %(difference)s less than the "
            "goods are worth. Goods %(moved)s, cost reversed %(reversed)s.",
            **values,
        )

    @api.model
    def _explain_note_difference(self, row):
        values = self._get_values(row)
        sentences = self._get_head_sentences() | self._get_line_sentences()
        return " ".join(
            sentences[code]() % values for code in (row.cause or "").split(',') if code in sentences
        )

    @api.model
    def _get_head_sentences(self):
        """Return texts for errors in the header and the journal items of a note, by code."""
        return {
            'partner': lambda: self.env._(
                "Credit note %(note)s is for another customer than its invoice. Cancel it and "
                "credit the return again."
            ),
            'currency': lambda: self.env._(
                "Credit note %(note)s is in another currency than its invoice. Cancel it and "
                "credit the return again."
            ),
            'company': lambda: self.env._(
                "Credit note %(note)s has another company or journal than its invoice. Cancel it "
                "and credit the return again."
            ),
            'invoice': lambda: self.env._(
                "Credit note %(note)s refers to another invoice than its lines credit. Cancel "
                "it and credit the return again."
            ),
            'receivable': lambda: self.env._(
                "Credit note %(note)s is booked on another receivable account than its invoice. "
                "Reset it to draft and correct the account, or transfer the balance."
            ),
            'dates': lambda: self.env._(
                "The dates of credit note %(note)s cannot be right: before its invoice, in the "
                "future, or not the same on all its journal items. Correct them."
            ),
            'unbalanced': lambda: self.env._(
                "The journal items of credit note %(note)s do not agree with each other, with its "
                "lines or with its total. Reset it to draft and post it again, or reverse it and "
                "credit the return again."
            ),
        }

    @api.model
    def _get_line_sentences(self):
        """Return texts for errors in the lines of a note and after its posting, by code."""
        return {
            'added': lambda: self.env._(
                "Credit note %(note)s has lines that were not created by its return. Remove "
                "them, or acknowledge them with a reason."
            ),
            'amounts': lambda: self.env._(
                "Credit note %(note)s does not credit the goods at the amounts of their "
                "invoice: %(credited)s instead of %(accepted)s. Either it was changed, or "
                "another credit note that had lowered these amounts was undone. Reverse it and "
                "credit the return again, or acknowledge it with a reason."
            ),
            'fees': lambda: self.env._(
                "Credit note %(note)s deducts another amount than required by the policy and "
                "the condition of the goods: its total is %(credited)s instead of %(accepted)s."
                " Reverse it and credit the return again, or acknowledge it with a reason."
            ),
            'changed': lambda: self.env._(
                "The price or discount of a line of credit note %(note)s was changed after its "
                "return created it, but its amounts were not. Restore it."
            ),
            'taxes': lambda: self.env._(
                "Credit note %(note)s has other taxes than its invoice. Reverse it and credit the "
                "return again."
            ),
            'accounts': lambda: self.env._(
                "Credit note %(note)s is booked on other accounts than its invoice. Reset it to "
                "draft and correct them, or transfer the balance."
            ),
            'taken_back': lambda: self.env._(
                "A miscellaneous entry reverses %(difference)s of credit note %(note)s. Undo "
                "the reconciliation and reverse the entry, or acknowledge it with a reason."
            ),
            'reversed_twice': lambda: self.env._(
                "Credit note %(note)s was reversed more than once: the customer was billed for "
                "%(difference)s too much. Reset the last of these invoices to draft and cancel it."
            ),
            'above_invoice': lambda: self.env._(
                "The credit notes of invoice %(invoice)s exceed its total by %(difference)s. "
                "Reverse the last one, %(note)s, or a part of it."
            ),
        }

    @api.model
    def _explain_payout_difference(self, row):
        values = self._get_values(row)
        sentences = self._get_payout_sentences()
        if row.cause == 'paid_again' and not row.payment_id:
            return self.env._(
                "An entry pays %(customer)s %(difference)s although nothing is open: a credit "
                "note was paid twice, a payment of theirs bounced, or the entry was never "
                "matched. Match it in the customer's account, or get the money back.",
                **values,
            )
        explain = sentences.get(row.cause)
        return explain() % values if explain else ""

    @api.model
    def _get_payout_sentences(self):
        """Return how a payout can differ from its note, by code."""
        return {
            'payment_gone': lambda: self.env._(
                "The payment that paid back %(difference)s of credit note %(note)s does not "
                "exist any more. Refund the note again, or enter the payment."
            ),
            'other_payee': lambda: self.env._(
                "%(payment)s pays back credit note %(note)s to somebody other than its "
                "customer. Get the money back, cancel the payment and refund the note again."
            ),
            'other_amount': lambda: self.env._(
                "%(payment)s has another amount or currency than the refund of credit note "
                "%(note)s or than its own entry, or pays in the wrong direction. Cancel it and "
                "refund the note again."
            ),
            'other_account': lambda: self.env._(
                "%(payment)s has paid back credit note %(note)s, but its entry does not reduce "
                "the account of its payment method. Cancel it and refund the note again."
            ),
            'other_journal': lambda: self.env._(
                "%(payment)s has paid back credit note %(note)s in another journal than the one "
                "of its payment method. Cancel it and refund the note again."
            ),
            'still_paid': lambda: self.env._(
                "The refund of credit note %(note)s counts as failed or cancelled, but "
                "%(payment)s is posted. Do not refund the note again before you have checked "
                "the bank account; then cancel the payment if no money left."
            ),
            'payment_date': lambda: self.env._(
                "%(payment)s, which pays back credit note %(note)s, is dated before the invoice"
                " that the note credits. Correct the date of the payment."
            ),
            'reset': lambda: self.env._(
                "%(payment)s has paid back credit note %(note)s, but its entry is not posted. "
                "Post it, or cancel it and refund the note again."
            ),
            'note_gone': lambda: self.env._(
                "%(payment)s has paid back credit note %(note)s, which is no longer posted. "
                "Post the note, or get the money back."
            ),
            'unmatched': lambda: self.env._(
                "%(payment)s was made for credit note %(note)s but is not matched with it: "
                "%(difference)s are missing. Match them in the customer's account."
            ),
            'paid_alone': lambda: self.env._(
                "%(difference)s of credit note %(note)s were paid back to %(customer)s by hand "
                "by one person, above the limit for one person. Have somebody else check it and"
                " acknowledge it."
            ),
            'paid_again': lambda: self.env._(
                "%(payment)s pays %(customer)s %(difference)s although nothing is open: a "
                "credit note was paid twice, or the payment was never matched. Match it in the "
                "customer's account, or get the money back."
            ),
        }

    @api.model
    def _explain_customer_difference(self, row):
        return self.env._(
            "By invoices, credit notes and payments %(customer)s owes %(accepted)s; the ledger "
            "shows %(credited)s. Compare the journal items of the customer's account with their"
            " documents, and reverse entries without a document.",
            **self._get_values(row),
        )

    @api.model
    def _explain_document_difference(self, row):
        values = self._get_values(row)
        sentences = {
            **self._get_note_sentences(),
            **self._get_note_head_sentences(),
            **self._get_return_sentences(),
            **self._get_goods_sentences(),
        }
        explain = sentences.get(row.cause)
        return explain() % values if explain else ""

    @api.model
    def _get_note_sentences(self):
        """Return how a note can contradict its invoice beside its amounts, by code."""
        return {
            'type': lambda: self.env._(
                "%(note)s was created by return %(return)s but is no longer a credit note. "
                "Reverse it and credit the return again."
            ),
            'journal': lambda: self.env._(
                "Credit note %(note)s is in another journal than its invoice. Reverse it and "
                "credit the return again, or acknowledge it with a reason."
            ),
            'product': lambda: self.env._(
                "Credit note %(note)s credits another product than its invoice line billed. "
                "Reverse it and credit the return again."
            ),
            'analytic': lambda: self.env._(
                "Credit note %(note)s has another analytic distribution than its invoice. Set "
                "it as on the invoice, or acknowledge it with a reason."
            ),
            'invoice': lambda: self.env._(
                "The lines, total and journal items of invoice %(invoice)s do not agree with each "
                "other, so that credit note %(note)s may credit a wrong amount. Compare it with "
                "the invoice that the customer has, and reverse both if its journal items are "
                "wrong."
            ),
            'residual': lambda: self.env._(
                "The open amount of credit note %(note)s or of invoice %(invoice)s is not its total"
                " less the matched amounts, or its payment status says otherwise. Undo the "
                "reconciliation and match it again."
            ),
            'settles_others': lambda: self.env._(
                "Credit note %(note)s of %(customer)s pays an invoice of another customer. Undo"
                " the reconciliation, or acknowledge it with a reason."
            ),
            'cost_account': lambda: self.env._(
                "Credit note %(note)s reverses the cost of goods on another account than the "
                "one on which its invoice booked it. Transfer it, or acknowledge it with a "
                "reason."
            ),
            'repartition': lambda: self.env._(
                "A tax of credit note %(note)s is reported as the tax of an invoice. Reverse it "
                "and credit the return again."
            ),
            'tags': lambda: self.env._(
                "The tax grids of credit note %(note)s are not those of its taxes, so the tax "
                "report counts it wrong. Correct them."
            ),
            'tax_base': lambda: self.env._(
                "A tax of credit note %(note)s names another base than the lines it was computed"
                " on. Reset the note to draft and post it again."
            ),
        }

    @api.model
    def _get_note_head_sentences(self):
        """Return how the head of a note can contradict its invoice or its items, by code."""
        return {
            'number': lambda: self.env._(
                "The number of credit note %(note)s is not the one on its journal items. Find "
                "out which one the customer has, and restore it."
            ),
            'address': lambda: self.env._(
                "Credit note %(note)s has another fiscal position than its invoice, or the "
                "delivery address of somebody else. Set them as on the invoice."
            ),
            'bank_account': lambda: self.env._(
                "Credit note %(note)s of %(customer)s names a bank account of somebody else: a "
                "payment would go there. Replace the account before anything is paid."
            ),
            'supply_date': lambda: self.env._(
                "The delivery or tax date of credit note %(note)s is before the order of its "
                "goods. Correct it: the tax may be reported in the wrong period."
            ),
            'head': lambda: self.env._(
                "The amounts in the head of credit note %(note)s are not the sums of its journal "
                "items. Reset it to draft and post it again."
            ),
        }

    @api.model
    def _get_return_sentences(self):
        """Return how a return can contradict its documents, by code."""
        return {
            'not_approved': lambda: self.env._(
                "%(credited_qty)s %(unit)s of %(product)s are credited by return %(return)s, "
                "which is not approved. Reverse credit note %(note)s, or acknowledge it with a "
                "reason."
            ),
            'not_authorized': lambda: self.env._(
                "%(credited_qty)s %(unit)s of %(product)s are credited by return %(return)s, "
                "more than were approved. Reverse a part of credit note %(note)s, or "
                "acknowledge it with a reason."
            ),
            'customer': lambda: self.env._(
                "Return %(return)s is for %(customer)s, who did not buy %(product)s on its order. "
                "Find out who sent the goods, and acknowledge it."
            ),
            'other_order': lambda: self.env._(
                "%(product)s in return %(return)s was received or credited for another order "
                "line than the one in the return. Reverse its documents, or acknowledge it with"
                " a reason."
            ),
            'other_product': lambda: self.env._(
                "%(product)s in return %(return)s, its order line and its receipt are not all for"
                " the same product. Find out which one was changed, and restore it."
            ),
            'refund_lost': lambda: self.env._(
                "By its history, return %(return)s was paid back, but no refund of it exists any "
                "more. Look for the payment in the customer's account before you pay anything."
            ),
            'resolution': lambda: self.env._(
                "%(product)s in return %(return)s is to be replaced, but was credited by "
                "%(note)s. Reverse the credit note, or deliver no replacement."
            ),
        }

    @api.model
    def _get_goods_sentences(self):
        """Return how the goods of a return can contradict its documents, by code."""
        return {
            'other_lot': lambda: self.env._(
                "%(product)s in return %(return)s was received or inspected with another lot or "
                "serial number than the one delivered. Find out which goods they are, and "
                "correct the number."
            ),
            'other_owner': lambda: self.env._(
                "%(product)s in return %(return)s was received as the property of somebody else,"
                " so it is not in your stock value. Correct the owner."
            ),
            'not_counted': lambda: self.env._(
                "%(product)s in return %(return)s is credited, but its receipt does not lower the "
                "delivered quantity of the order. Acknowledge it if that is intended."
            ),
            'receipt_place': lambda: self.env._(
                "%(product)s in return %(return)s was not received into stock: the receipt ends "
                "in a place that holds none. Receive it again, or count it."
            ),
            'moved_otherwise': lambda: self.env._(
                "A transfer of %(product)s in return %(return)s has detailed operations for "
                "another quantity, product or place than the transfer itself. Count the goods, "
                "and correct the one that is wrong."
            ),
            'quarantine': lambda: self.env._(
                "The stock of %(product)s in quarantine differs by %(difference_qty)s %(unit)s "
                "from what its transfers brought there. Count the goods, and correct the quantity."
            ),
            'inspection_date': lambda: self.env._(
                "%(product)s in return %(return)s is recorded as inspected before it was "
                "received. Find out whether the right goods were inspected."
            ),
            'revalued': lambda: self.env._(
                "The stock value of %(product)s in return %(return)s was set by hand, but its "
                "transfer has another one. Adjust the value of the transfer again."
            ),
            'receipt_date': lambda: self.env._(
                "%(product)s in return %(return)s is recorded as received before it was "
                "delivered, or in the future. Correct the date of the receipt."
            ),
            'not_in_its_place': lambda: self.env._(
                "The inspection of %(product)s in return %(return)s does not agree with what "
                "was moved out of quarantine, or where to. Correct the inspection, or move the "
                "goods."
            ),
        }

    # === CAUSES === #

    @api.model
    def _explain_cause(self, row):
        """Return the sentence about the cause, empty if unknown. Override to add causes."""
        sale_return = row.return_id
        sentences = {
            'to_approve': lambda: self.env._("The return is waiting for approval."),
            'to_inspect': lambda: self.env._("They are waiting for inspection."),
            'due': lambda: self.env._("Their credit note is due."),
            'draft': lambda: self.env._("Their credit note is a draft and has not been posted."),
            'failed': lambda: self.env._(
                "Their credit note could not be created: %(error)s",
                error=sale_return.credit_error or "",
            ),
            'billed_again': lambda: self.env._(
                "A part of their credit note was reversed, which bills it again."
            ),
            'on_its_way': lambda: self.env._("The return is still expected."),
            'written_off': lambda: self.env._(
                "The rest of the return was written off as not coming."
            ),
            'rejected': lambda: self.env._(
                "They were rejected after they had been credited, or they were credited twice."
            ),
            **self._get_cost_causes(),
        }
        sentence = sentences.get(row.cause)
        return sentence() if sentence else ""

    @api.model
    def _get_cost_causes(self):
        """Return the sentences about causes of a stock value that the ledger does not agree with.

        :return: `{cause: function that gives the sentence}`
        :rtype: dict
        """
        return {
            'kit': lambda: self.env._(
                "The product is a kit: its components change the stock value, but its invoice "
                "and its credit note post no cost of goods."
            ),
            'dropship': lambda: self.env._(
                "The goods were shipped by the supplier: they came into stock, and the credit note "
                "posts no cost of goods."
            ),
            'missing_came': lambda: self.env._(
                "Goods that were credited as missing arrived after all: they are in stock, but "
                "the credit note did not reverse their cost. Post their cost by hand and "
                "acknowledge it."
            ),
            'left_again': lambda: self.env._(
                "Goods left again at the cost of the day, which differs from the cost at which "
                "they came in."
            ),
            'replaced_missing': lambda: self.env._(
                "Goods were shipped again although none came back. No invoice posts their cost: "
                "post their cost by hand and acknowledge the difference."
            ),
            'rounding': lambda: self.env._(
                "The value of each transfer and each posted cost is rounded separately, so their "
                "sum differs slightly from the value of all goods."
            ),
            'scrap_without_entry': lambda: self.env._(
                "Goods were scrapped without an entry in the ledger."
            ),
            'billed_in_parts': lambda: self.env._(
                "The goods were billed in parts and in another unit than that of their product. "
                "Odoo posts a wrong cost of goods on the later invoices, which the credit note "
                "reverses. Correct the cost by hand and acknowledge the difference."
            ),
            'standard_changed': lambda: self.env._(
                "The standard cost has changed since the goods were sold, or was different "
                "where they were moved."
            ),
            'kept_without_credit': lambda: self.env._(
                "The goods are in stock, but nothing was credited."
            ),
            'fifo_deliveries': lambda: self.env._(
                "Several deliveries at different costs are on one invoice; the credit note "
                "reverses their average."
            ),
            'invoice_without_cost': lambda: self.env._(
                "The invoice posted no cost of goods, but the credit note reversed one."
            ),
        }
