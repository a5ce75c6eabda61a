import { _t } from "@web/core/l10n/translation";
import { formatInteger, formatPercentage } from "@web/views/fields/formatters";

/** The words of the picture that do not come from the server. */
export const say = () => ({
    allPolicies: _t("All policies"),
    policy: _t("Policy"),
    here: _t("There now"),
    settings: _t("Settings"),
    table: _t("Table"),
    picture: _t("Picture"),
    empty: _t("No returns were requested in this time."),
    hint: _t("As soon as returns are requested, this picture shows which way they take."),
});

/** What is counted, and since when. */
export const sayPeriod = (count, days) =>
    _t("Returns requested in the last %(days)s days: %(count)s", {
        days,
        count: formatInteger(count),
    });

/** A share without decimals. */
export const sayShare = (share) => formatPercentage(share, { digits: [16, 0] });

/** A count with its share, in short. */
export const sayCount = ({ count, share }) =>
    count
        ? _t("%(count)s · %(share)s", { count: formatInteger(count), share: sayShare(share) })
        : "0";

/** An edge in sentences, for those who do not see the line. */
export function describe(node, edge) {
    const words = {
        source: node.name,
        target: edge.name,
        count: formatInteger(edge.count),
        share: sayShare(edge.share),
        time: edge.time,
    };
    return edge.time
        ? _t(
              "From “%(source)s” to “%(target)s”: %(count)s (%(share)s of those there). Median time: %(time)s.",
              words
          )
        : _t("From “%(source)s” to “%(target)s”: %(count)s (%(share)s of those there).", words);
}

export const sayReturns = (count) => _t("Returns: %(count)s", { count: formatInteger(count) });
export const sayHere = (count) => _t("There now: %(count)s", { count: formatInteger(count) });
