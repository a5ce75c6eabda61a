import { Component, onMounted, onWillUnmount, useState } from "@odoo/owl";

import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";

const BATCH = 20;

/**
 * Dialog that runs a step on many returns, batch by batch, and shows how far it is.
 *
 * Each batch is a transaction of its own. A batch that fails is tried again one by one, so that a
 * bad return does not stop the good ones; it is listed with its reason.
 */
export class BulkProgress extends Component {
    static template = "sale_return.BulkProgress";
    static props = { ...standardActionServiceProps };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.params = this.props.action.params;
        this.state = useState({
            done: 0,
            total: this.params.ids.length,
            failures: [],
            running: true,
        });
        onMounted(() => this.run());
        onWillUnmount(() => {
            this.state.running = false;
        });
    }

    get percent() {
        return this.state.total ? Math.round((100 * this.state.done) / this.state.total) : 100;
    }

    get summary() {
        return _t("%(done)s of %(total)s returns, %(failed)s not possible", {
            done: this.state.done,
            total: this.state.total,
            failed: this.state.failures.length,
        });
    }

    async run() {
        const { ids } = this.params;
        for (let start = 0; start < ids.length && this.state.running; start += BATCH) {
            await this.runBatch(ids.slice(start, start + BATCH));
        }
        this.state.running = false;
    }

    async runBatch(ids) {
        try {
            const { method, kwargs } = this.params;
            const result = await this.orm.silent.call("sale.return", method, [ids], kwargs);
            this.state.done += ids.length;
            for (const [index, failure] of (result?.failed || []).entries()) {
                this.state.failures.push({ ...failure, id: `${ids[0]}-${index}` });
            }
        } catch (error) {
            if (ids.length > 1) {
                for (const id of ids) {
                    if (this.state.running) {
                        await this.runBatch([id]);
                    }
                }
                return;
            }
            this.state.done += 1;
            this.state.failures.push({
                id: ids[0],
                name: this.params.names[ids[0]],
                reason: error.data?.message || error.message,
            });
        }
    }

    onClose() {
        this.state.running = false;
        this.action.doAction({ type: "ir.actions.act_window_close" });
    }
}

registry.category("actions").add("sale_return.bulk_progress", BulkProgress);
