"""Photos: what they carry beside the picture, such as the place where they were taken."""

import io
import re
import struct
import warnings

from PIL import Image, ImageOps

# What is written, by the kind that came. High enough that nobody sees a difference.
SAVE_OPTIONS = {
    'JPEG': {'quality': 92},
    'PNG': {},
    'WEBP': {'quality': 92},
}


def count_pixels(raw):
    """Return how many pixels a picture says it has, without decoding any of them.

    :param bytes raw: content of a file.
    :return: pixels; 0 where it is not a picture.
    :rtype: int

    >>> file = io.BytesIO()
    >>> Image.new('RGB', (4, 3)).save(file, 'PNG')
    >>> count_pixels(file.getvalue()), count_pixels(b'no picture'), count_pixels(b'')
    (12, 0, 0)

    A file of some bytes may claim a picture that fills the memory.

    >>> import binascii
    >>> bomb = bytearray(file.getvalue())
    >>> bomb[16:24] = struct.pack('>II', 30_000, 30_000)
    >>> bomb[29:33] = struct.pack('>I', binascii.crc32(bomb[12:29]))
    >>> count_pixels(bytes(bomb))
    900000000
    """
    with warnings.catch_warnings():
        # Pillow's own limit is another one; ours is asked by whoever calls.
        warnings.simplefilter('ignore', Image.DecompressionBombWarning)
        try:
            with Image.open(io.BytesIO(raw)) as picture:
                width, height = picture.size
                return width * height
        except Image.DecompressionBombError as error:
            # Its text is all that is left of the size.
            return max(map(int, re.findall(r'\d+', str(error))))
        except (ValueError, OSError, SyntaxError, struct.error):
            return 0


def strip_metadata(raw):
    """Return a photo without anything that is not the picture, upright.

    Cameras keep the place, the time and the owner in the file, and how it was held: the picture is
    turned as it was held, then written anew. Colours stay what they were (ICC profile). Of pictures
    that move the first one is kept.

    :param bytes raw: content of a JPEG, PNG or WebP file that can be decoded.
    :return: content of the same kind.
    :rtype: bytes
    :raise ValueError: for other kinds.

    >>> exif = Image.Exif()
    >>> exif[0x010E] = "at home"  # ImageDescription
    >>> exif[0x0112] = 6  # Orientation: the camera was turned
    >>> file = io.BytesIO()
    >>> Image.new('RGB', (4, 2)).save(file, 'JPEG', exif=exif, comment=b'me')
    >>> clean = strip_metadata(file.getvalue())
    >>> b'at home' in file.getvalue(), b'at home' in clean, b'me' in clean
    (True, False, False)
    >>> photo = Image.open(io.BytesIO(clean))
    >>> photo.size, dict(photo.getexif())
    ((2, 4), {})
    """
    photo = Image.open(io.BytesIO(raw))
    # Telephones put several pictures into one JPEG file.
    kind = 'JPEG' if photo.format == 'MPO' else photo.format
    if kind not in SAVE_OPTIONS:
        raise ValueError(f"{kind} is not one of {', '.join(SAVE_OPTIONS)}")
    options = dict(SAVE_OPTIONS[kind])
    upright = ImageOps.exif_transpose(photo)
    if profile := photo.info.get('icc_profile'):
        options['icc_profile'] = profile
    picture = upright.copy()
    # What the plugins would write from here: EXIF, comments, texts, XMP.
    picture.info = {
        name: value for name, value in upright.info.items() if name in ('transparency', 'gamma')
    }
    result = io.BytesIO()
    picture.save(result, kind, **options)
    return result.getvalue()
