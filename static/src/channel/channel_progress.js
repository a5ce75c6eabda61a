import { Component, onWillStart, onWillUnmount, useState } from "@odoo/owl";

import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";

const PAUSE = 2000;
const FIELDS = ["name", "state", "progress", "message"];

/**
 * Dialog that shows how far the import of long files is. It may be closed: the job goes on.
 */
export class ChannelProgress extends Component {
    static template = "sale_return.ChannelProgress";
    static props = { ...standardActionServiceProps };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.state = useState({ uploads: [] });
        onWillStart(() => this.ask());
        onWillUnmount(() => clearTimeout(this.timer));
    }

    get isRunning() {
        return this.state.uploads.some(({ state }) => ["waiting", "running"].includes(state));
    }

    async ask() {
        const { ids } = this.props.action.params;
        this.state.uploads = await this.orm.silent.read("sale.return.channel.upload", ids, FIELDS);
        if (this.isRunning) {
            this.timer = setTimeout(() => this.ask(), PAUSE);
        }
    }

    onClose() {
        this.action.doAction("sale_return.sale_return_channel_file_action", {
            clearBreadcrumbs: true,
        });
    }
}

registry.category("actions").add("sale_return.channel_progress", ChannelProgress);
