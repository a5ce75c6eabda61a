import { Component, onWillStart, useState } from "@odoo/owl";

import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { useSetupAction } from "@web/search/action_hook";
import { Layout } from "@web/search/layout";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";

import { ProcessFlow } from "./process_flow";
import { describe, say, sayPeriod, sayShare } from "./process_sentences";

/** The picture of the process: what the returns of the last months did, and where they are. */
export class Process extends Component {
    static template = "sale_return.Process";
    static components = { Layout, ProcessFlow };
    static props = { ...standardActionServiceProps };
    static path = "returns-process";

    setup() {
        this.say = say;
        this.describe = describe;
        this.sayPeriod = sayPeriod;
        this.sayShare = sayShare;
        this.orm = useService("orm");
        this.action = useService("action");
        const { params } = this.props.action;
        // Back from a list or a form it shows the same picture again.
        this.state = useState({
            policy: params?.policy_id || false,
            table: false,
            ...this.props.state?.process,
            picture: null,
        });
        useSetupAction({
            getLocalState: () => ({
                process: { policy: this.state.policy, table: this.state.table },
            }),
        });
        onWillStart(() => this.load());
    }

    async load() {
        const { policy } = this.state;
        const picture = await this.orm.call("sale.return.process", "get_picture", [policy]);
        if (policy === this.state.policy) {
            this.state.picture = picture;
        }
    }

    async onPolicy(event) {
        this.state.policy = Number(event.target.value) || false;
        await this.load();
    }

    onTable() {
        this.state.table = !this.state.table;
    }

    /** Rows of the table: every edge of a flow, and what is still on its way. */
    getRows(flow) {
        const rows = [];
        for (const node of flow.columns.flatMap((column) => column.nodes)) {
            for (const edge of node.edges) {
                rows.push({ key: `${node.key} ${edge.target}`, node, edge });
            }
            if (node.here && node.edges.length) {
                const edge = { target: "here", name: say().here, count: node.here, time: "" };
                edge.share = node.here / node.count;
                rows.push({ key: `${node.key} here`, node, edge });
            }
        }
        return rows;
    }

    /** Open the rule, level or policy behind a node; a list where it stands for several. */
    edit([model, id, domain]) {
        return this.action.doAction({
            type: "ir.actions.act_window",
            res_model: model,
            res_id: id,
            domain,
            views: id
                ? [[false, "form"]]
                : [
                      [false, "list"],
                      [false, "form"],
                  ],
            name: say().settings,
            target: "current",
        });
    }

    /** Open the list of exactly the returns that are counted. */
    async list(flow, node, target) {
        const { policy, since } = this.state.picture;
        const action = await this.orm.call("sale.return.process", "get_returns_action", [
            policy && policy.id,
            since,
            flow,
            node,
            target,
        ]);
        return this.action.doAction(action);
    }
}

registry.category("actions").add("sale_return.process", Process);
