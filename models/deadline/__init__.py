from . import res_company
from . import sale_return_configuration
from . import sale_return_deadline
from . import sale_return
from . import sale_return_decision
from . import sale_return_team
from . import sale_return_team_step
from . import sale_return_health

# The wings whose fields and methods this wing uses.
USES = ('message',)
