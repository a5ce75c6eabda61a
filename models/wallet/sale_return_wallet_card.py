from odoo import api, models


class SaleReturnWalletCard(models.AbstractModel):
    """Service: find and move the cards of wallets, and compare them with their account.

    Cards are records of Odoo's loyalty app, which need not be installed: nothing here names its
    models in a field.
    """

    _name = 'sale.return.wallet.card'
    _description = "Wallet Cards"

    @api.model
    def _is_installed(self):
        """Tell whether there are wallets: `sale_loyalty` is installed."""
        return 'loyalty.card' in self.env and 'coupon_id' in self.env['sale.order.line']._fields

    @api.model
    def _get_programs(self, company):
        """Return the programs of paid cards whose products all post to the account of the wallets.

        Wallets and gift cards, archived ones, too. To be called in superuser mode.

        :rtype: loyalty.program
        """
        programs = (
            self.env['loyalty.program']
            .with_context(active_test=False)
            .search(
                [
                    ('program_type', 'in', ('ewallet', 'gift_card')),
                    ('company_id', 'in', (False, company.id)),
                ],
                order='id',
            )
        )
        account = company.sale_return_store_credit_account_id
        return programs.filtered(lambda program: self._get_accounts(program, company) == account)

    @api.model
    def _get_accounts(self, program, company):
        """Return the income accounts of what a program sells and pays with."""
        products = self._get_products(program)
        accounts = self.env['account.account']
        for template in products.product_tmpl_id.with_company(company):
            accounts |= template.get_product_accounts()['income']
        return accounts

    @api.model
    def _get_products(self, programs):
        return programs.reward_ids.discount_line_product_id | programs.rule_ids.product_ids

    @api.model
    def _get_card(self, program, partner):
        """Return the card of a customer in a program, a new one where none is usable."""
        today = (program.company_id or self.env.company)._get_sale_return_day()
        cards = self.env['loyalty.card'].search(
            [
                ('program_id', '=', program.id),
                ('partner_id', '=', partner.id),
                '|',
                ('expiration_date', '=', False),
                ('expiration_date', '>=', today),
            ],
            order='id',
            limit=1,
        )
        return cards or cards.create({'program_id': program.id, 'partner_id': partner.id})

    @api.model
    def _move(self, row):
        """Put the amount of a row on its card, or take it off."""
        points = row.amount + row.bonus
        card = self.env['loyalty.card'].browse(row.card_id)
        card.points += points
        self.env['loyalty.history'].create(
            {
                'card_id': card.id,
                'description': self.env._(
                    "Store credit of return %(name)s", name=row.return_id.name
                ),
                'order_model': row._name,
                'order_id': row.id,
                'issued': max(points, 0.0),
                'used': max(-points, 0.0),
            }
        )

    # === ACCOUNT AND CARDS === #

    @api.model
    def _get_balances(self, company):
        """Return the balance of the account of the wallets and the balance of their cards.

        What confirmed orders have put on cards or paid with them, and is not invoiced
        yet, counts as on the account. To be called in superuser mode.

        :return: `(account, cards)` in the currency of the company.
        :rtype: tuple
        """
        account = company.sale_return_store_credit_account_id
        programs = self._get_programs(company) if self._is_installed() else None
        if not account or not programs:
            return 0.0, 0.0
        [(balance,)] = self.env['account.move.line']._read_group(
            [
                ('account_id', '=', account.id),
                ('company_id', '=', company.id),
                ('parent_state', '=', 'posted'),
            ],
            aggregates=['balance:sum'],
        )
        cards = self.env['loyalty.card'].with_context(active_test=False)
        today = company._get_sale_return_day()
        points = sum(
            (program.currency_id or company.currency_id)._convert(
                total, company.currency_id, company, today
            )
            for program, total in cards._read_group(
                [('program_id', 'in', programs.ids)], ['program_id'], ['points:sum']
            )
        )
        unbilled = self._get_unbilled(self._get_products(programs), company)
        return -(balance or 0.0) + unbilled, points

    @api.model
    def _get_unbilled(self, products, company):
        """Return what orders put on cards, less what cards paid, as far as not invoiced yet."""
        lines = self.env['sale.order.line'].search(
            [
                ('product_id', 'in', products.ids),
                ('company_id', '=', company.id),
                ('state', '=', 'sale'),
                ('invoice_status', '!=', 'invoiced'),
            ]
        )
        total = 0.0
        for line in lines:
            billed = sum(
                item.price_subtotal
                for item in line.invoice_lines
                if item.parent_state == 'posted' and item.move_type == 'out_invoice'
            )
            total += line.currency_id._convert(
                line.price_subtotal - billed,
                company.currency_id,
                company,
                line.order_id.date_order,
            )
        return total
