import { Component } from "@odoo/owl";

import { useService } from "@web/core/utils/hooks";

import { formatQuantity } from "./bench_format";
import { say } from "./bench_sentences";

/** What became of the parcel: received, credited, still missing; and the put-away labels. */
export class BenchFinished extends Component {
    static template = "sale_return.BenchFinished";
    static props = { desk: Object, result: Object, onNext: Function };

    setup() {
        this.say = say;
        this.action = useService("action");
    }

    factsOf(sale_return) {
        const facts = [say.received(formatQuantity(sale_return.received))];
        if (sale_return.missing) {
            facts.push(say.stillMissing(formatQuantity(sale_return.missing)));
        }
        if (sale_return.credit_notes?.length) {
            const notes = sale_return.credit_notes.join(", ");
            facts.push(`${say.credited(sale_return.credited)} (${notes})`);
        }
        if (sale_return.credit_pending) {
            facts.push(say.creditPending);
        }
        if (sale_return.discrepancies?.length) {
            facts.push(say.discrepancies(sale_return.discrepancies.join(", ")));
        }
        return facts.concat(sale_return.next || []);
    }

    /** What is done is not undone at the bench: each result has its correction. */
    correct(sale_return) {
        this.action.doAction({
            type: "ir.actions.act_window",
            name: sale_return.name,
            res_model: "sale.return.inspection",
            domain: [["return_id", "=", sale_return.id]],
            views: [
                [false, "list"],
                [false, "form"],
            ],
        });
    }

    async print() {
        const { desk, result } = this.props;
        try {
            await this.action.doAction(await desk.getLabelAction(result.label_ids));
        } catch (error) {
            desk.tell(say.failed(error.data?.message || error.message), "danger", "reject");
        }
    }
}
