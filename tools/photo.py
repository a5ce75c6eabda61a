"""Photos: what they carry beside the picture, such as the place where they were taken."""

import io

from PIL import Image, ImageOps

# What is written, by the kind that came. High enough that nobody sees a difference.
SAVE_OPTIONS = {
    'JPEG': {'quality': 92},
    'PNG': {},
    'WEBP': {'quality': 92},
}


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
