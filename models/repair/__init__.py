from . import res_config_settings
from . import sale_return
from . import sale_return_bench
from . import sale_return_bench_facts
from . import sale_return_disposal
from . import sale_return_disposition
from . import sale_return_event
from . import sale_return_line
from . import sale_return_portal_offer
from . import sale_return_portal_page
from . import sale_return_reason
from . import sale_return_reception
from . import sale_return_repair
from . import stock_move

# The wings whose fields and methods this one names.
USES = ('portal', 'bench', 'exchange')
