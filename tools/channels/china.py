"""Channels of China: Alipay, WeChat Pay, Taobao and Tmall, JD, Douyin."""

import re

from .record import DONE, FAILED, PENDING, Control, Refund, ReturnUnit
from .table import TableFormat
from .value import CHINA, amount

YUAN = 'CNY'


class ChineseFormat(TableFormat):
    """Common to all: GBK, Beijing time, yuan."""

    legacy = ('gb18030',)
    delimiters = ',\t'

    def open(self, table, before):
        table.zone = CHINA
        table.currency = YUAN


class AlipayTrade(ChineseFormat):
    """业务明细: the shop's own orders; lines at the end state the total refunded."""

    name = 'alipay_trade'
    columns = {
        'payment': ('支付宝交易号',),
        'order': ('商户订单号',),
        'type': ('业务类型',),
        'at': ('完成时间',),
        'received': ('商家实收（元）',),
        'request': ('退款批次号/请求号',),
        'name': ('商品名称',),
        'remark': ('备注',),
    }
    required = ('payment', 'order', 'type', 'at', 'received', 'request')
    _total = re.compile(r'退款合计[：:]\s*(\d+)笔.*?退款共\s*(-?[\d.]+)元')

    def is_end(self, values):
        return values[0].lstrip().startswith('#')

    def after(self, table, values, reading):
        found = self._total.search(','.join(values))
        if found:
            count, total = (
                Control('refunds', amount(found[1])),
                Control('refunded', abs(amount(found[2])), currency=YUAN),
            )
            count.found = table.totals.get('count', amount('0'))
            total.found = table.totals.get('sum', amount('0'))
            reading.controls += [count, total]

    def parse(self, row, reading):
        if row.get('type') != '退款':
            return []
        value = abs(row.amount('received'))
        table = row.table
        table.totals['count'] = table.totals.get('count', 0) + amount('1')
        table.totals['sum'] = table.totals.get('sum', 0) + value
        key = '/'.join(filter(None, (row.id('payment'), row.id('request'))))
        if not row.id('request'):
            key = f'{key}/{row.get("at")}/{value}'
        return [
            Refund(
                key=key,
                order=row.id('order'),
                amount=value,
                currency=YUAN,
                at=row.moment('at'),
                reference=row.id('payment'),
                reason=row.get('remark'),
                line=row.line,
            )
        ]


class AlipayAccount(ChineseFormat):
    """账务明细: what went in and out of the account; orders of Taobao stand behind ``T200P``."""

    name = 'alipay_account'
    columns = {
        'number': ('账务流水号',),
        'payment': ('业务流水号',),
        'order': ('商户订单号',),
        'at': ('发生时间',),
        'paid': ('支出金额（-元）', '支出金额（元）', '支出（-元）', '支出'),
        'type': ('业务类型',),
        'remark': ('备注',),
    }
    required = ('number', 'order', 'at', 'paid', 'type')
    _taobao = re.compile(r'T\d+P(?=\d)')

    def is_end(self, values):
        return values[0].lstrip().startswith('#')

    def parse(self, row, reading):
        if '退款' not in row.get('type') or not row.amount('paid'):
            return []
        return [
            Refund(
                key=row.id('number'),
                order=self._taobao.sub('', row.id('order')),
                amount=abs(row.amount('paid')),
                currency=YUAN,
                at=row.moment('at'),
                reference=row.id('payment'),
                reason=row.get('remark'),
                line=row.line,
            )
        ]


class Wechat(ChineseFormat):
    """Bill of all trades: each value behind a back-tick; totals follow in their own table.

    Failed refunds paid nothing; pending ones are dated when they were accepted.
    """

    name = 'wechat_trade'
    columns = {
        'at': ('交易时间',),
        'payment': ('微信订单号',),
        'order': ('商户订单号',),
        'trade': ('交易状态',),
        'currency': ('货币种类',),
        'refund': ('微信退款单号',),
        'own_refund': ('商户退款单号',),
        'refunded': ('退款金额',),
        'state': ('退款状态',),
        'name': ('商品名称',),
        'refunded_at': ('退款成功时间', '退款申请时间'),
    }
    required = ('at', 'order', 'refund', 'refunded', 'state')
    quoted = False
    mark = '`'
    states = {'SUCCESS': DONE, 'PROCESSING': PENDING, 'FAIL': FAILED, 'CHANGE': FAILED}

    def is_end(self, values):
        return values[0].lstrip('`\ufeff ').startswith('总交易单数')

    def after(self, table, values, reading):
        if self.is_end(values):
            table.totals['names'] = values
            return
        stated = dict(zip(table.totals['names'], values, strict=False))
        for name, found, currency in (
            ('总交易单数', amount(str(reading.rows)), ''),
            ('退款总金额', table.totals.get('sum', amount('0')), YUAN),
        ):
            if name in stated:
                control = Control(name, amount(stated[name]), currency=currency)
                control.found = found
                reading.controls.append(control)

    def parse(self, row, reading):
        if row.id('refund') in ('', '0'):
            return []
        value = abs(row.amount('refunded'))
        row.table.totals['sum'] = row.table.totals.get('sum', 0) + value
        return [
            Refund(
                key=row.id('refund'),
                order=row.id('order'),
                amount=value,
                currency=row.get('currency') or YUAN,
                at=row.moment('at'),
                state=self.states.get(row.get('state'), PENDING),
                reference=row.id('own_refund'),
                line=row.line,
            )
        ]


class Taobao(ChineseFormat):
    """退款管理 of Taobao and Tmall: only 退款成功 moved money; shipping is in the amount."""

    name = 'taobao_refunds'
    columns = {
        'order': ('订单编号',),
        'refund': ('退款编号',),
        'payment': ('支付宝交易号',),
        'done': ('退款完结时间',),
        'asked': ('退款的申请时间',),
        'amount': ('买家退款金额',),
        'type': ('退款类型',),
        'status': ('退款状态',),
        'goods': ('货物状态',),
        'tracking': ('退货物流信息',),
        'reason': ('买家退款原因',),
        'comment': ('买家退款说明',),
        'sku': ('商品编码', '商家编码'),
        'name': ('宝贝标题',),
    }
    required = ('order', 'refund', 'amount', 'status')

    def parse(self, row, reading):
        found = []
        if row.get('status') == '退款成功':
            found.append(
                Refund(
                    key=row.id('refund'),
                    order=row.id('order'),
                    amount=abs(row.amount('amount')),
                    currency=YUAN,
                    at=row.moment('done'),
                    sku=row.get('sku'),
                    reference=row.id('payment'),
                    reason=row.get('reason'),
                    line=row.line,
                )
            )
        if row.get('type') == '退货退款':
            found.append(
                ReturnUnit(
                    key=row.id('refund'),
                    order=row.id('order'),
                    sku=row.get('sku'),
                    at=row.moment('asked'),
                    name=row.get('name'),
                    reason=row.get('reason'),
                    condition=row.get('goods'),
                    status=row.get('status'),
                    tracking=row.get('tracking').rpartition(' ')[2],
                    comment=row.get('comment'),
                    line=row.line,
                )
            )
        return found


class Jd(ChineseFormat):
    """京东结算单: one row for each 费用项 of a document; 单据类型 tells the refunds."""

    name = 'jd_settlement'
    columns = {
        'order': ('订单编号',),
        'document': ('单据编号',),
        'type': ('单据类型',),
        'item': ('商品编号',),
        'name': ('商品名称',),
        'at': ('费用发生时间',),
        'fee': ('费用项',),
        'amount': ('金额',),
        'currency': ('币种',),
        'quantity': ('商品数量',),
    }
    required = ('order', 'document', 'type', 'fee', 'amount')
    refunds = {'取消退款单', '售后服务单'}
    # What the buyer paid for; all other items are the channel's.
    of_buyer = re.compile('货款|代收配送费|运费|配送费')
    of_channel = re.compile('佣金|服务费|保险|补贴|京豆|积分|运费保')

    def parse(self, row, reading):
        value = -row.amount('amount')
        fee = row.get('fee')
        if not row.get('amount'):
            value = -amount('')  # skip rows without amount
        if (
            row.get('type') not in self.refunds
            or not self.of_buyer.search(fee)
            or self.of_channel.search(fee)
        ):
            return []
        key = row.id('document')
        part = f'{fee}|{row.id("item")}|{value}'
        return [
            Refund(
                key=key,
                order=row.id('order'),
                amount=value,
                currency=row.get('currency') or YUAN,
                at=row.moment('at'),
                part=f'{part}|{row.table.occurrence(key, part)}',
                label=fee,
                item=row.id('item'),
                reason=row.get('type'),
                line=row.line,
            )
        ]


class Douyin(ChineseFormat):
    """售后单 of Douyin: goods and shipping, less what the platform had paid of the price."""

    name = 'douyin_aftersales'
    columns = {
        'number': ('售后单号',),
        'order': ('订单号',),
        'item': ('商品单号',),
        'name': ('商品名称',),
        'sku': ('商家编码',),
        'type': ('售后类型',),
        'status': ('售后状态',),
        'asked': ('售后申请时间',),
        'done': ('售后完结时间',),
        'reason': ('申请原因',),
        'goods': ('退商品金额（元）',),
        'shipping': ('退运费金额（元）',),
        'discount': ('退支付优惠（元）',),
        'tracking': ('退货物流单号',),
    }
    required = ('number', 'order', 'status', 'goods', 'shipping')
    done = '同意退款,退款成功'

    def parse(self, row, reading):
        found = []
        value = row.amount('goods') + row.amount('shipping') - abs(row.amount('discount'))
        if row.get('status').replace('，', ',') == self.done:
            found.append(
                Refund(
                    key=row.id('number'),
                    order=row.id('order'),
                    amount=value,
                    currency=YUAN,
                    at=row.moment('done'),
                    sku=row.get('sku'),
                    item=row.id('item'),
                    reason=row.get('reason'),
                    line=row.line,
                )
            )
        if row.get('type') in ('退货退款', '换货'):
            found.append(
                ReturnUnit(
                    key=row.id('number'),
                    order=row.id('order'),
                    sku=row.get('sku'),
                    at=row.moment('asked'),
                    item=row.id('item'),
                    name=row.get('name'),
                    reason=row.get('reason'),
                    condition=row.get('type'),
                    status=row.get('status'),
                    tracking=row.id('tracking'),
                    line=row.line,
                )
            )
        return found


FORMATS = (AlipayTrade(), AlipayAccount(), Wechat(), Taobao(), Jd(), Douyin())
