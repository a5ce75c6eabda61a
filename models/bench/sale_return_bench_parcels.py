from odoo import api, models
from odoo.exceptions import UserError

PARK_KEYS = {
    'tracking': 'tracking_ref',
    'carrier': 'carrier_name',
    'note': 'note',
    'location': 'location_note',
    'text': 'label_text',
}


class SaleReturnBench(models.AbstractModel):
    """Unexpected parcels: create a return for them, or park them."""

    _inherit = 'sale.return.bench'

    @api.model
    def _park(self, desk, values):
        """Park a parcel until its owner is found."""
        if desk.items:
            return self._reject('unfinished')
        values = values if isinstance(values, dict) else {}
        vals = {
            PARK_KEYS[key]: str(value).strip()
            for key, value in values.items()
            if key in PARK_KEYS and value
        }
        photos = values.get('photos') or []
        try:
            with self.env.cr.savepoint():
                parcel = self._get_or_create_parcel(desk, vals)
                if photos:
                    parcel._add_photos(photos)
        except UserError as error:
            return self._reject('no_photo', reason=str(error.args[0]))
        self._clear_desk(desk)
        desk.journal = []
        result = {'parcel_id': parcel.id, 'name': parcel.name}
        return self._accept('parked', result=result, parcel=parcel.name)

    @api.model
    def _get_or_create_parcel(self, desk, vals):
        """Return the parked parcel the desk works on, with what is known now, or a new one."""
        parcels = self.env['sale.return.parcel']
        if desk.parcel_id:
            parcel = parcels.browse(desk.parcel_id)
            parcel.write(vals)
            return parcel
        company = desk.company
        return parcels.create(
            {'tracking_ref': desk.parcel or False, **vals, 'company_id': company.id}
        )

    @api.model
    def _attach_parcel(self, desk, parcel_id, return_id=None):
        """Continue with a parked parcel."""
        parcel = self.env['sale.return.parcel'].search(
            [('id', '=', parcel_id), ('company_id', '=', desk.company.id)]
        )
        if not parcel:
            return self._reject('bad_value', 'no_return')
        if desk.items:
            return self._reject('unfinished')
        desk.set('parcel_id', parcel.id)
        desk.set('parcel', parcel.tracking_ref or parcel.name)
        desk.label = parcel.name
        if return_id or parcel.return_id:
            return self._attach_by_id(desk, return_id or parcel.return_id.id)
        return self._accept('parcel', parcel=parcel.name)

    @api.model
    def _match_parcel(self, desk, returns):
        """Record that the parked parcel on the desk belongs to a return put beside it."""
        if not desk.parcel_id:
            return
        parcel = self.env['sale.return.parcel'].sudo().browse(desk.parcel_id)
        if parcel.state == 'parked':
            parcel._match(returns[:1])
            desk.journal.append(['match', parcel.id])

    # === MAKE A RETURN === #

    @api.model
    def _create_return(self, desk, order_id, values=None):
        """Create a return from an order, submit it, and put it on the desk if it is approved."""
        company = desk.company
        # sudo: users with a role in Returns may open one for any order of their company; the return
        # itself is created with their own rights.
        order = (
            self.env['sale.order']
            .sudo()
            .search(
                [('id', '=', order_id), ('company_id', '=', company.id), ('state', '=', 'sale')]
            )
        )
        if not order:
            return self._reject('bad_value', 'no_return')
        values = values if isinstance(values, dict) else {}
        try:
            with self.env.cr.savepoint():
                sale_return = self.env['sale.return'].create(
                    self._prepare_return_vals(desk, order, values)
                )
                sale_return.action_submit()
                self.env.flush_all()
        except UserError as error:
            return self._reject('not_allowed', reason=str(error.args[0]))
        desk.set('question', None)
        names = {'return': sale_return.name, 'order': order.name}
        result = {'return_id': sale_return.id, 'name': sale_return.name}
        if sale_return.state != 'approved':
            return self._accept('created', 'created_waiting', result=result, **names)
        outcome = self._attach(
            desk, [{'return_id': sale_return.id, 'name': sale_return.name, 'state': 'approved'}]
        )
        if outcome['status'] != 'accept':
            return outcome
        # The return is permanent: an undo would leave it without its parcel.
        desk.journal, desk.label = [], None
        return self._accept('created', result=result, **names)

    @api.model
    def _prepare_return_vals(self, desk, order, values):
        """Prepare an unannounced return. Override to add values.

        :param order: `sale.order` in superuser mode.
        :param dict values: see `create_return`.
        :raise UserError: when nothing in the order can be returned.
        """
        company = desk.company
        wanted = {
            line.get('sale_line_id'): line.get('quantity')
            for line in values.get('lines') or []
            if isinstance(line, dict)
        }
        reason = self._find_choice('sale.return.reason', values.get('reason'), company)
        reason = reason or self.env.ref('sale_return.reason_not_stated').sudo()
        lines = order.order_line.filtered(
            lambda line: (
                not line.display_type
                and line.product_id.type == 'consu'
                and line._get_return_measure().compare(line.qty_returnable, 0.0) > 0
                and (not wanted or line.id in wanted)
            )
        )
        if not lines:
            raise UserError(self.env._("Nothing in %(order)s is left to return.", order=order.name))
        return {
            'partner_id': order.partner_id.id,
            'company_id': company.id,
            'tracking_ref': desk.parcel or False,
            'line_ids': [
                {
                    'sale_line_id': line.id,
                    'qty_requested': wanted.get(line.id) or line.qty_returnable,
                    'reason_id': reason.id,
                }
                for line in lines
            ],
        }
