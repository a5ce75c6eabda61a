"""The story that dev/demo --real tells: real invoices, their real cancellations as returns."""

from collections import defaultdict
from pathlib import Path

SOURCE = '"Online Retail" (UCI Machine Learning Repository, D. Chen, CC BY 4.0)'
EXAMPLES = 5


def run(env, path='', invoices='200'):
    """Replay the cancellations, print the comparison, and return whether every check held.

    :param str path: file of the data.
    :param str invoices: how many invoices with cancellations to take.
    :rtype: bool
    """
    # Importable once the registry is loaded, wherever the checkout lies.
    from odoo.addons.sale_return.benchmarks import replay, report, trade

    if not Path(path).is_file():
        print(f"{path or 'The data'} is missing: get {SOURCE} and give the path of its CSV file.")
        return False

    reading = report.Phases()
    with reading('read'):
        found = trade.collect(trade.read_rows(path), int(invoices))
    if not found.cancellations:
        print(f"{path} holds no cancellation that belongs to an earlier invoice.")
        return False
    story = replay.Replay(
        env, found, lambda title, batches: report.Progress(title, batches, weight=len)
    )
    story.run()
    print(f"\nReal trade: {SOURCE}\n")
    print_trade(report, found, story)
    print_refused(report, story)
    print_codes(found)
    print_money(story)
    print_seconds(report, reading, story)
    return not story.differences and len(story.credited) > 0


def print_trade(report, found, story):
    """Print what was read, built and matched."""
    counts = found.counts
    lines = sum(len(invoice.lines) for invoice in found.invoices)
    other_price = sum(
        all(c.invoice.lines[position].price != c.price for position, _quantity in c.parts)
        for c in found.cancellations
    )
    matched = sum(c.fits for c in found.cancellations)
    rows = [
        ["Lines in the data", counts['lines']],
        ["  of them cancellations", counts['cancellations']],
        *([f"    {name}", counts[name]] for name in sorted(counts) if 'cancellations ' in name),
        ["Invoices built", len(found.invoices)],
        ["  lines ordered, delivered and invoiced", lines],
        ["  customers", len(story.partners)],
        ["  products", len(story.products)],
        ["Cancelled lines of these invoices", len(found.cancellations)],
        ["  matched with their purchase", matched],
        ["    at another price than bought at (credited as invoiced)", other_price],
        ["  exceeding it", len(found.cancellations) - matched],
        ["Returns closed", len(story.returns.filtered(lambda r: r.state == 'closed'))],
        ["  lines", len(story.returns.line_ids)],
        ["Returns refused", len(story.refused)],
    ]
    print(report.format_table(["Trade", "Number"], rows, right={1}))


def print_refused(report, story):
    """Print how many cancellations were refused for which reason, with examples."""
    reasons = defaultdict(list)
    for cancellation, sentence in story.refused:
        reasons[get_reason(sentence)].append((cancellation, sentence))
    for reason, refused in reasons.items():
        print(f"\nRefused, {reason}: {len(refused)}. For example:")
        rows = [
            [c.number, c.invoice.number, c.code, c.quantity, c.left]
            for c, _sentence in refused[:EXAMPLES]
        ]
        head = ["Cancellation", "Invoice", "Product", "Wanted", "Left"]
        print(report.format_table(head, rows, right={3, 4}))
        print(f"What is said of the first one: {refused[0][1]}")


def get_reason(sentence):
    """Return the kind of a refusal, from the add-on's sentence."""
    if "would be returned or held" in sentence:
        return "more would come back than was delivered"
    return "for another reason"


def print_codes(found):
    """Print the codes that are not goods and were not built."""
    codes = ", ".join(f"{code} {number}" for code, number in found.codes.most_common())
    print(f"\nNo goods, not built (lines of these invoices and customers): {codes or 'none'}")


def print_money(story):
    """Print what was credited, what was expected, and every difference."""
    currency = story.pricelist.currency_id.name
    credited = sum(found for found, _expected in story.credited)
    expected = sum(expected for _found, expected in story.credited)
    print(f"\nCredit notes          {len(story.credited)}")
    print(f"Credited              {currency} {credited:,.2f} (taxes included)")
    print(f"Expected              {currency} {expected:,.2f} (from the invoices alone)")
    print(f"Lines back in full    {story.full_lines} (equal to the invoice line)")
    print(f"Open differences      {len(story.differences)}")
    for difference in story.differences[:50]:
        print(f"  {difference}")


def print_seconds(report, reading, story):
    """Print how the time was spent."""
    seconds = reading.seconds | story.phases.seconds
    lines = len(story.returns.line_ids)
    rows = []
    for phase, value in seconds.items():
        per_line = phase in ('request', 'approve', 'receive', 'inspect', 'credit')
        rows.append(
            [
                phase,
                f"{value:.1f}",
                f"{1000 * value / lines:.0f}" if per_line and lines else "",
                f"{story.phases.queries[phase] / lines:.1f}" if per_line and lines else "",
            ]
        )
    rows.append(["all", f"{sum(seconds.values()):.1f}", "", ""])
    head = ["Phase", "Seconds", "ms per return line", "queries per return line"]
    print("\n" + report.format_table(head, rows, right={1, 2, 3}))
