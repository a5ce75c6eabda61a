from odoo import api, models


class SaleReturnBench(models.AbstractModel):
    """Every sentence that the bench says, in one place."""

    _inherit = 'sale.return.bench'

    @api.model
    def _say(self, code, **values):
        """Return the sentence of a code in the language of the user.

        :param str code: see `_get_sentences`, which can be overridden to say it otherwise.
        :param values: what the sentence names; numbers are written as people do.
        """
        values = {
            k: self._format_number(v) if isinstance(v, float) else v for k, v in values.items()
        }
        return self._get_sentences()[code]() % values

    @api.model
    def _format_number(self, number):
        return f"{number:.6f}".rstrip('0').rstrip('.')

    @api.model
    def _get_sentences(self):
        """Return `{code: function that returns the sentence}`. Override to add or change some."""
        return self._get_accept_sentences() | self._get_reject_sentences() | self._get_questions()

    @api.model
    def _get_accept_sentences(self):
        _ = self.env._
        return {
            'opened': lambda: _("Scan a return slip, a parcel, a serial number or a product."),
            'resumed': lambda: _("You were interrupted: everything is as you left it."),
            'attached': lambda: _("%(returns)s of %(partner)s: %(expected)s expected."),
            'also_attached': lambda: _("%(returns)s lies on the bench already: count its goods."),
            'counted': lambda: _("%(product)s: %(counted)s of %(expected)s counted."),
            'counted_lot': lambda: _("%(product)s %(lot)s: %(counted)s of %(expected)s counted."),
            'counted_twice': lambda: _("Two codes came as one, both were counted. %(last)s"),
            'surplus': lambda: _("%(quantity)s %(product)s too many: noted as surplus."),
            'wrong_product': lambda: _("%(product)s does not belong here: noted as wrong product."),
            'wrong_lot': lambda: _("%(lot)s was not delivered with it: noted as wrong serial."),
            'ignored': lambda: _("Nothing was counted. Put it aside."),
            'selected': lambda: _("%(product)s: say what you found."),
            'quantity': lambda: _("%(product)s: %(quantity)s counted."),
            'removed': lambda: _("%(product)s is not counted any more."),
            'result': lambda: _("%(product)s: %(grade)s → %(disposition)s."),
            'result_incomplete': lambda: _("%(product)s: noted. Still to be given: %(missing)s."),
            'results': lambda: _("%(count)s results noted."),
            'photo': lambda: _("Photo of %(product)s kept."),
            'reported': lambda: _("Noted: %(kind)s, %(product)s."),
            'undone': lambda: _("Undone: %(step)s."),
            'finished': lambda: _("%(returns)s: done. Credited: %(credited)s."),
            'finished_later': lambda: _("%(returns)s: done. The credit follows."),
            'finished_short': lambda: _("%(returns)s: done, %(missing)s still to come."),
            'discarded': lambda: _("The parcel was put aside. Nothing was booked."),
            'next': lambda: _("Ready for the next parcel."),
            'parked': lambda: _("Parked as %(parcel)s. Write the number on the parcel."),
            'created': lambda: _("%(return)s was made from %(order)s."),
            'created_waiting': lambda: _(
                "%(return)s was made from %(order)s and has to be approved. Park the parcel."
            ),
            'taken_over': lambda: _("%(return)s is yours now, with all that %(user)s has counted."),
            'parcel': lambda: _("Parcel %(parcel)s: find its owner."),
            'state': lambda: "",
        }

    @api.model
    def _get_reject_sentences(self):
        _ = self.env._
        return {
            'unreadable': lambda: _("This code cannot be read. Scan it again, or type it."),
            'misread': lambda: _(
                "%(scanned)s was misread: its check digit is wrong. Scan it again."
            ),
            'partial': lambda: _("Only a part of %(scanned)s was read. Scan it again."),
            'glued': lambda: _(
                "Two codes came as one: %(left)s and %(right)s. Nothing was counted: scan them one "
                "after the other."
            ),
            'unknown': lambda: _(
                "Nobody knows %(scanned)s. Scan something else on it, or look for its owner."
            ),
            'unknown_here': lambda: _("%(scanned)s is known nowhere. Nothing was counted."),
            'unknown_command': lambda: _("%(scanned)s is no command of the bench."),
            'already_counted': lambda: _("%(product)s %(lot)s was counted already."),
            'lot_needed': lambda: _("%(product)s is tracked: scan its lot or serial number."),
            'not_open': lambda: _(
                "%(return)s is %(state)s: nothing can be received for it. Park the parcel, or ask "
                "whoever decides on returns."
            ),
            'nothing_expected': lambda: _(
                "Nothing of %(return)s is still to come or to be inspected."
            ),
            'already_here': lambda: _("%(return)s lies on the bench already."),
            'nothing_to_undo': lambda: _("There is nothing to undo."),
            'cannot_undo': lambda: _("%(step)s cannot be undone any more: %(reason)s"),
            'nothing_counted': lambda: _("Nothing was counted yet."),
            'incomplete': lambda: _("Say first what you found: %(products)s lacks %(missing)s."),
            'failed': lambda: _("Nothing was booked: %(reason)s"),
            'unfinished': lambda: _(
                "Something on the bench is not finished. Finish it, or put the parcel aside."
            ),
            'no_question': lambda: _("Nothing was asked."),
            'no_choice': lambda: _("That is none of the answers. Choose one of the buttons."),
            'no_item': lambda: _("This was taken back or finished already. Scan it again."),
            'nothing_selected': lambda: _("Count something first, then say what you found."),
            'bad_quantity': lambda: _("Give a quantity of %(product)s that can be counted."),
            'serial_quantity': lambda: _("There is one of %(product)s %(lot)s: it has a serial."),
            'bad_value': lambda: _("%(value)s is not possible here."),
            'no_photo': lambda: _("The photo could not be kept: %(reason)s"),
            'not_allowed': lambda: _("%(reason)s"),
            'lost': lambda: _("%(notice)s"),
            'took_over': lambda: _("%(user)s took %(return)s over at %(time)s UTC."),
            'no_return': lambda: _("There is no such return or order here."),
        }

    @api.model
    def _get_questions(self):
        _ = self.env._
        return {
            'over': lambda: _(
                "%(product)s: only %(expected)s expected, %(counted)s would be here. Is it surplus?"
            ),
            'foreign_product': lambda: _(
                "%(product)s is in no return on the bench. Did the customer send it by mistake?"
            ),
            'wrong_serial': lambda: _(
                "%(product)s %(lot)s was not delivered with this order line. Keep it as wrong?"
            ),
            'wrong_serial_of': lambda: _(
                "%(product)s %(lot)s was delivered to %(partner)s with %(order)s. Keep it as wrong?"
            ),
            'unknown_serial': lambda: _(
                "Nobody knows %(scanned)s. Is it the serial number of something on the bench?"
            ),
            'in_use': lambda: _(
                "%(user)s has had %(return)s on the bench since %(time)s UTC. Take it over?"
            ),
            'which_return': lambda: _(
                "%(scanned)s is expected with several returns. Which one is it?"
            ),
            'one_return': lambda: _(
                "%(scanned)s is expected with %(return)s of %(partner)s. Is it that?"
            ),
            'make_return': lambda: _(
                "There is no return for %(order)s of %(partner)s. Make one from the order?"
            ),
        }

    @api.model
    def _get_choice_labels(self):
        """Return `{value of a choice: (label, style)}`. Override to add choices."""
        _ = self.env._
        return {
            'surplus': (_("Surplus"), 'primary'),
            'wrong_product': (_("Wrong product"), 'primary'),
            'wrong_lot': (_("Wrong serial"), 'primary'),
            'take_over': (_("Take over"), 'danger'),
            'attach': (_("This one"), 'primary'),
            'create': (_("Make a return"), 'primary'),
            'park': (_("Park the parcel"), 'secondary'),
            'ignore': (_("No, put it aside"), 'secondary'),
        }

    @api.model
    def _get_missing_labels(self):
        _ = self.env._
        return {
            'grade': _("the grade"),
            'note': _("a note"),
            'answers': _("answers to the checklist"),
            'photo': _("a photo"),
        }
