from . import sale_return_suggestion
from . import sale_return_improvement
from . import sale_return_adviser
from . import sale_return_health
from . import res_config_settings
