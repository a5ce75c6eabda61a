from . import test_flow_full_return
from . import test_sale_return_credit
from . import test_security
