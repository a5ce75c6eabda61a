from . import sale_order_line
from . import sale_return_kit
from . import stock_move
