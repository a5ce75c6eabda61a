import { Component, useEffect, useRef, useState } from "@odoo/owl";

import { formatQuantity } from "./bench_format";
import { readPhoto } from "./bench_photo";
import { useShown } from "./bench_scroll";
import { say } from "./bench_sentences";

const LIABILITY_KEYS = ["Q", "W", "E", "R", "T"];

/** The goods in the hand: in what condition they are, who pays, what happens to them. */
export class BenchItem extends Component {
    static template = "sale_return.BenchItem";
    static props = { desk: Object, item: Object };

    setup() {
        this.say = say;
        this.photoRef = useRef("photo");
        useShown(useRef("root"));
        this.view = useState({ dispositions: false, question: null });
        // Another item, another question.
        useEffect(
            () => {
                this.view.dispositions = false;
            },
            () => [this.props.item.id]
        );
    }

    get config() {
        return this.props.desk.state.config;
    }

    get isExpected() {
        return this.props.item.kind === "expected";
    }

    get quantity() {
        return formatQuantity(this.props.item.quantity);
    }

    get disposition() {
        return this.config.dispositions.find(({ id }) => id === this.props.item.disposition_id);
    }

    get showDispositions() {
        return this.view.dispositions || this.props.item.is_override;
    }

    get needsNote() {
        return this.props.item.missing.includes("note");
    }

    get missing() {
        return this.props.item.missing.map((what) => say.missing[what] || what);
    }

    gradeKey(index) {
        return index < 9 ? String(index + 1) : null;
    }

    liabilityKey(index) {
        return LIABILITY_KEYS[index];
    }

    answerOf(question) {
        return this.props.item.answers[question.id];
    }

    /** The question that the keys Y and N answer: the first one without an answer. */
    get openQuestion() {
        return this.props.item.questions.find(
            (question) => question.kind === "yes_no" && this.answerOf(question) === undefined
        );
    }

    yesNoKey(question, key) {
        return question.id === this.openQuestion?.id ? key : null;
    }

    set(values) {
        this.props.desk.do("set_result", { values, item_ids: [this.props.item.id] });
    }

    setQuantity(quantity) {
        this.props.desk.do("set_quantity", { item_id: this.props.item.id, quantity });
    }

    setDisposition(id) {
        this.view.dispositions = false;
        this.set({ disposition: id });
    }

    setNote(ev) {
        const note = ev.target.value.trim();
        if (note !== (this.props.item.note || "")) {
            this.set({ note });
        }
    }

    /** Enter ends the typing: the next scan is not a part of it. */
    leaveField(ev) {
        if (ev.key === "Enter") {
            ev.target.blur();
        }
    }

    setAnswer(question, value) {
        this.set({ answers: { [question.id]: value } });
    }

    setNumber(question, ev) {
        if (ev.target.value !== "") {
            this.setAnswer(question, ev.target.valueAsNumber);
        }
    }

    takePhoto(question = null) {
        this.view.question = question;
        this.photoRef.el.click();
    }

    async onPhoto(ev) {
        const input = ev.target;
        const question_id = this.view.question?.id;
        for (const file of [...input.files]) {
            const kwargs = { photo: await readPhoto(file), item_id: this.props.item.id };
            if (question_id) {
                kwargs.question_id = question_id;
            }
            this.props.desk.do("add_photo", kwargs, { label: file.name });
        }
        // The same file again would be no change.
        input.value = "";
    }
}
