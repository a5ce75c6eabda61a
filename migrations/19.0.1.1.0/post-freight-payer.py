"""Let the mail of an approval state who pays for the return shipping like the customer's page.

Mail templates are kept as they are by an upgrade, so the sentence is replaced where it is
unchanged.
"""

from psycopg2.extras import Json

AMOUNT = '<t t-out="format_amount(object.freight_charge, object.company_currency_id)">$ 5.00</t>'
CUSTOMER = "<t t-if=\"object._get_freight_payer() == 'customer'\">"
CHARGE = '<t t-if="object.freight_charge">'
OR_CHARGE = '<t t-elif="object.freight_charge">'
OLD = f"{CUSTOMER}%s{CHARGE}%s{AMOUNT}%s</t>%s</t>"
NEW = f"{CUSTOMER}%s</t>\n        {OR_CHARGE}%s{AMOUNT}%s</t>"
# The old and the new text in each language.
OLD_WORDS = (
    ("You pay for sending the goods", ": ", " (tax excluded) is kept back from your credit", "."),
    ("寄回运费由您承担", "：将从冲减金额中扣除 ", "（不含税）", "。"),
)
NEW_WORDS = (
    (
        "You pay for sending the goods.",
        "We pay the carrier. ",
        " plus tax are kept back from your credit for it.",
    ),
    ("寄回运费由您承担。", "承运商费用由我们支付，并将因此从您的退款中扣除 ", "（另加税）。"),
)


def migrate(cr, version):
    """Replace the sentence in each language of the template."""
    cr.execute(
        """
        SELECT t.id, t.body_html
          FROM mail_template t
          JOIN ir_model_data d ON d.model = 'mail.template' AND d.res_id = t.id
         WHERE d.module = 'sale_return' AND d.name = 'mail_template_approved'
        """
    )
    for template_id, bodies in cr.fetchall():
        new_bodies = dict(bodies)
        for old, new in zip(OLD_WORDS, NEW_WORDS, strict=True):
            for lang, body in new_bodies.items():
                new_bodies[lang] = (body or '').replace(OLD % old, NEW % new)
        if new_bodies != bodies:
            cr.execute(
                "UPDATE mail_template SET body_html = %s WHERE id = %s",
                [Json(new_bodies), template_id],
            )
