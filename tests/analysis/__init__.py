from . import test_analytics_browser
from . import test_analytics_metrics
from . import test_analytics_rates
from . import test_analytics_report
from . import test_analytics_signs
