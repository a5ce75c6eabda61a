# Mixins come before the models that use them.
from . import sale_return_dialog
from . import sale_return_acknowledge
from . import sale_return_correct
from . import sale_return_create
from . import sale_return_create_line
from . import sale_return_cutoff
from . import sale_return_cutoff_line
from . import sale_return_discrepancy_register
from . import sale_return_discrepancy_resolve
from . import sale_return_explain
from . import sale_return_inspect
from . import sale_return_inspect_answer
from . import sale_return_inspect_line
from . import sale_return_receive
from . import sale_return_pay
from . import sale_return_pay_line
from . import stock_return_picking
