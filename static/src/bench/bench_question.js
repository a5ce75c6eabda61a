import { Component } from "@odoo/owl";

import { say } from "./bench_sentences";

/** What the server asks before it goes on: choices, and what they can be about. */
export class BenchQuestion extends Component {
    static template = "sale_return.BenchQuestion";
    static props = { question: Object, desk: Object };

    setup() {
        this.say = say;
    }

    /** The message above says it already, except after a reload. */
    get isSaid() {
        return this.props.desk.state.message?.text === this.props.question.message;
    }

    get candidates() {
        return this.props.question.candidates || [];
    }

    /** Choices that are made by tapping a candidate are no buttons of their own. */
    get choices() {
        const { choices } = this.props.question;
        return this.candidates.length
            ? choices.filter((choice) => choice.value !== this.candidateChoice)
            : choices;
    }

    /** The choice a candidate stands for: the first one that is not the way out. */
    get candidateChoice() {
        const { choices } = this.props.question;
        return choices.find((choice) => choice.value !== "ignore")?.value || "attach";
    }

    keyOf(index) {
        const number = this.candidates.length + index + 1;
        return number < 10 ? String(number) : null;
    }

    answer(choice, record_id) {
        const kwargs = record_id === undefined ? { choice } : { choice, record_id };
        this.props.desk.do("answer", kwargs);
    }
}
