"""Closed lists of decisions."""

# Why some goods cannot be returned (Directive 2011/83/EU art. 16, China's Consumer Protection Law
# art. 25 and the interim measures).
EXCEPTIONS = [
    ('custom_made', "Made to order"),
    ('perishable', "Perishable"),
    ('unsealed_hygiene', "Hygiene or safety goods, unsealed"),
    ('unsealed_media', "Audio, video or software, unsealed"),
    ('mixed', "Mixed inseparably with other goods"),
    ('newspaper', "Newspapers and magazines"),
    ('dated_service', "Services for a certain date"),
    ('price_fluctuation', "Price depends on a market"),
    ('value_loss', "Loses much of its value once used"),
    ('near_expiry', "Near expiry or flawed, sold as such"),
    ('agreed', "Agreed with the buyer"),
]

# Who decides on a level of approval.
APPROVER_TYPES = [
    ('user', "A user"),
    ('group', "A group"),
    ('manager', "The requester's manager"),
]

# A configuration file, and by which field Odoo's records are named in it; the first field with a
# value counts.
CONFIGURATION_FORMAT, CONFIGURATION_VERSION = 'sale_return.configuration', 1
REFERENCES = {
    'crm.team': ('name',),
    'product.category': ('complete_name',),
    'product.product': ('default_code', 'name'),
    'product.tag': ('name',),
    'res.country': ('code',),
    'res.currency': ('name',),
    'res.partner.category': ('name',),
    'res.users': ('login',),
    'resource.calendar': ('name',),
    'sale.return.disposition': ('code',),
    'sale.return.grade': ('code',),
    'sale.return.reason': ('code',),
    'stock.warehouse': ('code',),
    'utm.source': ('name',),
}

# Conditions of a policy on a line; an empty condition matches everything.
CONDITIONS = (
    'company_id',
    'partner_category_ids',
    'country_ids',
    'product_ids',
    'product_categ_ids',
    'reason_ids',
    'team_ids',
    'source_ids',
)
