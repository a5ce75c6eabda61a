"""References in UBL credit notes, for files that Odoo has written without them."""

from lxml import etree

CAC = 'urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2'
CBC = 'urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2'

# The aggregates of a UBL 2.1 credit note that come before its billing reference.
BEFORE_REFERENCE = {'InvoicePeriod', 'DiscrepancyResponse', 'OrderReference'}
# The fields of a document reference that come before its date.
BEFORE_DATE = {'ID', 'CopyIndicator', 'UUID'}


def with_billing_reference(xml, number, date):
    """Return a UBL credit note that names the invoice it credits (EN 16931 BG-3).

    :param bytes xml: the file; other documents than UBL credit notes are returned as they are.
    :param str number: number of the invoice (BT-25).
    :param date: its date (BT-26), or None.
    :rtype: bytes

    >>> from datetime import date
    >>> note = (
    ...     '<CreditNote xmlns="urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2"'
    ...     f' xmlns:cac="{CAC}" xmlns:cbc="{CBC}"><cbc:ID>R1</cbc:ID><cac:OrderReference/>'
    ...     '<cac:AccountingSupplierParty/></CreditNote>'
    ... ).encode()
    >>> root = etree.fromstring(with_billing_reference(note, 'INV/1', date(2026, 3, 1)))
    >>> [etree.QName(child).localname for child in root]
    ['ID', 'OrderReference', 'BillingReference', 'AccountingSupplierParty']
    >>> root[2].xpath('string()')
    'INV/12026-03-01'

    It is only added once, and other documents are not changed:

    >>> again = with_billing_reference(etree.tostring(root), 'INV/1', date(2026, 3, 1))
    >>> len(etree.fromstring(again))
    4
    >>> with_billing_reference(b'<Invoice/>', 'INV/1', None)
    b'<Invoice/>'
    """
    root = etree.fromstring(xml)
    if etree.QName(root).localname != 'CreditNote':
        return xml
    reference = root.find(f'{{{CAC}}}BillingReference')
    if reference is None:
        reference = etree.Element(f'{{{CAC}}}BillingReference')
        root.insert(_find_place(root, BEFORE_REFERENCE), reference)
    document = reference.find(f'{{{CAC}}}InvoiceDocumentReference')
    if document is None:
        document = etree.Element(f'{{{CAC}}}InvoiceDocumentReference')
        reference.insert(0, document)
    if document.find(f'{{{CBC}}}ID') is None:
        identifier = etree.Element(f'{{{CBC}}}ID')
        identifier.text = number
        document.insert(0, identifier)
    if date and document.find(f'{{{CBC}}}IssueDate') is None:
        issue_date = etree.Element(f'{{{CBC}}}IssueDate')
        issue_date.text = date.isoformat()
        place = sum(etree.QName(child).localname in BEFORE_DATE for child in document)
        document.insert(place, issue_date)
    return etree.tostring(root, xml_declaration=True, encoding='UTF-8')


def _find_place(root, before):
    """Return the index after all plain fields and the aggregates named in `before`."""
    place = 0
    for index, child in enumerate(root):
        name = etree.QName(child)
        if name.namespace != CAC or name.localname in before:
            place = index + 1
        else:
            break
    return place
