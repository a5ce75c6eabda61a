from odoo import api, models


class SaleReturnBench(models.AbstractModel):
    """Every message of the bench, in one place."""

    _inherit = 'sale.return.bench'

    @api.model
    def _say(self, code, **values):
        """Return the sentence of a code in the language of the user.

        :param str code: see `_get_sentences`, which can be overridden to change the wording.
        :param values: placeholders of the sentence; numbers are formatted.
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
        return (
            self._get_accept_sentences()
            | self._get_scan_refusals()
            | self._get_step_refusals()
            | self._get_questions()
        )

    @api.model
    def _get_accept_sentences(self):
        return {
            'opened': lambda: self.env._(
                "Scan a return slip, a parcel, a serial number or a product."
            ),
            'resumed': lambda: self.env._("You were interrupted: everything is as you left it."),
            'attached': lambda: self.env._("%(returns)s of %(partner)s: %(expected)s expected."),
            'also_attached': lambda: self.env._(
                "%(returns)s is already on the bench: count its goods."
            ),
            'counted': lambda: self.env._("%(product)s: %(counted)s of %(expected)s counted."),
            'counted_lot': lambda: self.env._(
                "%(product)s %(lot)s: %(counted)s of %(expected)s counted."
            ),
            'counted_twice': lambda: self.env._(
                "Two codes were scanned as one; both were counted. %(last)s"
            ),
            'surplus': lambda: self.env._(
                "%(quantity)s %(product)s too many: recorded as surplus."
            ),
            'wrong_product': lambda: self.env._(
                "%(product)s does not belong here: recorded as a wrong product."
            ),
            'wrong_lot': lambda: self.env._(
                "%(lot)s was not delivered with it: recorded as a wrong serial number."
            ),
            'ignored': lambda: self.env._("Nothing was counted. Put it aside."),
            'mistake': lambda: self.env._("The scan is ignored. Continue."),
            'selected': lambda: self.env._("%(product)s: enter what you found."),
            'quantity': lambda: self.env._("%(product)s: %(quantity)s counted."),
            'removed': lambda: self.env._("%(product)s is no longer counted."),
            'result': lambda: self.env._("%(product)s: %(grade)s → %(disposition)s."),
            'result_incomplete': lambda: self.env._(
                "%(product)s: recorded. Still missing: %(missing)s."
            ),
            'results': lambda: self.env._("%(count)s results recorded."),
            'photo': lambda: self.env._("Photo of %(product)s saved."),
            'reported': lambda: self.env._("Recorded: %(kind)s, %(product)s."),
            'undone': lambda: self.env._("Undone: %(step)s."),
            'finished': lambda: self.env._("%(returns)s: done. Credited: %(credited)s."),
            'finished_later': lambda: self.env._("%(returns)s: done. The credit will follow."),
            'finished_next': lambda: self.env._("%(returns)s: done."),
            'finished_done': lambda: self.env._("%(returns)s: done. Nothing to credit."),
            'finished_short': lambda: self.env._("%(returns)s: done, %(missing)s still to come."),
            'discarded': lambda: self.env._("The parcel was put aside. Nothing was booked."),
            'next': lambda: self.env._("Ready for the next parcel."),
            'parked': lambda: self.env._("Parked as %(parcel)s. Write the number on the parcel."),
            'created': lambda: self.env._("%(return)s was created from %(order)s."),
            'created_waiting': lambda: self.env._(
                "%(return)s was created from %(order)s and has to be approved. Park the parcel."
            ),
            'taken_over': lambda: self.env._(
                "%(return)s is now on your bench, with everything that %(user)s has counted."
            ),
            'parcel': lambda: self.env._("Parcel %(parcel)s: find its owner."),
            'state': lambda: "",
        }

    @api.model
    def _get_scan_refusals(self):
        """Return why a scanned code is not counted."""
        return {
            'unreadable': lambda: self.env._(
                "This code cannot be read. Scan it again, or type it."
            ),
            'misread': lambda: self.env._(
                "%(scanned)s was misread: its check digit is wrong. Scan it again."
            ),
            'partial': lambda: self.env._("Only a part of %(scanned)s was read. Scan it again."),
            'glued': lambda: self.env._(
                "Two codes were scanned as one: %(left)s and %(right)s. Nothing was counted: "
                "scan them one after the other."
            ),
            'unknown': lambda: self.env._(
                "%(scanned)s is unknown. Scan something else on it, or look for its owner."
            ),
            'unknown_here': lambda: self.env._("%(scanned)s is unknown. Nothing was counted."),
            'unknown_command': lambda: self.env._("%(scanned)s is not a command of the bench."),
            'already_counted': lambda: self.env._("%(product)s %(lot)s was already counted."),
            'lot_needed': lambda: self.env._(
                "%(product)s is tracked: scan its lot or serial number."
            ),
            'not_open': lambda: self.env._(
                "%(return)s is %(state)s: nothing can be received for it. Park the parcel, or "
                "ask somebody who decides on returns."
            ),
            'nothing_expected': lambda: self.env._(
                "Nothing in %(return)s is still expected or waiting for inspection."
            ),
            'already_here': lambda: self.env._("%(return)s is already on the bench."),
        }

    @api.model
    def _get_step_refusals(self):
        """Return why a step at the bench cannot be done."""
        return {
            'nothing_to_undo': lambda: self.env._("Nothing to undo."),
            'cannot_undo': lambda: self.env._("“%(step)s” cannot be undone any more: %(reason)s"),
            'nothing_counted': lambda: self.env._("Nothing was counted yet."),
            'incomplete': lambda: self.env._(
                "Enter first what you found. Missing for %(products)s: %(missing)s."
            ),
            'failed': lambda: self.env._("Nothing was booked: %(reason)s"),
            'unfinished': lambda: self.env._(
                "Something on the bench is not finished. Finish it, or put the parcel aside."
            ),
            'no_question': lambda: self.env._("No question is open."),
            'no_choice': lambda: self.env._(
                "This is not one of the answers. Choose one of the buttons."
            ),
            'no_item': lambda: self.env._("This was already undone or finished. Scan it again."),
            'nothing_selected': lambda: self.env._(
                "Count something first, then enter what you found."
            ),
            'bad_quantity': lambda: self.env._("Enter a valid quantity of %(product)s."),
            'serial_quantity': lambda: self.env._(
                "There can only be one %(product)s %(lot)s: it has a serial number."
            ),
            'bad_value': lambda: self.env._("%(value)s is not possible here."),
            'no_photo': lambda: self.env._("The photo could not be saved: %(reason)s"),
            'not_allowed': lambda: self.env._("%(reason)s"),
            'lost': lambda: self.env._("%(notice)s"),
            'took_over': lambda: self.env._("%(user)s took %(return)s over at %(time)s UTC."),
            'no_return': lambda: self.env._("There is no such return or order here."),
        }

    @api.model
    def _get_questions(self):
        return {
            'over': lambda: self.env._(
                "%(product)s: only %(expected)s expected, but this would make %(counted)s. Is "
                "it surplus?"
            ),
            'foreign_product': lambda: self.env._(
                "%(product)s is not in any return on the bench. Did the customer send it by "
                "mistake?"
            ),
            'wrong_serial': lambda: self.env._(
                "%(product)s %(lot)s was not delivered with this order line. Keep it as a wrong"
                " serial number?"
            ),
            'wrong_serial_of': lambda: self.env._(
                "%(product)s %(lot)s was delivered to %(partner)s with %(order)s. Keep it as a "
                "wrong serial number?"
            ),
            'unknown_serial': lambda: self.env._(
                "%(scanned)s is unknown. Is it the serial number of something on the bench?"
            ),
            'in_use': lambda: self.env._(
                "%(user)s has had %(return)s on the bench since %(time)s UTC. Take it over?"
            ),
            'which_return': lambda: self.env._(
                "%(scanned)s is expected with several returns. Which one is it?"
            ),
            'one_return': lambda: self.env._(
                "%(scanned)s is expected with %(return)s of %(partner)s. Is it that?"
            ),
            'make_return': lambda: self.env._(
                "There is no return for %(order)s of %(partner)s. Create one from the order?"
            ),
        }

    @api.model
    def _get_choice_labels(self):
        """Return `{value of a choice: (label, style)}`. Override to add choices."""
        return {
            'surplus': (self.env._("Surplus"), 'primary'),
            'wrong_product': (self.env._("Wrong product"), 'primary'),
            'wrong_lot': (self.env._("Wrong serial"), 'primary'),
            'take_over': (self.env._("Take over"), 'danger'),
            'attach': (self.env._("This one"), 'primary'),
            'create': (self.env._("Create a return"), 'primary'),
            'park': (self.env._("Park the parcel"), 'secondary'),
            'mistake': (self.env._("I scanned by mistake"), 'secondary'),
            'ignore': (self.env._("No, put it aside"), 'secondary'),
        }

    @api.model
    def _get_missing_labels(self):
        return {
            'grade': self.env._("Condition"),
            'note': self.env._("Note"),
            'answers': self.env._("Answers to the checklist"),
            'photo': self.env._("Photo"),
        }
