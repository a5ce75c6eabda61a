from . import res_company
from . import res_config_settings
from . import sale_order
from . import sale_return
from . import sale_return_bench_lookup
from . import sale_return_document_check
from . import sale_return_gift
from . import sale_return_line
from . import stock_picking

# The wings whose fields and methods this one names.
USES = ('portal', 'bench', 'exchange', 'wallet', 'books')
