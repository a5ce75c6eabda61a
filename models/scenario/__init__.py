from . import sale_return_scenario
from . import sale_return_scenario_week
from . import sale_return_simulator
from . import res_config_settings
