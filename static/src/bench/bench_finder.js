import { Component, onMounted, onWillStart, useRef, useState } from "@odoo/owl";

import { useService } from "@web/core/utils/hooks";
import { KeepLast } from "@web/core/utils/concurrency";
import { useDebounced } from "@web/core/utils/timing";

import { readPhoto } from "./bench_photo";
import { say } from "./bench_sentences";

const KEYS = 9;

/** A parcel nobody expected: find its return or order, or park it until somebody does. */
export class BenchFinder extends Component {
    static template = "sale_return.BenchFinder";
    static props = { desk: Object, text: String, onClose: Function, onParcels: Function };

    setup() {
        this.say = say;
        this.notification = useService("notification");
        this.keepLast = new KeepLast();
        this.inputRef = useRef("input");
        this.formRef = useRef("form");
        this.photoRef = useRef("photo");
        this.state = useState({
            text: this.props.text,
            candidates: [],
            searching: false,
            searched: false,
            parking: false,
            reason: this.unstated?.id || null,
            photos: [],
        });
        this.search = useDebounced(() => this.find(), 300);
        onWillStart(() => {
            this.find();
        });
        onMounted(() => {
            if (!this.props.text) {
                this.inputRef.el.focus();
            }
        });
    }

    get config() {
        return this.props.desk.state.config;
    }

    get parcel() {
        return this.props.desk.state.data.parcel;
    }

    get unstated() {
        return this.config.reasons.find(({ code }) => code === "NONE");
    }

    get canCreate() {
        return this.config.user_rights.create_return;
    }

    get tracking() {
        return this.parcel?.tracking || (/\d{6}/.test(this.state.text) ? this.state.text : "");
    }

    keyOf(index) {
        return index < KEYS ? String(index + 1) : null;
    }

    whyOf(candidate) {
        return candidate.why.map((why) => say.whys[why] || why);
    }

    detailsOf({ partner, city, phone, order, name, date, products }) {
        const place = [partner, city, phone].filter(Boolean).join(", ");
        const number = order && order !== name ? say.ordersOf(order) : "";
        return [place, number, date, (products || []).join(", ")].filter(Boolean);
    }

    isPossible(candidate) {
        return candidate.kind === "return" ? candidate.can_attach : this.canCreate;
    }

    async find() {
        const text = this.state.text.trim();
        // Nothing is searched for nothing, but what was asked before must not answer any more.
        const search = text ? this.props.desk.find(text) : Promise.resolve([]);
        this.state.searching = Boolean(text);
        try {
            this.state.candidates = await this.keepLast.add(search);
            this.state.searched = Boolean(text);
        } catch (error) {
            this.props.desk.tell(say.failed(error.data?.message || error.message), "danger", "reject");
        }
        this.state.searching = false;
    }

    onInput(ev) {
        this.state.text = ev.target.value;
        this.search();
    }

    choose(candidate) {
        const { desk } = this.props;
        const { parcel } = this;
        if (candidate.kind !== "return") {
            const values = this.state.reason ? { reason: this.state.reason } : {};
            desk.do("create_return", { order_id: candidate.id, values });
        } else if (parcel) {
            desk.do("attach_parcel", { parcel_id: parcel.id, return_id: candidate.return_id });
        } else {
            desk.do("attach", { return_id: candidate.return_id });
        }
    }

    async onPhotos(ev) {
        for (const file of [...ev.target.files]) {
            this.state.photos.push(await readPhoto(file));
        }
        ev.target.value = "";
    }

    park() {
        const values = Object.fromEntries(
            [...new FormData(this.formRef.el)].filter(([_name, value]) => value.trim())
        );
        const { text, photos } = this.state;
        this.props.desk.do("park", { values: { ...values, text, photos: [...photos] } });
    }
}
