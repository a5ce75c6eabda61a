from . import sale_return_accruals
from . import sale_return_explainer
from . import sale_return_reconciler
from . import sale_return_reconciliation
from . import sale_return_tie_out
from . import sale_return_health
