import { Component } from "@odoo/owl";

import { formatQuantity } from "./bench_format";
import { say } from "./bench_sentences";

/** The returns on the bench, with what is expected of them and how much of it is counted. */
export class BenchReturns extends Component {
    static template = "sale_return.BenchReturns";
    static props = { desk: Object, returns: Array, items: Array, currentItem: { optional: true } };

    setup() {
        this.say = say;
    }

    /** Items of a line, and those that belong to none of what is expected. */
    itemsOf(sale_return, line) {
        return this.props.items.filter((item) =>
            line
                ? item.line_key === line.key && item.return_id === sale_return.id
                : item.return_id === sale_return.id &&
                  !sale_return.lines.some(({ key }) => key === item.line_key)
        );
    }

    countOf(line) {
        return say.countOf(formatQuantity(line.counted), formatQuantity(line.expected));
    }

    formatQuantity(quantity) {
        return formatQuantity(quantity);
    }

    colorOf(line) {
        if (line.surplus || line.counted > line.expected) {
            return "text-bg-warning";
        }
        if (line.counted === line.expected) {
            return "text-bg-success";
        }
        return line.counted ? "text-bg-info" : "text-bg-light border";
    }

    gradeOf(item) {
        return this.props.desk.state.config.grades.find(({ id }) => id === item.grade_id);
    }

    kindOf(item) {
        return item.kind === "expected" ? "" : say.kinds[item.kind] || item.kind;
    }

    isCurrent(item) {
        return item.id === this.props.currentItem?.id;
    }

    select(item) {
        this.props.desk.do("select_item", { item_id: item.id });
    }

    addOne(line) {
        this.props.desk.do("count_line", { line_key: line.key }, { label: line.product });
    }
}
