from odoo import models


class ProductTemplate(models.Model):
    _name = 'product.template'
    _inherit = ['product.template', 'sale.return.card', 'sale.return.owned']

    _card_member = 'product.product_tmpl_id'
    _card_joins = 'JOIN product_product AS product ON product.id = line.product_id'
    _card_path = 'product_id.product_tmpl_id'
