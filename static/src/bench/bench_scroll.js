import { onMounted } from "@odoo/owl";

/**
 * Show a part of the screen from its beginning, where it appears out of sight.
 *
 * @param {{ el: HTMLElement | null }} ref
 */
export function useShown(ref) {
    onMounted(() => {
        const frame = ref.el.closest(".o_sr_bench_body").getBoundingClientRect();
        const { top } = ref.el.getBoundingClientRect();
        if (top < frame.top || top > frame.bottom) {
            ref.el.scrollIntoView({ block: "start" });
        }
    });
}
