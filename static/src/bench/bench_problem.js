import { Component, useRef, useState } from "@odoo/owl";

import { useShown } from "./bench_scroll";
import { say } from "./bench_sentences";

/** Something is wrong with the parcel: what, and which goods it is about. */
export class BenchProblem extends Component {
    static template = "sale_return.BenchProblem";
    static props = {
        kinds: Array,
        returns: Array,
        onReport: Function,
        onDiscard: Function,
        onClose: Function,
    };

    setup() {
        this.say = say;
        useShown(useRef("root"));
        this.state = useState({ kind: null, note: "", discarding: false });
    }

    get lines() {
        return this.props.returns.flatMap((sale_return) =>
            sale_return.lines.map((line) => ({ ...line, return_id: sale_return.id }))
        );
    }

    chooseKind(kind) {
        this.state.kind = kind;
        if (this.lines.length === 1) {
            this.report(this.lines[0]);
        }
    }

    report(line) {
        const note = this.state.note.trim();
        this.props.onReport({
            kind: this.state.kind,
            line_key: line.key,
            quantity: Math.max(line.expected - line.counted, 0) || line.expected,
            ...(note ? { note } : {}),
        });
    }
}
