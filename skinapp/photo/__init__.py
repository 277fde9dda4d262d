"""One photo from bytes to pixels.

`recognise` tells the format from the content and names what is no photo. One module a format (`jpeg`, `png`, `webp`,
`tiff`, `heif`, `pillow`, `dicom`) reads its `header`. `limits` says what may be decoded and queues large photos.
`pixels` decodes, with `samples` for more than 8 bits, and `reading` puts it together. `square` is a part of a photo,
`preview` what a browser shows of it.

To add a format, name it in `recognise`, write a module that reads its header, and add both to `reading`.
"""

from skinapp.photo.limits import MAX_ASPECT, MAX_BYTES, MAX_PIXELS, MIN_SIDE
from skinapp.photo.pixels import DECODE_SIDE
from skinapp.photo.reading import PHOTO_SUFFIXES, Photo, read_photo, read_photo_bytes, read_photo_file
from skinapp.photo.square import Square

__all__ = [
    "DECODE_SIDE",
    "MAX_ASPECT",
    "MAX_BYTES",
    "MAX_PIXELS",
    "MIN_SIDE",
    "PHOTO_SUFFIXES",
    "Photo",
    "Square",
    "read_photo",
    "read_photo_bytes",
    "read_photo_file",
]
