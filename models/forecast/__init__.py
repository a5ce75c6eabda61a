from . import sale_return_forecast_run
from . import sale_return_forecast
from . import sale_return_forecast_week
from . import sale_return_forecaster
from . import stock_warehouse_orderpoint
from . import res_config_settings

# The wings whose fields and methods this one names.
USES = ('foresight',)
