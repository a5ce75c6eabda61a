import { advanceTime, expect, test } from "@odoo/hoot";
import { Component, xml } from "@odoo/owl";

import { barcodeService } from "@barcodes/barcode_service";
import { useShortcuts } from "@sale_return/bench/bench_shortcuts";
import { mount, usePage } from "@sale_return/../tests/helpers";

usePage();

class Keyboard extends Component {
    static template = xml`<div><p class="page"/><input class="field"/></div>`;
    static props = {};

    setup() {
        useShortcuts((key) => expect.step(key));
    }
}

const BETWEEN = barcodeService.maxTimeBetweenKeysInMs;

/** Press a key at a time in ms; return whether a space would press the button with the focus. */
function type(key, at, { target = ".page", ...options } = {}) {
    const element = document.querySelector(target) || document.body;
    const events = ["keydown", "keyup"].map((name) => {
        const init = { key, bubbles: true, cancelable: true, ...options };
        const event = new KeyboardEvent(name, init);
        Object.defineProperty(event, "timeStamp", { value: at });
        element.dispatchEvent(event);
        return event;
    });
    return !events[1].defaultPrevented;
}

const wait = () => advanceTime(BETWEEN + 50);

test("a key that stands alone is a shortcut", async () => {
    await mount(Keyboard);
    type("Q", 1000);
    await wait();
    // With a French keyboard the key of the 2 types an é.
    type("é", 5000, { code: "Digit2" });
    await wait();
    type("3", 9000, { code: "Numpad3" });
    await wait();
    expect.verifySteps(["q", "2", "3"]);
});

test("what a scanner types is none", async () => {
    await mount(Keyboard);
    for (const [index, key] of [..."12Q"].entries()) {
        type(key, 1000 + index * 5);
    }
    await wait();
    expect.verifySteps([]);
    type("q", 1010 + BETWEEN + 1);
    await wait();
    expect.verifySteps(["q"]);
});

test("the keys of a field, of the browser and of a long press are none", async () => {
    await mount(Keyboard);
    type("q", 1000, { target: ".field" });
    await wait();
    type("q", 2000, { ctrlKey: true });
    await wait();
    type("q", 3000, { altKey: true });
    await wait();
    type("q", 4000, { repeat: true });
    await wait();
    type("Enter", 5000);
    await wait();
    expect.verifySteps([]);
});

test("a space in a barcode presses no button", async () => {
    await mount(Keyboard);
    expect(type(" ", 1000)).toBe(true);
    type("A", 5000);
    expect(type(" ", 5005)).toBe(false);
    // In a field it is a letter like others.
    type("A", 9000, { target: ".field" });
    expect(type(" ", 9005, { target: ".field" })).toBe(true);
});
