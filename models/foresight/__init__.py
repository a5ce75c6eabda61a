from . import sale_return_alert_rule
from . import sale_return_alert
from . import sale_return_alert_point
from . import sale_return_watch
from . import sale_return_watch_rates
from . import sale_return_risk
from . import sale_return_risk_contact
from . import sale_return_risk_report
from . import sale_return_risk_scorer
from . import sale_return_card
from . import res_partner
from . import product_template
from . import product_product
from . import sale_return
from . import sale_return_file
from . import sale_return_rule
from . import sale_return_decision
from . import sale_return_health
from . import res_config_settings

# The wings whose fields and methods this one names.
USES = ('analysis',)
