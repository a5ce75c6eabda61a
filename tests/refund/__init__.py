from . import test_pay_back_desk
from . import test_payee
from . import test_refund
from . import test_refund_failures
from . import test_round_trips
from . import test_two_persons
