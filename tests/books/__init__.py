from . import test_accounting_reports
from . import test_cutoff
from . import test_document_rows
from . import test_money_rows
from . import test_reconciliation
from . import test_tie_out
