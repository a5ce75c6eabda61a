from . import test_alerts
from . import test_risk
