"""Reset who sees which menu: upgrades only add groups, but many menus have new ones."""


def migrate(cr, version):
    """Drop the groups of the menus of Returns; the data files set them again."""
    cr.execute(
        """
        DELETE FROM ir_ui_menu_group_rel AS rel
              USING ir_model_data AS data
              WHERE data.module = 'sale_return'
                AND data.model = 'ir.ui.menu'
                AND data.res_id = rel.menu_id
        """
    )
