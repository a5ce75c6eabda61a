from . import sale_return_channel
from . import sale_return_channel_file
from . import sale_return_channel_broken
from . import sale_return_channel_refund
from . import sale_return_channel_importer
from . import sale_return_channel_matcher
from . import sale_return_explainer
from . import sale_return_reconciler
from . import sale_return_reconciliation
from . import res_config_settings

# The wings whose fields and methods this one names.
USES = ('books',)
