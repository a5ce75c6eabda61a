"""Photos: removing metadata, such as the place where they were taken."""

import io
import re
import struct
import warnings

from PIL import Image, ImageOps

# Options for writing, by file type. The quality is high enough that no difference is visible.
SAVE_OPTIONS = {
    'JPEG': {'quality': 92},
    'PNG': {},
    'WEBP': {'quality': 92},
}


def count_pixels(raw):
    """Return the number of pixels stated in a picture, without decoding any.

    :param bytes raw: content of a file.
    :return: pixels; 0 if it is not a picture.
    :rtype: int

    >>> file = io.BytesIO()
    >>> Image.new('RGB', (4, 3)).save(file, 'PNG')
    >>> count_pixels(file.getvalue()), count_pixels(b'no picture'), count_pixels(b'')
    (12, 0, 0)

    A file of a few bytes may claim a picture that fills the memory.

    >>> import binascii
    >>> bomb = bytearray(file.getvalue())
    >>> bomb[16:24] = struct.pack('>II', 30_000, 30_000)
    >>> bomb[29:33] = struct.pack('>I', binascii.crc32(bomb[12:29]))
    >>> count_pixels(bytes(bomb))
    900000000
    """
    with warnings.catch_warnings():
        # Pillow has another limit; callers check ours.
        warnings.simplefilter('ignore', Image.DecompressionBombWarning)
        try:
            with Image.open(io.BytesIO(raw)) as picture:
                width, height = picture.size
                return width * height
        except Image.DecompressionBombError as error:
            # The size is only available in its message.
            return max(map(int, re.findall(r'\d+', str(error))))
        except (ValueError, OSError, SyntaxError, struct.error):
            return 0


def strip_metadata(raw):
    """Return a photo without metadata, turned upright.

    Cameras store place, time, owner and orientation in the file: the picture is rotated
    accordingly, then written again. Colours are preserved (ICC profile). Of animated pictures only
    the first frame is kept.

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
    # Metadata that the plugins would write: EXIF, comments, texts, XMP.
    picture.info = {
        name: value for name, value in upright.info.items() if name in ('transparency', 'gamma')
    }
    result = io.BytesIO()
    picture.save(result, kind, **options)
    return result.getvalue()
