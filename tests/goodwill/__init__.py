from . import test_goodwill
from . import test_goodwill_undone
from . import test_unbacked_budget
from . import test_without_goods
