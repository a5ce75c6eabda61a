from . import test_deadlines
from . import test_expiry
from . import test_teams
