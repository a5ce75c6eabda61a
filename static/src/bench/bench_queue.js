import { reactive } from "@odoo/owl";

import { browser } from "@web/core/browser/browser";
import { ConnectionAbortedError, ConnectionLostError } from "@web/core/network/rpc";
import { uuid } from "@web/core/utils/strings";

// Nobody waits longer than this for an answer. What is sent again carries the same token.
const PATIENCE = 30000;
const PAUSES = [1000, 2000, 5000, 10000];

/**
 * What the operator did, in order: one call at a time, each with a token of its own.
 *
 * A call that the network lost stays first in line and is sent again with the same token, so the
 * server counts it once whether or not it has seen it. What waits survives the browser.
 */
export class BenchQueue {
    /**
     * @param {Object} options
     * @param {string} options.key under which what waits is kept in the browser
     * @param {(job: Object) => Promise} options.send calls the server
     * @param {(job: Object, answer: any) => void} options.onAnswer
     * @param {(job: Object, error: Error) => void} options.onRefusal the server refused the call
     */
    constructor({ key, send, onAnswer, onRefusal }) {
        Object.assign(this, { key, send, onAnswer, onRefusal });
        this.state = reactive({ jobs: this._load(), lost: false, busy: false });
        this.failures = 0;
        this.timer = null;
        this.stopped = false;
        this._onOnline = () => this.retry();
        browser.addEventListener("online", this._onOnline);
    }

    stop() {
        this.stopped = true;
        browser.clearTimeout(this.timer);
        browser.removeEventListener("online", this._onOnline);
    }

    /** Put a call at the end of the line. `job` is plain data; with `kept` it is stored as JSON. */
    add(job) {
        this.state.jobs.push({ token: uuid(), ...job });
        this._save();
        this._work();
    }

    /** Try again now what the network lost. */
    retry() {
        browser.clearTimeout(this.timer);
        this.timer = null;
        this._work();
    }

    async _work() {
        if (this.state.busy || this.timer || this.stopped) {
            return;
        }
        this.state.busy = true;
        try {
            while (this.state.jobs.length && !this.stopped) {
                if (!(await this._sendFirst())) {
                    break;
                }
            }
        } finally {
            this.state.busy = false;
        }
    }

    /** @returns {Promise<boolean>} whether the call is settled */
    async _sendFirst() {
        const job = this.state.jobs[0];
        let answer, refusal;
        try {
            answer = await this._withPatience(this.send({ ...job }));
        } catch (error) {
            if (this.stopped) {
                return false;
            }
            if (error instanceof ConnectionLostError || error instanceof ConnectionAbortedError) {
                this._pause();
                return false;
            }
            if (error.exceptionName === "odoo.http.SessionExpiredException") {
                // Odoo asks to log in; nothing was counted and nothing is forgotten.
                this._pause();
                Promise.reject(error);
                return false;
            }
            refusal = error;
        }
        this.failures = 0;
        this.state.lost = false;
        this.state.jobs.shift();
        this._save();
        if (this.stopped) {
            return false;
        }
        if (refusal) {
            this.onRefusal(job, refusal);
        } else {
            this.onAnswer(job, answer);
        }
        return true;
    }

    async _withPatience(promise) {
        let timer;
        const tooLong = new Promise((_resolve, reject) => {
            timer = browser.setTimeout(() => reject(new ConnectionLostError()), PATIENCE);
        });
        try {
            return await Promise.race([promise, tooLong]);
        } finally {
            browser.clearTimeout(timer);
        }
    }

    _pause() {
        this.state.lost = true;
        const pause = PAUSES[Math.min(this.failures, PAUSES.length - 1)];
        this.failures += 1;
        this.timer = browser.setTimeout(() => this.retry(), pause);
    }

    _load() {
        try {
            return JSON.parse(browser.localStorage.getItem(this.key)) || [];
        } catch {
            return [];
        }
    }

    _save() {
        try {
            const kept = this.state.jobs.filter((job) => job.kept);
            if (kept.length) {
                browser.localStorage.setItem(this.key, JSON.stringify(kept));
            } else {
                browser.localStorage.removeItem(this.key);
            }
        } catch {
            // A full or forbidden storage: what waits is still here while the page is open.
        }
    }
}
