import { beforeEach, describe, freezeTime } from "@odoo/hoot";

import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import { mountWithCleanup } from "@web/../tests/web_test_helpers";
import { RPCError } from "@web/core/network/rpc";

/** Called by a file whose tests mount components: every page asks the server about mail's models. */
export const usePage = defineMailModels;

/** Called by a file whose tests need no page: only they let time pass, not a slow machine. */
export function useFrozenTime() {
    describe.current.tags("headless");
    beforeEach(freezeTime);
}

export const mount = (Part, props) => mountWithCleanup(Part, { props });

/** The error of a call that the server refuses. */
export function makeRefusal(message) {
    return Object.assign(new RPCError(message), { data: { message } });
}
