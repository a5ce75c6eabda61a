from odoo import api, models


class SaleReturnCached(models.AbstractModel):
    """Mixin for configuration that is cached in the registry.

    Changes take effect at once, in all workers.
    """

    _name = 'sale.return.cached'
    _description = "Cached Return Configuration"

    @api.model_create_multi
    def create(self, vals_list):
        """Override of `base` to clear the cache for new records."""
        records = super().create(vals_list)
        self.env.registry.clear_cache()
        return records

    def write(self, vals):
        """Override of `base` to clear the cache after changes."""
        result = super().write(vals)
        if any(self._is_cached(name) for name in vals):
            self.env.registry.clear_cache()
        return result

    def unlink(self):
        """Override of `base` to clear the cache of deleted records."""
        result = super().unlink()
        self.env.registry.clear_cache()
        return result

    def _is_cached(self, name):
        """Tell whether the cached values depend on a field. Override where few do."""
        return True
