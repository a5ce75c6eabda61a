import { formatFloat } from "@web/core/utils/numbers";

/** A quantity as people write it: without decimals that say nothing. */
export const formatQuantity = (quantity) => formatFloat(quantity, { trailingZeros: false });
