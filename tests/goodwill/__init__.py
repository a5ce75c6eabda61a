from . import test_goodwill
from . import test_unbacked_budget
from . import test_without_goods
