from . import sale_return_accruals
from . import sale_return_customer_check
from . import sale_return_document_check
from . import sale_return_document_check_goods
from . import sale_return_event
from . import sale_return_explainer
from . import sale_return_note_check
from . import sale_return_note_check_content
from . import sale_return_note_check_given
from . import sale_return_payout_check
from . import sale_return_reconciler
from . import sale_return_reconciler_figures
from . import sale_return_reconciliation
from . import sale_return_tie_out
from . import sale_return_health

# The wings whose fields and methods this wing uses.
USES = ('refund',)
