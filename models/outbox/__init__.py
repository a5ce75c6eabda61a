from . import sale_return_hook
from . import sale_return_hook_delivery
from . import sale_return_event

# The wings whose fields and methods this one names.
USES = ()
