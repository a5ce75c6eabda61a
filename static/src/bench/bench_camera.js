import { Component, xml } from "@odoo/owl";

import {
    BarcodeVideoScanner,
    isBarcodeScannerSupported,
} from "@web/core/barcode/barcode_video_scanner";

// A barcode stays before the camera for a while: it must not be counted with every picture.
const PAUSE = 1500;

export const isCameraSupported = isBarcodeScannerSupported;

/** The camera as a scanner that stays on. */
export class BenchCamera extends Component {
    static template = xml`
        <div class="o_sr_bench_camera overflow-hidden rounded bg-black">
            <BarcodeVideoScanner
                facingMode="'environment'"
                delayBetweenScan="pause"
                onResult="props.onScanned"
                onError="props.onError"
            />
        </div>`;
    static components = { BarcodeVideoScanner };
    static props = { onScanned: Function, onError: Function };

    setup() {
        this.pause = PAUSE;
    }
}
