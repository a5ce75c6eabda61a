"""One scenario on the real charts of accounts of countries: sale, payment, return and refund.

A note of a return has to equal Odoo's own reversal of the same goods, line by line and header by
header: taxes, tags and, where the country books that way, storno.
"""

from odoo.exceptions import UserError

# Country: template of its chart, values of the company, and records that the customer refers to.
COUNTRIES = {
    'de': ('de_skr03', {}, {}),
    'fr': ('fr', {}, {}),
    'pl': ('pl', {}, {}),
    'it': ('it', {}, {}),
    'cn': ('cn', {}, {}),
    'ar': ('ar_ri', {}, {'l10n_ar_afip_responsibility_type_id': 'l10n_ar.res_CF'}),
    # What only Odoo's dialog gives: see `HEADERS`.
    'sa': ('sa', {}, {}),
    'es': ('es_pymes', {'l10n_es_edi_verifactu_required': True}, {}),
    'hu': ('hu', {}, {}),
}
# Choice of an accountant in Odoo's dialog for returned goods, where a country requires a code.
CHOICES = {
    'sa': {'l10n_sa_reason': 'BR-KSA-17-reason-4'},
    'es': {'l10n_es_tbai_refund_reason': 'R1', 'l10n_es_edi_verifactu_refund_reason': 'R1'},
}
HEADERS = ('delivery_date', 'partner_id', 'journal_id', 'currency_id', 'fiscal_position_id')
HEADERS += ('partner_bank_id', 'is_storno', 'invoice_origin', 'invoice_incoterm_id')
# Of the document itself, or given by a service of the country.
OWN = ('name', 'number', 'sequence', 'hash', 'uuid', 'qr', 'chain', 'show', 'is_', 'datetime')


def run(env, countries=''):
    """Tell the story for each country and each way to value stock, and print what is wrong.

    :rtype: bool
    """
    wrong = 0
    for country in countries.split() or COUNTRIES:
        for valuation in ('real_time', 'periodic'):
            savepoint = env.cr.savepoint()
            try:
                findings = tell(env, country, valuation)
            except UserError as error:
                findings = [f"refused: {error}"]
            finally:
                savepoint.rollback()
                savepoint.close(rollback=False)
                # Odoo's pending operations refer to records that are rolled back.
                env.cr.precommit.clear()
                env.cr.postcommit.clear()
                env.invalidate_all()
                env.registry.clear_all_caches()
            wrong += len(findings)
            print(f"{country} {valuation}: {'; '.join(findings) or 'ok'}", flush=True)
    return not wrong


def tell(env, country, valuation):
    """Play the story in a separate company.

    :return: errors, in words.
    :rtype: list
    """
    world = create_world(env, country, valuation)
    order = world._create_sale({'taxes': world.company.account_sale_tax_id})
    invoice = order.invoice_ids
    # Each step as a request of its own: what Odoo has read past the rules (products have taxes of
    # all companies) is not known to the staff, who asks for default taxes of accounts next.
    world.env.flush_all()
    world.env.invalidate_all()
    findings = []
    with env.cr.savepoint() as savepoint:
        own = describe(reverse(world, invoice, CHOICES.get(country, {})))
        savepoint.rollback()
    world.env.invalidate_all()
    world._pay(invoice)
    sale_return = world._return_goods(order, 3)
    note = sale_return.credit_note_ids
    if len(note) != 1 or note.state != 'posted':
        return [f"notes {note.mapped('state')}"]
    ours = describe(note)
    findings += [
        f"{what}: {ours.get(what)} and not {own.get(what)}"
        for what in sorted(own.keys() | ours.keys())
        if own.get(what) != ours.get(what)
    ]
    refund(world, note)
    if note.amount_residual:
        findings.append(f"{note.amount_residual} of the note is left")
    if sale_return.state != 'closed':
        findings.append(f"the return is {sale_return.state}")
    return findings + audit(world, valuation)


def reverse(world, invoice, choices):
    """Return the note of three pieces that an accountant makes by Odoo's dialog."""
    wizards = world.env['account.move.reversal'].with_context(
        active_model='account.move', active_ids=invoice.ids
    )
    known = {name: code for name, code in choices.items() if name in wizards._fields}
    wizard = wizards.create({'journal_id': invoice.journal_id.id, **known})
    note = world.env['account.move'].browse(wizard.refund_moves()['res_id'])
    for line in note.invoice_line_ids:
        line.quantity = 3
    note.action_post()
    return note


def describe(note):
    """Return the compared data of a note: its header, and the number of each line."""
    note.line_ids.flush_recordset()
    described = {}
    for name, field in note._fields.items():
        if name in HEADERS or (
            name.startswith('l10n_')
            and field.store
            and field.type not in ('binary', 'one2many', 'json')
            and not any(part in name for part in OWN)
        ):
            described[name] = str(note[name])
    for line in note.line_ids:
        key = ' '.join(
            str(part)
            for part in (
                line.display_type,
                line.account_id.code,
                line.tax_line_id.name,
                line.tax_ids.mapped('name'),
                sorted(line.tax_tag_ids.mapped('name')),
                line.debit,
                line.credit,
                line.amount_currency,
                line.tax_base_amount,
                line.quantity,
            )
        )
        described[key] = described.get(key, 0) + 1
    return described


def refund(world, note):
    """Pay the note back: post what the return has prepared, else as an accountant does."""
    for payout in note.sale_return_ids.refund_ids:
        if payout.payment_id.state == 'draft':
            payout.payment_id.action_post()
    if note.amount_residual:
        world._pay_back(note)


def audit(world, valuation):
    """Return errors in the books and in the list of differences, in words."""
    expected = world._get_opening_value()
    if valuation == 'periodic':
        # Odoo's own entry of the end of a period; the initial values are in it.
        world.company.sudo().action_close_stock_valuation(auto_post=True)
        expected = 0.0
    world.env.flush_all()
    found = []
    gap = world.currency.round(world._get_value_not_in_ledger() - expected)
    if gap:
        found.append(f"stock is worth {gap} more than the ledger says")
    for move in world.env['account.move'].search([('company_id', '=', world.company.id)]):
        if not world.currency.is_zero(sum(move.line_ids.mapped('balance'))):
            found.append(f"{move.name} does not balance")
    return found + [f"difference: {row.kind}" for row in world._refresh()]


def create_world(env, country, valuation):
    """Return the world of the tests, in a company with the chart of a country."""
    from odoo.addons.sale_return.tests.common_reconciliation import ReconciliationCommon
    from odoo.addons.sale_return.tests.common_refund import RefundCommon

    template, of_company, of_customer = COUNTRIES[country]

    class World(RefundCommon, ReconciliationCommon):
        chart = template

        @classmethod
        def _create_trading_company(cls, name, **values):
            place = cls.env.ref(f'base.{country}')
            company = super()._create_trading_company(
                name, country_id=place.id, currency_id=place.currency_id.id, **of_company
            )
            company.inventory_valuation = valuation
            return company

        @classmethod
        def _create_customer(cls, name, **values):
            values = {'country_id': cls.company.country_id.id, 'street': "1", 'city': "1"}
            values |= {field: cls.env.ref(name).id for field, name in of_customer.items()}
            return super()._create_customer(name, **values)

        @classmethod
        def _create_product(cls, name, **values):
            cls.category.property_valuation = valuation
            return super()._create_product(name, **values)

    # Odoo installs more modules for the country of a company; the relevant ones are installed.
    World.env = env(context={**env.context, 'tracking_disable': True, 'chart_template_load': True})
    World._build_world()
    journals = World.env['account.journal']
    if 'edi_format_ids' in journals._fields:
        # No company of the tests is registered at a tax office: nothing is sent to one.
        journals.search([('company_id', '=', World.company.id)]).edi_format_ids = False
    World.bank = World._create_journal("Bank One", 'bank', 'BNK7')
    # An instance, to have the assertions of the tests.
    world = World('assert_ledger_balanced')
    if not world.company.account_sale_tax_id:
        world.company.sudo().account_sale_tax_id = world.tax_21
    return world
