# The core. A room may extend the rooms above it; its overrides run before theirs.
from . import base
from . import document
from . import decision
from . import reception
from . import kit
from . import inspection
from . import credit
from . import goodwill

# The wings: the core does not know them.
from . import refund
from . import books
from . import message
from . import deadline
from . import portal
from . import bench
from . import exchange
from . import billing
from . import repair
from . import wallet
from . import keep
from . import gift
from . import analysis
from . import channel
from . import settlement
from . import outbox
from . import foresight
from . import forecast
from . import improvement
from . import lab
from . import scenario
from . import process
