from . import sale_return_channel
from . import sale_return_channel_file
from . import sale_return_channel_broken
from . import sale_return_channel_refund
from . import sale_return_channel_upload
from . import sale_return_channel_word
from . import sale_return_channel_request
from . import sale_return_channel_importer
from . import sale_return_channel_matcher
from . import sale_return_channel_intake
from . import sale_return_channel_feed
from . import sale_return_event
from . import sale_return
from . import sale_return_line
from . import sale_return_disposal
from . import account_move
from . import sale_return_explainer
from . import sale_return_reconciler
from . import sale_return_reconciliation
from . import res_config_settings

# The wings whose fields and methods this one names.
USES = ('books', 'refund')
