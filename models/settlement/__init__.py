from . import sale_return_channel
from . import sale_return_channel_word
from . import sale_return_channel_file
from . import sale_return_channel_movement
from . import sale_return_channel_settler
from . import account_bank_statement
from . import account_bank_statement_line
from . import account_move

# The wings whose fields and methods this one names.
USES = ('channel',)
