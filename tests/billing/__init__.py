from . import test_exchange_billed
from . import test_exchange_terms
