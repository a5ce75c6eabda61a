from . import test_appeals
from . import test_approval_bypass
from . import test_approvals
from . import test_decision_rules
from . import test_decision_window
from . import test_own_requests
from . import test_policy_matching
from . import test_sale_return_policy
