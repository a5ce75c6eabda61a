import { reactive } from "@odoo/owl";

import { ConnectionAbortedError, ConnectionLostError } from "@web/core/network/rpc";
import { user } from "@web/core/user";
import { session } from "@web/session";

import { BenchQueue } from "./bench_queue";
import { say } from "./bench_sentences";

const MODEL = "sale.return.bench";

// A second tap before the answer is no second wish.
const ONCE = new Set([
    "answer",
    "attach",
    "attach_parcel",
    "create_return",
    "discard",
    "finish",
    "next_parcel",
    "park",
]);

/** Whether the server may not have got a call. */
const isLost = (error) =>
    error instanceof ConnectionLostError || error instanceof ConnectionAbortedError;

/**
 * What lies on the bench, as the server last told it, and the calls that change it.
 *
 * Nothing is decided here: an answer of the server replaces the whole state. See docs/bench.md.
 */
export class BenchDesk {
    /**
     * @param {Object} options
     * @param {Object} options.orm
     * @param {(sound: string) => void} options.onSound
     */
    constructor({ orm, onSound }) {
        this.orm = orm.silent;
        this.onSound = onSound;
        this.state = reactive({
            config: null, // grades, dispositions, ... see `open_session`
            data: null, // what lies on the bench
            message: null, // {text, color, number}
            finished: null, // result of `finish`, until the next parcel
            finder: null, // {text}: looks for the owner of a parcel
            unknown: null, // what was scanned last and nobody knows
            lost: false, // the bench could not be opened
        });
        this.queue = new BenchQueue({
            key: `sale_return.bench.${session.db}.${user.userId}`,
            send: (job) => this._send(job),
            onAnswer: (job, answer) => this._onAnswer(job, answer),
            onRefusal: (job, error) => this._onRefusal(job, error),
        });
    }

    stop() {
        this.queue.stop();
    }

    get sessionId() {
        return this.state.data?.session.id;
    }

    get question() {
        return this.state.data?.question;
    }

    /** The goods in the hand; those counted last where the server names none. */
    get currentItem() {
        const { items, current_item_id } = this.state.data || {};
        return items?.find((item) => item.id === current_item_id) || items?.at(-1);
    }

    /** Get ready: where the user was, or an empty bench. */
    async open() {
        let answer;
        try {
            answer = await this._load();
        } catch (error) {
            if (!isLost(error)) {
                throw error;
            }
            this.state.lost = true;
            return;
        }
        this.state.lost = false;
        if (answer.data.returns.length || answer.data.items.length) {
            // Interrupted work goes on.
            this.tell(answer.message, answer.color);
        }
        // What an earlier page could not send any more.
        this.queue.retry();
    }

    async _load() {
        const answer = await this.orm.call(MODEL, "open_session", []);
        this.state.config = answer.result;
        this.state.data = answer.data;
        return answer;
    }

    // === WHAT THE OPERATOR DOES === //

    scan(barcode) {
        const text = (barcode || "").trim();
        if (text) {
            this.state.finished = null;
            this.do("scan", { barcode: text }, { label: text, kept: true });
        }
    }

    /**
     * Call a method that changes something, after all that came before.
     *
     * @param {string} method
     * @param {Object} kwargs
     * @param {Object} [options]
     * @param {string} [options.label] what is shown while it waits
     * @param {boolean} [options.kept] survives a browser that is closed without connection
     */
    do(method, kwargs = {}, { label = "", kept = false } = {}) {
        if (ONCE.has(method) && this.queue.state.jobs.some((job) => job.method === method)) {
            return;
        }
        this.queue.add({ method, kwargs: { session_id: this.sessionId, ...kwargs }, label, kept });
    }

    /** Find returns and orders. */
    find(text) {
        return this.orm.call(MODEL, "find_candidates", [], { session_id: this.sessionId, text });
    }

    getLabelAction(inspectionIds) {
        return this.orm.call(MODEL, "get_label_action", [], { inspection_ids: inspectionIds });
    }

    tell(text, color, sound) {
        const number = (this.state.message?.number || 0) + 1;
        this.state.message = { text, color, number };
        if (sound) {
            this.onSound(sound);
        }
    }

    // === WHAT THE SERVER SAYS === //

    _send({ method, kwargs, token }) {
        return this.orm.call(MODEL, method, [], { ...kwargs, token });
    }

    _onAnswer(job, answer) {
        this.state.data = answer.data;
        this.state.unknown = null;
        this.tell(answer.message, answer.color, answer.sound);
        if (answer.code === "unknown") {
            this._onUnknown(job.kwargs.barcode);
        } else if (answer.status === "accept") {
            this.state.finder = null;
        }
        if (answer.code === "finished") {
            this.state.finished = answer.result;
        }
    }

    _onUnknown(barcode) {
        if (this.state.finder || !this.state.data.returns.length) {
            this.state.finder = { text: barcode };
        } else {
            // Goods in a parcel that is known: one looks only if asked to.
            this.state.unknown = barcode;
        }
    }

    _onRefusal(_job, error) {
        this.tell(say.failed(error.data?.message || error.message), "danger", "reject");
        // What was refused may be so because the bench is no longer what the screen shows. If it
        // cannot be read either, that stays, with the sentence that says what failed.
        this._load().catch(() => {});
    }
}
