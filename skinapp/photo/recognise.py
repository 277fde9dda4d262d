"""Which format a file has, by its first bytes; what is no photo is named for what it is."""

import re

from skinapp.errors import PhotoError

ACCEPTED = "JPEG, PNG, WebP, BMP, TIFF, AVIF, HEIC or DICOM"

_SIGNATURES = (  # in order; of files that are read, the value is a format in capitals
    (b"II*\0\x10\0\0\0CR", "a Canon raw file (CR2)"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"BM", "BMP"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0", "TIFF"),
    (b"MM\0+", "TIFF"),
    (b"GIF87a", "a GIF file"),
    (b"GIF89a", "a GIF file"),
    (b"8BPS", "a Photoshop file (PSD)"),
    (b"gimp xcf", "a GIMP file (XCF)"),
    (b"\0\0\1\0", "an icon file (ICO)"),
    (b"\0\0\0\x0cjP  ", "a JPEG 2000 file"),
    (b"\xff\x4f\xff\x51", "a JPEG 2000 file"),
    (b"\0\0\0\x0cJXL ", "a JPEG XL file"),
    (b"\xff\x0a", "a JPEG XL file"),
    (b"II\xbc", "a JPEG XR file"),
    (b"\xff\xd8", "a damaged JPEG"),
    (b"FUJIFILMCCD-RAW", "a Fujifilm raw file (RAF)"),
    (b"IIRO", "an Olympus raw file (ORF)"),
    (b"IIRS", "an Olympus raw file (ORF)"),
    (b"MMOR", "an Olympus raw file (ORF)"),
    (b"IIU\0", "a Panasonic raw file (RW2)"),
    (b"II\x1a\0\0\0HEAPCCDR", "a Canon raw file (CRW)"),
    (b"\0MRM", "a Minolta raw file (MRW)"),
    (b"FOVb", "a Sigma raw file (X3F)"),
    (b"\x1a\x45\xdf\xa3", "a video (Matroska or WebM)"),
    (b"\0\0\1\xba", "a video (MPEG)"),
    (b"\0\0\1\xb3", "a video (MPEG)"),
    (b"OggS", "a video or sound file (Ogg)"),
    (b"FLV", "a video (Flash)"),
    (b"0&\xb2u\x8ef\xcf\x11", "a video (Windows Media)"),
    (b"PK\3\4", "a zip archive, or an office document, which is one inside"),
    (b"PK\5\6", "an empty zip archive"),
    (b"Rar!", "a RAR archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ\0", "an xz archive"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old office document"),
    (b"{\\rtf", "a text document (RTF)"),
    (b"%!PS", "a PostScript file"),
    (b"\xc5\xd0\xd3\xc6", "a PostScript file"),
    (b"\x76\x2f\x31\x01", "an OpenEXR file"),
    (b"#?RADIANCE", "a Radiance HDR file"),
    (b"SIMPLE  =", "a FITS file"),
    (b"DDS ", "a DirectDraw texture (DDS)"),
    (b"\x8aMNG", "an MNG animation"),
    (b"\x8bJNG", "a JNG file"),
    (b"\x89HDF", "an HDF5 file"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"SQLite format 3", "a database"),
    (b"PAR1", "a Parquet table"),
    (b"MZ", "a Windows program"),
    (b"\x7fELF", "a program"),
    (b"ID3", "a sound file (MP3)"),
    (b"fLaC", "a sound file (FLAC)"),
)
_RIFFS = {b"WEBP": "WEBP", b"AVI ": "a video (AVI)", b"WAVE": "a sound file (WAV)"}
_BRANDS = {  # of files that begin with an ftyp box (ISO/IEC 14496-12); the first that fits is taken
    b"crx ": "a Canon raw file (CR3)",
    **dict.fromkeys((b"avif", b"avis", b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"), "HEIF"),
    b"jxl ": "a JPEG XL file",
    **dict.fromkeys((b"jp2 ", b"jpx ", b"jph "), "a JPEG 2000 file"),
    b"M4A ": "a sound file (M4A)",
}
_NETPBM = re.compile(rb"P[1-7]\s[\s#\d]")
_MARKUP = re.compile(rb"<(\?xml|!doctype|html|svg|head|body)", re.IGNORECASE)
_PDF = re.compile(rb"%PDF-\d")
_HEAD = 1024


def recognise_format(data: bytes) -> str:
    """Return JPEG, PNG, WEBP, BMP, TIFF, HEIF (which AVIF is, too) or DICOM; PhotoError names anything else."""
    name = _find_name(data)
    if name.isupper():
        return name
    raise PhotoError(
        f"This is {name}, not a photo in a supported format, whatever its name says. Use {ACCEPTED}: open it in the "
        "program that it comes from and export the photo, or copy it again if it should be one."
    )


def _find_name(data: bytes) -> str:
    head = data[:_HEAD]
    if data[128:132] == b"DICM":
        return "DICOM"
    if head[4:8] == b"ftyp":
        return _name_brands(data)
    if head[:4] == b"RIFF":
        return _RIFFS.get(head[8:12], "a RIFF file")
    found = next((name for start, name in _SIGNATURES if head.startswith(start)), None)
    return found or _name_text(head)


def _name_brands(data: bytes) -> str:
    length = min(int.from_bytes(data[:4]), 256)
    brands = [data[8:12], *(data[at : at + 4] for at in range(16, length, 4))]
    return next((_BRANDS[brand] for brand in brands if brand in _BRANDS), "a video (MP4 or QuickTime)")


def _name_text(head: bytes) -> str:
    if _PDF.search(head):
        return "a PDF document"
    if _NETPBM.match(head):
        return "a Netpbm picture (PBM, PGM or PPM)"
    markup = _MARKUP.search(head.replace(b"\0", b""))
    if markup:
        is_svg = b"<svg" in head.lower()
        return "a drawing (SVG)" if is_svg else "a web page (HTML) or XML text, perhaps saved in place of the photo"
    if not head.strip(b"\0"):
        return "a file of zeros, such as a copy that was broken off,"
    try:
        text = head[:-4].decode() if len(head) == _HEAD else head.decode()
    except UnicodeDecodeError:
        return "a file of an unknown kind"
    return (
        "a text file"
        if text.isprintable() or not re.search(r"[^\s\x20-\U0010ffff]", text)
        else "a file of an unknown kind"
    )
