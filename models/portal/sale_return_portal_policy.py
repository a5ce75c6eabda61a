from odoo import api, models
from odoo.tools.misc import format_amount

# Conditions on internal data of a customer or order. Policies with one of these are not shown.
INTERNAL_CONDITIONS = ('partner_category_ids', 'team_ids', 'source_ids', 'product_ids')
SCHEMA = 'https://schema.org/'


class SaleReturnPortalPolicy(models.AbstractModel):
    """Service: the public page about returns, generated from the rules in force.

    Nothing is written by hand, so it always matches what happens. It leaves out terms agreed with
    some customers only, and internal rules (limits by value, number of earlier returns).
    """

    _name = 'sale.return.portal.policy'
    _description = "Return Policy for Customers"

    @api.model
    def _get_sections(self, company):
        """Return the content of the page, the general terms first.

        :param company: `res.company`, in superuser mode.
        :return: dicts of `title` and `sentences`.
        :rtype: list
        """
        sections = []
        for policy in self._get_policies(company):
            sentences = [
                *self._tell_window(policy),
                *self._tell_exclusions(policy),
                *self._tell_sending(policy, company),
                *self._tell_money(policy, company),
                *self._tell_decision(policy),
            ]
            sections.append({'title': self._get_title(policy), 'sentences': sentences})
        return sections

    @api.model
    def _get_policies(self, company):
        """Return the public policies, the general ones first."""
        policies = self.env['sale.return.policy'].search(
            [('company_id', 'in', (company.id, False))]
        )
        shown = policies.filtered(
            lambda policy: not any(policy[name] for name in INTERNAL_CONDITIONS)
        )
        general = shown.filtered(lambda policy: not self._get_title_parts(policy))
        # Of several policies for everything the first one applies.
        return general[:1] + (shown - general)

    @api.model
    def _get_title_parts(self, policy):
        return [
            *policy.country_ids.mapped('name'),
            *policy.product_categ_ids.mapped('name'),
            *policy.reason_ids.mapped('name'),
        ]

    @api.model
    def _get_title(self, policy):
        return ", ".join(self._get_title_parts(policy)) or self.env._("All products")

    # === SENTENCES === #

    @api.model
    def _get_days(self, policy, rule=None):
        """Return the days of a window; 0 without a limit."""
        days = (rule and rule.days) or policy.window_days
        return policy._get_regime().get_window_days(days) if days else 0

    @api.model
    def _is_general_rule(self, rule):
        return not rule.product_categ_ids and not rule.reason_ids

    @api.model
    def _get_window(self, policy):
        """Return the days of the window for products without a rule; 0 without a limit."""
        rules = policy.rule_ids.filtered(lambda r: r.kind == 'window' and r.days)
        return self._get_days(policy, rules.filtered(self._is_general_rule)[:1])

    @api.model
    def _tell_window(self, policy):
        """State how long products can be returned."""
        days = self._get_window(policy)
        if not days:
            result = [self.env._("You can return products at any time.")]
        elif policy.regime == 'eu_withdrawal':
            result = [
                self.env._(
                    "As a consumer you can withdraw from the contract within %(days)s days after "
                    "the last delivery of your order, without giving a reason.",
                    days=days,
                )
            ]
        else:
            result = [
                self.env._(
                    "You can return products within %(days)s days after you received them.",
                    days=days,
                )
            ]
        for rule in policy.rule_ids.filtered(lambda r: r.kind == 'window' and r.days):
            if self._is_general_rule(rule):
                continue
            names = [*rule.product_categ_ids.mapped('name'), *rule.reason_ids.mapped('name')]
            result.append(
                self.env._(
                    "%(names)s: within %(days)s days.",
                    names=", ".join(names),
                    days=self._get_days(policy, rule),
                )
            )
        return result

    @api.model
    def _tell_exclusions(self, policy):
        """State what cannot be returned."""
        labels = dict(
            self.env['sale.return.rule']._fields['exception_code']._description_selection(self.env)
        )
        result = []
        for rule in policy.rule_ids.filtered(lambda r: r.kind == 'excluded'):
            names = ", ".join(rule.excluded_categ_ids.mapped('name'))
            why = labels.get(rule.exception_code)
            if rule.customer_text:
                result.append(rule.customer_text)
            elif names and why:
                result.append(
                    self.env._(
                        "%(names)s cannot be returned: %(exception)s.", names=names, exception=why
                    )
                )
            elif names:
                result.append(self.env._("%(names)s cannot be returned.", names=names))
            elif why:
                result.append(self.env._("Some products cannot be returned: %(why)s.", why=why))
        return result

    @api.model
    def _tell_sending(self, policy, company):
        """State until when goods have to be sent, and who pays for it."""
        result = []
        days = policy._get_regime().send_days or policy.expiry_days
        if days:
            result.append(
                self.env._("Send the goods within %(days)s days after our approval.", days=days)
            )
        if self._is_freight_kept_back(policy):
            result.append(
                self.env._(
                    "We pay the carrier. If the reason is on your side, %(amount)s plus tax are"
                    " deducted from your refund for it.",
                    amount=format_amount(self.env, policy.return_freight, company.currency_id),
                )
            )
        elif self._is_freight_ours(policy):
            result.append(self.env._("We pay for sending the goods back."))
        else:
            result.append(
                self.env._(
                    "You pay for sending the goods back if the reason is on your side. "
                    "Otherwise we do."
                )
            )
        return result

    @api.model
    def _is_freight_kept_back(self, policy):
        return bool(policy.return_freight) and policy._is_deduction_allowed('freight')

    @api.model
    def _is_freight_ours(self, policy):
        """Tell whether return shipping is always free, see `sale.return._get_freight_payer`."""
        return bool(policy.return_freight) or policy._get_regime().return_shipping == 'company'

    @api.model
    def _tell_money(self, policy, company):
        """State how much is paid back, how, and when."""
        released = {
            'approval': self.env._("You get your money once the return is approved."),
            'dispatch_proof': self.env._(
                "You get your money once it is proven that the goods are on their way."
            ),
            'receipt': self.env._("You get your money once the goods are here."),
            'inspection': self.env._("You get your money once the goods have been inspected."),
        }
        settled = {
            'as_paid': self.env._(
                "It is paid back the way you paid. If an invoice is not paid yet, it is "
                "deducted from it."
            ),
            'refund': self.env._("It is paid back to you."),
            'on_account': self.env._("It stays on your account for your next invoices."),
            'store_credit': self.env._("It goes to your wallet as store credit."),
        }
        result = [released[policy.release_event], settled.get(policy.settlement)]
        if days := policy._get_regime().refund_days:
            result.append(
                self.env._("It is paid back within %(days)s days, as required by law.", days=days)
            )
        shipping = {
            'never': self.env._("The price of the delivery to you is not refunded."),
            'full_return': self.env._(
                "The price of the delivery to you is refunded when all of an order comes back."
            ),
            'always': self.env._("The price of the delivery to you is refunded as well."),
        }
        result.append(shipping[policy._get_refund_shipping()])
        if policy._is_deduction_allowed('restocking_fee'):
            if percent := policy.restocking_fee_percent:
                result.append(
                    self.env._(
                        "For some reasons %(percent)s %% of the price is deducted.",
                        percent=f"{percent:g}",
                    )
                )
            if fixed := policy.restocking_fee_fixed:
                result.append(
                    self.env._(
                        "For some reasons %(amount)s plus tax are deducted per return.",
                        amount=format_amount(self.env, fixed, company.currency_id),
                    )
                )
        return [sentence for sentence in result if sentence]

    @api.model
    def _tell_decision(self, policy):
        """State who decides, and how to appeal."""
        result = []
        if policy.approval != 'none':
            result.append(self.env._("A person reviews each request."))
        if policy.appeal_days:
            result.append(
                self.env._(
                    "If we refuse your return you can appeal within %(days)s days.",
                    days=policy.appeal_days,
                )
            )
        return result

    # === STRUCTURED DATA === #

    @api.model
    def _get_structured_data(self, company, url):
        """Return structured data for search engines, as defined by schema.org.

        :param company: `res.company`, in superuser mode.
        :param str url: of the page.
        :return: an Organization with its policies: the general one, and those of countries.
        :rtype: dict
        """
        policies = self._get_policies(company).filtered(
            lambda policy: not policy.product_categ_ids and not policy.reason_ids
        )
        return {
            '@context': SCHEMA.rstrip('/'),
            '@type': 'Organization',
            'name': company.name,
            'hasMerchantReturnPolicy': [
                self._prepare_structured_policy(policy, company, url) for policy in policies
            ],
        }

    @api.model
    def _prepare_structured_policy(self, policy, company, url):
        """Return one policy as a `MerchantReturnPolicy`. Override to add to it."""
        countries = policy.country_ids or company.country_id
        days = self._get_window(policy)
        category = 'MerchantReturnFiniteReturnWindow' if days else 'MerchantReturnUnlimitedWindow'
        values = {
            '@type': 'MerchantReturnPolicy',
            'applicableCountry': countries.mapped('code'),
            'returnPolicyCategory': SCHEMA + category,
            'returnMethod': SCHEMA + 'ReturnByMail',
            'merchantReturnLink': url,
            'refundType': SCHEMA
            + (
                'StoreCreditRefund'
                if policy.settlement in ('on_account', 'store_credit')
                else 'FullRefund'
            ),
        }
        if days:
            values['merchantReturnDays'] = days
        if self._is_freight_kept_back(policy):
            values['returnFees'] = SCHEMA + 'ReturnShippingFees'
            values['returnShippingFeesAmount'] = self._prepare_amount(
                policy.return_freight, company
            )
        elif self._is_freight_ours(policy):
            values['returnFees'] = SCHEMA + 'FreeReturn'
        else:
            values['returnFees'] = SCHEMA + 'ReturnFeesCustomerResponsibility'
        if policy._is_deduction_allowed('restocking_fee'):
            if policy.restocking_fee_percent:
                values['restockingFee'] = policy.restocking_fee_percent
            elif policy.restocking_fee_fixed:
                values['restockingFee'] = self._prepare_amount(policy.restocking_fee_fixed, company)
        return values

    @api.model
    def _prepare_amount(self, amount, company):
        return {
            '@type': 'MonetaryAmount',
            'value': amount,
            'currency': company.currency_id.name,
        }
