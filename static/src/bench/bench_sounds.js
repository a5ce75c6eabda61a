import { browser } from "@web/core/browser/browser";

const MUTED = "sale_return.bench.muted";

// Frequency in Hz, start and length in seconds.
const TONES = {
    accept: [[1320, 0, 0.09]],
    reject: [
        [220, 0, 0.18],
        [165, 0.22, 0.28],
    ],
    ask: [
        [660, 0, 0.12],
        [660, 0.18, 0.12],
    ],
    done: [
        [880, 0, 0.08],
        [1175, 0.1, 0.08],
        [1568, 0.2, 0.14],
    ],
};

/** Tones made by the browser, so that nothing has to be loaded before the first scan. */
export class BenchSounds {
    constructor() {
        this.muted = browser.localStorage.getItem(MUTED) === "1";
        this.context = null;
    }

    toggle() {
        this.muted = !this.muted;
        browser.localStorage.setItem(MUTED, this.muted ? "1" : "0");
        return this.muted;
    }

    stop() {
        this.context?.close();
        this.context = null;
    }

    /** @param {"accept" | "reject" | "ask" | "done"} name */
    play(name) {
        if (name === "reject" || name === "ask") {
            browser.navigator.vibrate?.([80, 60, 80]);
        }
        if (this.muted || !browser.AudioContext || !TONES[name]) {
            return;
        }
        this.context ||= new browser.AudioContext();
        // Browsers start a context only after the first key or tap.
        this.context.resume();
        for (const [frequency, start, length] of TONES[name]) {
            this._playTone(frequency, this.context.currentTime + start, length);
        }
    }

    _playTone(frequency, start, length) {
        const oscillator = this.context.createOscillator();
        const gain = this.context.createGain();
        oscillator.type = frequency < 400 ? "square" : "sine";
        oscillator.frequency.value = frequency;
        // Without a ramp the end of a tone clicks.
        gain.gain.setValueAtTime(0.25, start);
        gain.gain.exponentialRampToValueAtTime(0.001, start + length);
        oscillator.connect(gain).connect(this.context.destination);
        oscillator.start(start);
        oscillator.stop(start + length);
    }
}
