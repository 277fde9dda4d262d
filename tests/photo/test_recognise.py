import io
import zipfile

import pytest
from PIL import Image

from skinapp.errors import PhotoError
from skinapp.photo import read_photo
from skinapp.photo.recognise import recognise_format


def encode(format: str, **options: object) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (64, 64), "brown").save(file, format, **options)
    return file.getvalue()


def make_box(brand: bytes, *others: bytes) -> bytes:
    body = brand + bytes(4) + b"".join(others)
    return (len(body) + 8).to_bytes(4) + b"ftyp" + body + bytes(100)


def make_zip() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(zipfile.ZipInfo("a.jpg"), b"a photo")  # of a fixed date: the bytes name the test
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (encode("GIF"), "a GIF file"),
        (encode("ICO"), "an icon file"),
        (encode("PDF"), "a PDF document"),
        (b"\n\n%PDF-1.4\n", "a PDF document"),
        (encode("JPEG2000"), "a JPEG 2000 file"),
        (encode("JPEG2000", no_jp2=True), "a JPEG 2000 file"),
        (b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(20), "a JPEG XL file"),
        (b"\xff\x0a\xfa\x7f", "a JPEG XL file"),
        (b"8BPS\0\1" + bytes(200), "a Photoshop file"),
        (encode("PPM"), "a Netpbm picture"),
        (make_box(b"isom", b"mp41"), "a video"),
        (make_box(b"qt  "), "a video"),
        (make_box(b"crx ", b"isom"), "a Canon raw file"),
        (make_box(b"hevc", b"mif1"), "damaged or incomplete"),
        (b"II*\0\x10\0\0\0CR\2\0" + bytes(100), "a Canon raw file"),
        (b"FUJIFILMCCD-RAW 0201", "a Fujifilm raw file"),
        (b"IIU\0" + bytes(100), "a Panasonic raw file"),
        (b"\x1a\x45\xdf\xa3" + bytes(100), "a video"),
        (b"RIFF\x20\0\0\0AVI LIST", "a video"),
        (make_zip(), "a zip archive"),
        (b"\x1f\x8b\x08" + bytes(20), "a gzip archive"),
        (b"<!DOCTYPE html><html><body>404</body></html>", "a web page"),
        (b"\xef\xbb\xbf  <html lang='de'>", "a web page"),
        (b'<?xml version="1.0"?>\n<svg width="64"/>', "a drawing"),
        ("An die Praxis: im Anhang die Fläche".encode(), "a text file"),
        (b"image,diagnosis\nISIC_1,mel\n", "a text file"),
        (bytes(4096), "a file of zeros"),
        (b"\x93NUMPY\1\0", "a NumPy array"),
        (bytes(range(128, 256)) * 4, "a file of an unknown kind"),
    ],
    ids=lambda value: repr(value[:20]) if isinstance(value, bytes) else None,
)
def test_what_is_no_photo_is_named_for_what_it_is(data: bytes, name: str) -> None:
    with pytest.raises(PhotoError, match=name):
        read_photo(data)


@pytest.mark.parametrize(
    ("data", "format"),
    [
        (encode("JPEG"), "JPEG"),
        (encode("PNG"), "PNG"),
        (encode("WEBP"), "WEBP"),
        (encode("BMP"), "BMP"),
        (encode("TIFF"), "TIFF"),
        (encode("TIFF", big_tiff=True), "TIFF"),
        (encode("AVIF"), "HEIF"),
        (bytes(128) + b"DICM", "DICOM"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_photo_is_recognised_by_its_first_bytes(data: bytes, format: str) -> None:
    assert recognise_format(data) == format


def test_a_photo_in_a_big_tiff_is_read() -> None:
    assert read_photo(encode("TIFF", big_tiff=True)).pixels[0, 0].tolist() == [165, 42, 42]
