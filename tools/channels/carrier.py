"""Carriers: parcel events of DHL, SF Express, UPS and 17TRACK."""

import json

from .record import ANNOUNCED, DELIVERED, FAILURE, RETURNING, TRANSIT, FormatError, Tracking
from .shop import JsonFormat, list_of, text_of
from .value import CHINA, moment, zone_of


def dig(item, *path):
    """Return the value at a path of names and positions, or None."""
    for step in path:
        if isinstance(item, dict):
            item = item.get(step)
        elif isinstance(item, list) and isinstance(step, int) and step < len(item):
            item = item[step]
        else:
            return None
    return item


class Dhl(JsonFormat):
    """Shipment tracking in JSON: the newest status of each parcel. Its times have no zone."""

    name = 'carrier_dhl'
    statuses = {
        'pre-transit': ANNOUNCED,
        'transit': TRANSIT,
        'delivered': DELIVERED,
        'failure': FAILURE,
    }

    def items(self, data):
        things = data.get('shipments') if isinstance(data, dict) else None
        return (
            things
            if isinstance(things, list) and all(dig(each, 'status') for each in things)
            else None
        )

    def parse(self, item, line, reading):
        number, status = text_of(item, 'id', needed=True), item.get('status')
        at = moment(text_of(status, 'timestamp', needed=True))
        references = list_of(item.get('details') or {}, 'references')
        named = [
            each for each in references if text_of(each, 'type') == 'customer-reference'
        ] or references
        code = text_of(status, 'statusCode')
        return [
            Tracking(
                key=f'{number}/{at:%Y%m%d%H%M%S}/{code}',
                number=number,
                status=self.statuses.get(code, TRANSIT),
                at=at,
                reference=text_of(named[0], 'number') if named else '',
                code=code,
                description=text_of(status, 'description') or text_of(status, 'status'),
                line=line,
            )
        ]


class Sf(JsonFormat):
    """Routes pushed, or the answer to a query, which holds JSON as text within JSON."""

    name = 'carrier_sf'
    statuses = {
        '50': ANNOUNCED,
        '80': DELIVERED,
        '8000': DELIVERED,
        '648': RETURNING,
        '99': RETURNING,
        '33': FAILURE,
        '70': FAILURE,
    }

    def items(self, data):
        pushed = dig(data, 'Body', 'WaybillRoute')
        if isinstance(pushed, list):
            return pushed
        answer = dig(data, 'apiResultData')
        if not isinstance(answer, str):
            return None
        try:
            answer = json.loads(answer)
        except ValueError:
            raise FormatError(
                'The answer of SF Express is cut off. Ask again.', 'damaged'
            ) from None
        found = []
        for parcel in dig(answer, 'msgData', 'routeResps') or []:
            for route in dig(parcel, 'routes') or []:
                if isinstance(route, dict):
                    found.append({'mailno': dig(parcel, 'mailNo'), **route})
        return found

    def parse(self, item, line, reading):
        number, code = text_of(item, 'mailno', needed=True), text_of(item, 'opCode')
        at = moment(text_of(item, 'acceptTime', needed=True), CHINA)
        return [
            Tracking(
                key=text_of(item, 'id') or f'{number}/{at:%Y%m%d%H%M%S}/{code}',
                number=number,
                status=self.statuses.get(code, TRANSIT),
                at=at,
                reference=text_of(item, 'orderid'),
                code=code,
                description=text_of(item, 'remark'),
                returning=code in ('648', '99'),
                line=line,
            )
        ]


class Ups(JsonFormat):
    """Tracking of packages: every activity."""

    name = 'carrier_ups'
    statuses = {
        'M': ANNOUNCED,
        'P': TRANSIT,
        'I': TRANSIT,
        'D': DELIVERED,
        'X': FAILURE,
        'RS': RETURNING,
    }

    def items(self, data):
        shipments = dig(data, 'trackResponse', 'shipment')
        if not isinstance(shipments, list):
            return None
        return [
            {'package': package, **activity}
            for shipment in shipments
            for package in dig(shipment, 'package') or []
            for activity in dig(package, 'activity') or []
            if isinstance(activity, dict)
        ]

    def parse(self, item, line, reading):
        package, status = item['package'], item.get('status') or {}
        number, code = text_of(package, 'trackingNumber', needed=True), text_of(status, 'code')
        date, time = text_of(item, 'date', needed=True), text_of(item, 'time') or '000000'
        at = moment(f'{date[:4]}-{date[4:6]}-{date[6:]} {time[:2]}:{time[2:4]}:{time[4:]}')
        references = list_of(package, 'referenceNumber')
        type_ = text_of(status, 'type')
        return [
            Tracking(
                key=f'{number}/{date}{time}/{code}',
                number=number,
                status=self.statuses.get(type_, TRANSIT),
                at=at,
                reference=text_of(references[0], 'number') if references else '',
                code=f'{type_} {code}'.strip(),
                description=text_of(status, 'description'),
                returning=type_ == 'RS',
                line=line,
            )
        ]


class SeventeenTrack(JsonFormat):
    """Web hook of 17TRACK: the latest status of a parcel, the tag is the number we gave it."""

    name = 'carrier_17track'
    statuses = {
        'notfound': ANNOUNCED,
        'inforeceived': ANNOUNCED,
        'intransit': TRANSIT,
        'outfordelivery': TRANSIT,
        'availableforpickup': TRANSIT,
        'delivered': DELIVERED,
        'deliveryfailure': FAILURE,
        'expired': FAILURE,
        'exception': FAILURE,
    }

    def items(self, data):
        if isinstance(data, dict) and dig(data, 'data', 'track_info'):
            return [data['data']]
        accepted = dig(data, 'data', 'accepted')
        return accepted if isinstance(accepted, list) and dig(accepted, 0, 'track_info') else None

    def parse(self, item, line, reading):
        number = text_of(item, 'number', needed=True)
        latest, event = (
            dig(item, 'track_info', 'latest_status') or {},
            dig(item, 'track_info', 'latest_event') or {},
        )
        status, detail = text_of(latest, 'status', needed=True), text_of(latest, 'sub_status')
        at = text_of(event, 'time_utc') or text_of(event, 'time_iso')
        at = moment(at, zone_of('UTC')) if at else None
        returning = 'returning' in detail.casefold() or 'returned' in detail.casefold()
        return [
            Tracking(
                key=f'{number}/{at:%Y%m%d%H%M%S}/{detail or status}'
                if at
                else f'{number}/{detail or status}',
                number=number,
                status=RETURNING if returning else self.statuses.get(status.casefold(), TRANSIT),
                at=at,
                reference=text_of(item, 'tag'),
                code=f'{status} / {detail}' if detail else status,
                description=text_of(event, 'description'),
                returning=returning,
                line=line,
            )
        ]


class DhlXml:
    """Piece detail in XML: the newest event of each piece, in German time."""

    name = 'carrier_dhl'
    statuses = {'DLVRD': DELIVERED, 'RETRN': RETURNING, 'SHRCU': TRANSIT, 'PCKDU': TRANSIT}

    def items(self, root):
        """Return the pieces in a document, or nothing if it is of another format."""
        pieces = [each for each in root.iter('data') if each.get('name') == 'piece-shipment']
        return (
            [dict(each.attrib) for each in pieces]
            if pieces or root.get('name') == 'piece-shipment-list'
            else None
        )

    def parse(self, item, line, reading):
        """Return the records of a piece."""
        number = text_of(item, 'piece-code') or text_of(item, 'piece-identifier', needed=True)
        at = text_of(item, 'status-timestamp')
        code = text_of(item, 'ice')
        at = moment(at) if at else None
        return [
            Tracking(
                key=f'{number}/{at:%Y%m%d%H%M%S}/{code}' if at else f'{number}/{code}',
                number=number,
                status=self.statuses.get(code, TRANSIT),
                at=at,
                reference=text_of(item, 'shipment-code'),
                code=f'{code} {text_of(item, "standard-event-code")}'.strip(),
                description=text_of(item, 'status'),
                returning=text_of(item, 'ruecksendung') == 'true',
                line=line,
            )
        ]


DOCUMENTS = (Dhl(), Sf(), Ups(), SeventeenTrack())
XML = (DhlXml(),)
