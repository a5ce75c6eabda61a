from . import sale_return_stored_rows
from . import sale_return_fact
from . import sale_return_ranking
from . import sale_return_note_report
from . import sale_return_refund_report
from . import sale_return_report
from . import sale_return_resale
from . import sale_return_resale_fact
