from . import test_payee
from . import test_refund
from . import test_refund_failures
