"""Videos: recognised by the first bytes of their content, never decoded."""

# Brands at the beginning of MP4 family files. Pictures (heic, avif) and sound (M4A) have others.
MP4_BRANDS = (
    b'isom', b'iso2', b'iso3', b'iso4', b'iso5', b'iso6', b'mp41', b'mp42', b'avc1', b'MSNV',
    b'M4V ', b'M4VH', b'M4VP', b'dash', b'3gp4', b'3gp5', b'3gp6', b'3gp7', b'3g2a', b'mmp4',
)  # fmt: skip
QUICKTIME_BRAND = b'qt  '
EBML = b'\x1a\x45\xdf\xa3'
# The element with the type of an EBML file, and the length of its value.
WEBM = b'\x42\x82\x84webm'
# Number of bytes needed to recognise the type.
HEAD = 64


def recognize(raw):
    """Return the type of a video by its content, whatever the file is called.

    :param bytes raw: the file, or at least its first `HEAD` bytes.
    :return: MIME type; None if it is not a video of an accepted type.
    :rtype: str | None

    >>> recognize(bytes.fromhex('00000020') + b'ftypisom' + b'moov')
    'video/mp4'
    >>> recognize(bytes.fromhex('00000014') + b'ftypqt  ')
    'video/quicktime'
    >>> recognize(EBML + bytes.fromhex('9f42868101428284') + b'webm')
    'video/webm'
    >>> recognize(EBML + bytes.fromhex('a342868101428288') + b'matroska')
    >>> recognize(bytes.fromhex('00000020') + b'ftypheic')
    >>> recognize(b'<html>ftypisom'), recognize(b'')
    (None, None)
    """
    head = raw[:HEAD]
    if head[4:8] == b'ftyp':
        if head[8:12] == QUICKTIME_BRAND:
            return 'video/quicktime'
        return 'video/mp4' if head[8:12] in MP4_BRANDS else None
    if head.startswith(EBML) and WEBM in head:
        return 'video/webm'
    return None
