import { Component, onMounted, onWillStart, onWillUnmount, useRef, useState } from "@odoo/owl";

import { useBus, useService } from "@web/core/utils/hooks";
import { registry } from "@web/core/registry";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";

import { BenchCamera, isCameraSupported } from "./bench_camera";
import { BenchDesk } from "./bench_desk";
import { BenchFinder } from "./bench_finder";
import { BenchFinished } from "./bench_finished";
import { formatQuantity } from "./bench_format";
import { BenchItem } from "./bench_item";
import { BenchProblem } from "./bench_problem";
import { BenchQuestion } from "./bench_question";
import { BenchReturns } from "./bench_returns";
import { say } from "./bench_sentences";
import { useShortcuts } from "./bench_shortcuts";
import { BenchSounds } from "./bench_sounds";

const RETURNS = "sale_return.sale_return_action";
const PARCELS = "sale_return.sale_return_parcel_action";

/** The desk on which parcels are opened, counted and judged, with a scanner and one hand. */
export class Bench extends Component {
    static template = "sale_return.Bench";
    static components = {
        BenchCamera,
        BenchFinder,
        BenchFinished,
        BenchItem,
        BenchProblem,
        BenchQuestion,
        BenchReturns,
    };
    static props = { ...standardActionServiceProps };
    // Also when a button opens it that knows only the tag.
    static target = "fullscreen";
    static path = "returns-bench";

    setup() {
        this.say = say;
        this.action = useService("action");
        this.ui = useService("ui");
        this.rootRef = useRef("root");
        this.scanRef = useRef("scan");
        this.isCameraSupported = isCameraSupported();
        this.sounds = new BenchSounds();
        this.desk = new BenchDesk({
            orm: useService("orm"),
            onSound: (name) => this.sounds.play(name),
        });
        this.state = useState(this.desk.state);
        this.queue = useState(this.desk.queue.state);
        this.view = useState({ camera: false, muted: this.sounds.muted, problem: false });
        useBus(useService("barcode").bus, "barcode_scanned", ({ detail }) =>
            this.onScanned(detail.barcode)
        );
        useShortcuts((key) => this.onShortcut(key));
        onWillStart(() => this.open());
        onMounted(() => this.focus());
        onWillUnmount(() => {
            this.desk.stop();
            this.sounds.stop();
        });
    }

    async open() {
        await this.desk.open();
        if (this.state.data) {
            this.startWith(this.getStart());
        }
    }

    /** What the button that opened the bench stands for. */
    getStart() {
        const { params, context } = this.props.action;
        const isReturn = context?.active_model === "sale.return";
        return { return_id: isReturn && context.active_id, ...params };
    }

    /** Begin with a return, a parked parcel or a barcode. */
    startWith({ return_id, parcel_id, code }) {
        const { data } = this.state;
        if (return_id && !data.returns.some((sale_return) => sale_return.id === return_id)) {
            this.desk.do("attach", { return_id });
        } else if (parcel_id && data.parcel?.id !== parcel_id) {
            this.desk.do("attach_parcel", { parcel_id });
        } else if (code) {
            this.desk.scan(code);
        }
    }

    /** Keys go to the page, where scanner and shortcuts are listened to. */
    focus() {
        this.rootRef.el?.focus({ preventScroll: true });
    }

    // === WHAT IS SHOWN === //

    /** @returns {"question" | "finder" | "finished" | "start" | "work"} */
    get screen() {
        const { data, finder, finished } = this.state;
        if (data.question) {
            return "question";
        }
        if (finder || (data.parcel && !data.returns.length)) {
            return "finder";
        }
        if (finished) {
            return "finished";
        }
        return data.returns.length || data.items.length ? "work" : "start";
    }

    get waiting() {
        return this.queue.jobs.map((job) => job.label).filter(Boolean);
    }

    get isSending() {
        return this.queue.jobs.length > 0;
    }

    get undoLabel() {
        return say.undoOf(this.state.data.session.undo);
    }

    get progress() {
        const { counted, expected } = this.state.data.session;
        const percent = expected ? Math.min(100, (100 * counted) / expected) : 0;
        const text = say.countOf(formatQuantity(counted), formatQuantity(expected));
        return { counted, expected, percent, text };
    }

    // === WHAT IS DONE === //

    onScanned(barcode) {
        if (!this.ui.isBlocked && this.ui.activeElement === document) {
            this.desk.scan(barcode);
        }
    }

    onSubmitScan() {
        const input = this.scanRef.el;
        this.desk.scan(input.value);
        input.value = "";
        this.focus();
    }

    onCameraError(error) {
        this.view.camera = false;
        this.desk.tell(say.cameraFailed(error.message), "danger", "reject");
    }

    /** A tap leaves the focus on the button: the next Enter of a scanner must not tap it again. */
    onClick(ev) {
        const button = ev.target.closest("button");
        if (button && ev.detail > 0) {
            button.blur();
            this.focus();
        }
    }

    onShortcut(key) {
        if (this.ui.activeElement !== document || !this.rootRef.el) {
            return;
        }
        const keys = [...this.rootRef.el.querySelectorAll("[data-key]")];
        const button = keys.find((el) => el.dataset.key.toLowerCase() === key && !el.disabled);
        button?.click();
    }

    undo() {
        this.desk.do("undo");
    }

    finish() {
        this.desk.do("finish");
    }

    next() {
        this.state.finished = null;
        this.desk.do("next_parcel");
    }

    report(values) {
        this.view.problem = false;
        this.desk.do("report", { values });
    }

    discard() {
        this.view.problem = false;
        this.desk.do("discard");
    }

    find(text = "") {
        this.state.unknown = null;
        this.state.message = null;
        this.state.finder = { text };
    }

    closeFinder() {
        this.state.finder = null;
        if (this.state.data.parcel && !this.state.data.returns.length) {
            this.desk.do("next_parcel");
        }
        this.focus();
    }

    toggleSound() {
        this.view.muted = this.sounds.toggle();
        this.sounds.play("accept");
    }

    openParcels() {
        this.action.doAction(PARCELS);
    }

    leave() {
        if (this.env.config.breadcrumbs?.length > 1) {
            this.action.restore();
        } else {
            this.action.doAction(RETURNS, { clearBreadcrumbs: true });
        }
    }
}

registry.category("actions").add("sale_return.bench", Bench);
