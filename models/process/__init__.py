from . import sale_return
from . import sale_return_policy
from . import sale_return_process
from . import sale_return_process_words

# Where a request came from, which only these rooms know.
USES = ('channel', 'portal', 'lab')
