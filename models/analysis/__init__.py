from . import sale_return_metric
from . import sale_return_metric_definition
