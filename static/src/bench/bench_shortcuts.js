import { onWillUnmount, useExternalListener } from "@odoo/owl";

import { barcodeService } from "@barcodes/barcode_service";
import { browser } from "@web/core/browser/browser";

const isEditable = (element) =>
    element.matches?.("input:not([type='file']), textarea, select, [contenteditable='true']");

/**
 * Keys that do something, unless a scanner typed them.
 *
 * A scanner types many keys in a row: only a key that stands alone is a shortcut. `handler` gets
 * the digit of a digit key (whatever the keyboard's language types with it), else the letter.
 *
 * @param {(key: string) => void} handler
 */
export function useShortcuts(handler) {
    let lastTime = -Infinity;
    let inScan = false;
    let timer = null;

    const onKeydown = (ev) => {
        if (!ev.key) {
            return; // autocompletion
        }
        const between = barcodeService.maxTimeBetweenKeysInMs;
        inScan = ev.timeStamp - lastTime <= between;
        lastTime = ev.timeStamp;
        browser.clearTimeout(timer);
        const isOther = ev.repeat || ev.ctrlKey || ev.altKey || ev.metaKey || ev.key.length > 1;
        if (inScan || isOther || isEditable(ev.target)) {
            return;
        }
        const digit = /^(?:Digit|Numpad)(\d)$/.exec(ev.code || "");
        const key = digit ? digit[1] : ev.key.toLowerCase();
        timer = browser.setTimeout(() => handler(key), between + 50);
    };

    // A space in a barcode would press the button that has the focus.
    const onKeyup = (ev) => {
        if (ev.key === " " && inScan && !isEditable(ev.target)) {
            ev.preventDefault();
        }
    };

    useExternalListener(window, "keydown", onKeydown, { capture: true });
    useExternalListener(window, "keyup", onKeyup, { capture: true });
    onWillUnmount(() => browser.clearTimeout(timer));
}
