from . import sale_return_fact
from . import sale_return_report
