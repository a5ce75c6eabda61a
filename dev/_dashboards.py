"""Write the dashboards of Returns: data/analysis/dashboards/*_dashboard.json.

    python dev/_dashboards.py

Spreadsheets are very repetitive, so they are written from the short description in
dev/_dashboard_pages.py. Each tile has its figure, and beneath it how it compares with the period
before, or what it means; all definitions are at the end of the page, and in full in the metric
dictionary of the app.
"""

import json
import uuid
from pathlib import Path

from _dashboard_pages import HOURS, NUMBER, OPEN, PAGES, PERCENT, REPORT, RESALE

ROOT = Path(__file__).resolve().parents[1]
MARGIN = 20
DEADLINE = 'sale.return.deadline'
STEPS = ('decision', 'receipt', 'inspection', 'credit')
FILTERS = {
    'categ_id': ("Product Category", 'product.category'),
    'product_id': ("Product", 'product.product'),
    'warehouse_id': ("Warehouse", 'stock.warehouse'),
    'team_id': ("Sales Team", 'crm.team'),
}
MENUS = {
    'overview': 'sale_return_report_menu',
    # The entries of the others are hidden as long as statistics are switched off.
    'why': 'sale_return_report_menu',
    'what': 'sale_return_ranking_menu_product',
    'who': 'sale_return_ranking_menu_customer',
    'supply': 'sale_return_report_menu_supply',
    'flow': 'sale_return_report_menu_flow',
    'money': 'sale_return_report_menu',
    'quarantine': 'sale_return_report_menu',
}
# Titles of the rows of a table, by its first level.
GROUPS = {
    'categ_id': "Product Category",
    'reason_id': "Reason",
    'root_cause': "Root Cause",
    'product_id': "Product",
    'lot_id': "Lot/Serial Number",
    'commercial_partner_id': "Customer",
    'supplier_id': "Supplier",
    'user_id': "Responsible",
}
# 1: the title of a table; 2 and 3: the names of its columns.
STYLES = {
    '1': {'fontSize': 16, 'textColor': '#01666B', 'bold': True},
    '2': {'bold': True, 'wrapping': 'wrap', 'verticalAlign': 'bottom'},
    '3': {'bold': True, 'wrapping': 'wrap', 'verticalAlign': 'bottom', 'align': 'right'},
}
# Formats of figures; money is written as the company writes its currency.
FORMATS = {PERCENT: 1, NUMBER: 2, HOURS: 3}
# Groups of which there may be tens of thousands.
MANY = (['commercial_partner_id'],)
COUNTED = ('return_id', 'product_id', 'commercial_partner_id')


def main():
    for page in PAGES:
        # Odoo looks for terms to translate in files of this name only.
        path = ROOT / 'data' / 'analysis' / 'dashboards' / f'{page}_dashboard.json'
        text = json.dumps(Dashboard(page).build(), ensure_ascii=False, indent=1)
        path.write_text(text + '\n', encoding='utf-8')


def quote(text):
    return '"' + text.replace('"', '""') + '"'


class Dashboard:
    """One page as a spreadsheet of Odoo 19."""

    def __init__(self, page):
        self.page = page
        self.title, self.date, self.tiles, self.charts, self.tables = PAGES[page]
        self.pivots, self.cells, self.data, self.figures = {}, {}, {}, []
        self.menus, self.by_domain, self.styles, self.rows = {}, {}, {}, {}
        self.formats = {}

    def get_id(self, *names):
        """Return the same id for the same thing each time this is run."""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, '/'.join(('sale_return', self.page, *names))))

    def build(self):
        for number, tile in enumerate(self.tiles):
            self.add_tile(number, *tile)
        row = 1 + 5 * -(-len(self.tiles) // 4)
        for number, chart in enumerate(self.charts):
            self.add_chart(number, row, *chart)
        row += 17
        for number, table in enumerate(self.tables):
            row = self.add_table(number, row, *table)
        row = self.add_meanings(row)
        return {
            'version': '18.5.10',
            'sheets': [self.get_sheet('Dashboard', row + 2), self.get_sheet('Data', 60)],
            'styles': STYLES,
            'formats': {str(number): form for form, number in FORMATS.items()},
            'borders': {},
            'revisionId': 'START_REVISION',
            'uniqueFigureIds': True,
            'settings': {},
            'pivots': self.pivots,
            'pivotNextId': len(self.pivots) + 1,
            'customTableStyles': {},
            'globalFilters': self.get_filters(),
            'lists': {},
            'listNextId': 1,
            'chartOdooMenusReferences': self.menus,
        }

    def get_sheet(self, name, rows):
        is_data = name == 'Data'
        return {
            'id': self.get_id(name),
            'name': name,
            'colNumber': 12,
            'rowNumber': max(rows, 60),
            'rows': {} if is_data else self.rows,
            # The first column is a margin.
            'cols': {'0': {'size': MARGIN}, '1': {'size': 260}}
            | {str(n): {'size': 160} for n in range(2, 10)},
            'merges': [],
            'cells': self.data if is_data else self.cells,
            'styles': {} if is_data else self.styles,
            'formats': self.formats if is_data else {},
            'borders': {},
            'conditionalFormats': [],
            'figures': [] if is_data else self.figures,
            'tables': [],
            'areGridLinesVisible': is_data,
            'isVisible': True,
            'headerGroups': {'ROW': [], 'COL': []},
            'dataValidationRules': [],
            'comments': {},
        }

    # === DATA SOURCES === #

    def get_filters(self):
        return [
            {
                'id': self.get_id('filter', 'period'),
                'type': 'date',
                'label': "Period",
                # Open work is shown without a period.
                **({'defaultValue': 'year_to_date'} if self.page != 'quarantine' else {}),
            },
            *(
                {
                    'id': self.get_id('filter', name),
                    'type': 'relation',
                    'label': label,
                    'modelName': model,
                    'defaultValueDisplayNames': [],
                    **({'includeChildren': True} if name == 'categ_id' else {}),
                }
                for name, (label, model) in FILTERS.items()
            ),
        ]

    def get_matching(self, model, offset=0):
        """Return the field of each filter; `offset` −1: for the previous period."""
        date, names = self.date, FILTERS
        if model == RESALE:
            date, names = 'date_restock', ('categ_id', 'product_id')
        elif model == DEADLINE:
            date, names = 'date_start', ()
        elif model == 'sale.return':
            date, names = 'create_date', ('warehouse_id',)
        matching = {
            self.get_id('filter', 'period'): {
                'chain': date,
                'type': 'datetime',
                'offset': offset,
            }
        }
        for name in names:
            matching[self.get_id('filter', name)] = {'chain': name, 'type': 'many2one'}
        return matching

    def add_pivot(self, title, model, domain, rows, measures, offset=0):
        """Add a data source; return its number in formulas."""
        number = str(len(self.pivots) + 1)
        self.pivots[self.get_id('pivot', number)] = {
            'type': 'ODOO',
            'name': title,
            'formulaId': number,
            'model': model,
            'domain': domain,
            # Of very many groups no more are read than are shown.
            'context': (
                {'sale_return_top': f'{measures[0]}:{self.get_aggregator(measures[0])}'}
                if rows in MANY
                else {}
            ),
            'columns': [],
            'rows': [{'fieldName': name} for name in rows],
            'measures': [
                {
                    'id': name,
                    'fieldName': name,
                    'aggregator': self.get_aggregator(name),
                    **({'format': PERCENT} if self.is_share(name) else {}),
                }
                for name in measures
            ],
            'fieldMatching': self.get_matching(model, offset),
            **(
                {'sortedColumn': {'measure': measures[0], 'order': 'desc', 'domain': []}}
                if rows
                else {}
            ),
        }
        return number

    def is_share(self, name):
        return name.startswith('rate_') and name != 'rate_ppm'

    def get_aggregator(self, name):
        if name in COUNTED:
            return 'count_distinct'
        return 'avg' if name.startswith(('rate_', 'percent_', 'hours_', 'days_')) else 'sum'

    def get_value(self, name, domain, model=REPORT, offset=0):
        """Return the formula of one figure; figures of one domain share a pivot."""
        key = json.dumps([model, domain, offset])
        if key not in self.by_domain:
            number = self.add_pivot(self.title, model, domain, [], [], offset)
            self.by_domain[key] = number
        number = self.by_domain[key]
        measures = self.pivots[self.get_id('pivot', number)]['measures']
        if name not in [measure['id'] for measure in measures]:
            measures.append(
                {'id': name, 'fieldName': name, 'aggregator': self.get_aggregator(name)}
            )
        return f'PIVOT.VALUE({number},{quote(name)})'

    # === WHAT IS SHOWN === #

    def add_tile(self, number, title, meaning, formula, form, domain):
        row = number + 2
        self.data[f'A{row}'] = f'=_t({quote(title)})'
        self.data[f'B{row}'] = self.get_tile_formula(formula, domain)
        self.data[f'C{row}'] = f'=_t({quote(meaning)})'
        if form in FORMATS:
            self.formats[f'B{row}'] = FORMATS[form]
        baseline = {
            'baseline': f'Data!C{row}',
            'baselineMode': 'text',
            # Small font, or the sentence is cut off on both sides.
            'baselineDescr': {'text': '', 'fontSize': 10 if len(meaning) <= 50 else 9},
        }
        if self.is_compared(formula, domain):
            self.data[f'D{row}'] = self.get_tile_formula(formula, domain, offset=-1)
            if form in FORMATS:
                self.formats[f'D{row}'] = FORMATS[form]
            baseline = {
                'baseline': f'Data!D{row}',
                # A share that has risen by two points has not risen by a percentage.
                'baselineMode': 'difference' if form in (PERCENT, HOURS) else 'percentage',
                'baselineDescr': {'text': "than in the previous period", 'fontSize': 10},
            }
        chart = self.get_id('tile', str(number))
        self.figures.append(
            {
                'id': chart,
                'tag': 'chart',
                'width': 250,
                'height': 105,
                'col': 0,
                'row': 0,
                'offset': {'x': MARGIN + 258 * (number % 4), 'y': 10 + 115 * (number // 4)},
                'data': {
                    'type': 'scorecard',
                    'chartId': chart,
                    'title': {'text': title, 'bold': True, 'color': '#434343'},
                    'background': '#EFF6FF',
                    'keyValue': f'Data!B{row}',
                    **baseline,
                    'baselineColorUp': '#434343',
                    'baselineColorDown': '#434343',
                    'humanize': False,
                },
            }
        )
        self.menus[chart] = f'sale_return.{MENUS[self.page]}'

    def is_compared(self, formula, domain):
        """Tell whether a figure refers to a period, not to the current state."""
        now = formula in ('slowest', '{late}', '{cost_at_risk}') or domain == OPEN
        return self.page != 'quarantine' and not now

    def get_tile_formula(self, formula, domain, offset=0):
        """Return the formula of a tile, for the chosen period or the previous one."""
        if formula == 'slowest':
            values = [self.get_value(f'hours_{step}_median', domain) for step in STEPS]
            chain = '""'
            for step, value in reversed(list(zip(STEPS, values, strict=True))):
                largest = f'MAX({",".join(values)})'
                chain = f'IF({value}={largest},_t({quote(step.capitalize())}),{chain})'
            return f'=IFERROR({chain},"")'
        if formula == '{amount_refunded}':
            return self.show(self.get_value('amount_refunded', [], 'sale.return', offset), offset)
        if formula == '{late}':
            value = self.get_value('return_id', [['late', '=', True]], model=DEADLINE)
            return f'=IFERROR({value},0)'
        text = formula
        if 'touchless' in text:
            untouched = [*domain, ['is_touchless', '=', True]]
            value = self.get_value('return_id', untouched, offset=offset)
            text = text.replace('{touchless:return_id}', value)
        while '{' in text:
            name = text[text.index('{') + 1 : text.index('}')]
            text = text.replace(f'{{{name}}}', self.get_value(name, domain, offset=offset))
        return self.show(text, offset)

    def show(self, text, offset):
        """Return a formula that shows a figure if there is one; empty values cannot be compared."""
        if offset:
            return f'=IFERROR(IF({text}=0,"",{text}),"")'
        return f'=IFERROR({text},"–")'

    def add_chart(self, number, row, title, kind, group, measure, domain, model):
        chart = self.get_id('chart', str(number))
        data = {
            'type': f'odoo_{kind}',
            'chartId': chart,
            'title': {'text': title, 'bold': True, 'color': '#01666B'},
            'background': '#FFFFFF',
            'legendPosition': 'right' if kind == 'pie' else 'none',
            'metaData': {
                'groupBy': [group],
                'measure': measure,
                'order': 'DESC' if kind != 'line' and ':' not in group else None,
                'resModel': model,
                'mode': kind,
            },
            'searchParams': {
                'comparison': None,
                'context': {},
                'domain': domain,
                'groupBy': [group],
                'orderBy': [],
            },
            'dataSets': [{}],
            'fieldMatching': self.get_matching(model),
        }
        if kind != 'pie':
            data |= {'verticalAxisPosition': 'left', 'stacked': False}
        self.figures.append(
            {
                'id': chart,
                'tag': 'chart',
                'width': 508,
                'height': 340,
                'col': 0,
                'row': 0,
                'offset': {'x': MARGIN + 516 * (number % 2), 'y': 23 * row},
                'data': data,
            }
        )
        self.menus[chart] = f'sale_return.{MENUS[self.page]}'

    def add_table(self, number, row, title, rows, measures, domain, model):
        pivot = self.add_pivot(title, model, domain, rows, measures)
        self.cells[f'B{row + 1}'] = f'=_t({quote(title)})'
        self.styles[f'B{row + 1}'] = 1
        # A pivot would repeat its own name, which is not translated, and cut off its columns'.
        self.cells[f'B{row + 2}'] = f'=_t({quote(GROUPS[rows[0]])})'
        self.styles[f'B{row + 2}'] = 2
        for column, name in zip('CDEFGHI', measures, strict=False):
            self.cells[f'{column}{row + 2}'] = f'=PIVOT.HEADER({pivot},"measure",{quote(name)})'
            self.styles[f'{column}{row + 2}'] = 3
        self.rows[str(row + 1)] = {'size': 40}
        self.cells[f'B{row + 3}'] = f'=PIVOT({pivot},10,FALSE,FALSE,{len(measures)},FALSE)'
        return row + 16

    def add_meanings(self, row):
        """Explain the figures at the end of the page."""
        self.cells[f'B{row + 1}'] = '=_t("What the figures mean")'
        self.styles[f'B{row + 1}'] = 1
        for number, tile in enumerate(self.tiles):
            self.cells[f'B{row + 2 + number}'] = f'=_t({quote(tile[0])})'
            self.cells[f'C{row + 2 + number}'] = f'=_t({quote(tile[1])})'
        return row + 2 + len(self.tiles)


if __name__ == '__main__':
    main()
