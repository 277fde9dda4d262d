"""DICOM: single photographs of skin. Only the picture's own tags are read, never those that identify a patient."""

import warnings
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
import pyvips  # type: ignore[import-untyped]
from numpy.typing import NDArray

from skinapp.errors import PhotoError
from skinapp.photo.header import Header

if TYPE_CHECKING:
    from pydicom import Dataset

_PHOTOGRAPH, _DERMOSCOPY = "1.2.840.10008.5.1.4.1.1.77.1.4", "1.2.840.10008.5.1.4.1.1.77.1.7"
"""SOP classes of VL Photographic Image Storage and Dermoscopic Photography Image Storage (DICOM PS3.6)."""

MAX_READS = 20_000
"""Reads of one file: a photo has some hundred elements, which take two or three reads each."""

_JPEG = "1.2.840.10008.1.2.4.50"
_PLAIN = {"1.2.840.10008.1.2", "1.2.840.10008.1.2.1"}  # little endian, implicit and explicit
_TAGS = [
    "SOPClassUID",
    "NumberOfFrames",
    "Rows",
    "Columns",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "PlanarConfiguration",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "BurnedInAnnotation",
    "ICCProfile",
    "PixelData",
]
_COLOURS = {"MONOCHROME1": 1, "MONOCHROME2": 1, "RGB": 3, "YBR_FULL": 3}
_HEAD = 65_536  # where a JPEG says how its colours are stored
_RGB_NOTE = "The file says that its colours are RGB, but the JPEG in it does not; they were read as the JPEG says."
_BURNED_IN_NOTE = "The file says that text is burned into the picture; it may cover the lesion or name the patient."
_ADVICE = "Export the photo as JPEG or PNG."


class _Bounded(BytesIO):
    """Bytes that can be read a limited number of times, because each element of a DICOM file costs some reads."""

    def __init__(self, data: bytes) -> None:
        """Start with all reads left."""
        super().__init__(data)
        self._left = MAX_READS

    def read(self, size: int | None = -1) -> bytes:
        """Read bytes; raises ValueError at the last read that is left."""
        self._left -= 1
        if self._left < 0:
            raise ValueError("too many elements")
        return super().read(size)


def inspect_dicom(data: bytes) -> tuple[Header | None, bytes, dict[str, Any]]:
    """Read a DICOM photograph of skin: its header, or the JPEG in it with what the file says of its colours.

    Raises PhotoError for another kind of DICOM file, and ValueError where it is damaged.
    """
    found = _read_tags(data)
    syntax, notes = _check_kind(found), ((_BURNED_IN_NOTE,) if found.get("BurnedInAnnotation") == "YES" else ())
    more: dict[str, Any] = {"profile": found.get("ICCProfile"), "notes": notes}
    more["inverted"] = found.get("PhotometricInterpretation") == "MONOCHROME1"
    if syntax == _JPEG:
        from pydicom.encaps import generate_frames

        jpeg = next(iter(generate_frames(found.PixelData, number_of_frames=1)))
        if found.get("PhotometricInterpretation") == "RGB" and b"Adobe" not in jpeg[:_HEAD]:
            more["notes"] += (_RGB_NOTE,)
        return None, jpeg, more
    return _describe_plain(found, **more), b"", {}


def _read_tags(data: bytes) -> "Dataset":
    """Read the tags of the picture alone; raises ValueError where the file is damaged."""
    import pydicom  # takes a while to import, and hardly any photo needs it
    from pydicom.errors import InvalidDicomError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd values of tags that are not read
            return pydicom.dcmread(_Bounded(data), specific_tags=list(_TAGS))
    except (InvalidDicomError, NotImplementedError, AttributeError) as error:
        raise ValueError("a damaged DICOM file") from error


def _check_kind(found: "Dataset") -> str:
    """Return the transfer syntax; PhotoError names what is not read."""
    from pydicom.uid import UID

    kind, syntax = UID(str(found.get("SOPClassUID", ""))), str(found.file_meta.get("TransferSyntaxUID", ""))
    if kind not in (_PHOTOGRAPH, _DERMOSCOPY):
        name = kind.name if kind.name != kind else "an unknown kind"
        raise PhotoError(f"This is a DICOM file ({name}), but no photograph of skin. {_ADVICE}")
    if int(found.get("NumberOfFrames") or 1) != 1:
        raise PhotoError(f"This DICOM file holds {found.NumberOfFrames} pictures; files with one are read. {_ADVICE}")
    if syntax != _JPEG and syntax not in _PLAIN:
        name = UID(syntax).name
        raise PhotoError(f"This DICOM file is compressed in a way that is not read ({name}). {_ADVICE}")
    if "PixelData" not in found:
        raise PhotoError(f"This DICOM file holds no picture. {_ADVICE}")
    return syntax


def _describe_plain(found: "Dataset", **more: Any) -> Header:
    width, height, samples = int(found.Columns), int(found.Rows), int(found.SamplesPerPixel)
    photometric, bits = str(found.PhotometricInterpretation), int(found.BitsAllocated)
    depths = (8,) if photometric == "YBR_FULL" else (8, 16)
    if _COLOURS.get(photometric) != samples or bits not in depths or found.get("PixelRepresentation"):
        raise PhotoError(
            f"This DICOM file holds samples of a kind that is not read ({photometric}, {bits} bits). {_ADVICE}"
        )
    pixels = found.PixelData
    wanted = width * height * samples * bits // 8
    if len(pixels) < wanted:
        raise ValueError("a cut picture")
    array = np.frombuffer(pixels, np.uint8 if bits == 8 else np.dtype("<u2"), width * height * samples)
    array, top = _cut_bits(array, found)
    is_planar = samples > 1 and found.get("PlanarConfiguration") == 1

    def open_stream(reduction: int, strict: bool) -> tuple[Any, int]:
        shaped = array.reshape(samples, height, width).transpose(1, 2, 0) if is_planar else array
        stream = pyvips.Image.new_from_array(np.ascontiguousarray(shaped).reshape(height, width, samples))
        return (_convert_ycc(stream) if photometric == "YBR_FULL" else stream), reduction

    return Header(
        "DICOM",
        width,
        height,
        open_stream,
        unpacked_bytes=wanted,
        held_bytes=2 * wanted,
        top=top,
        **more,
    )


def _cut_bits(array: NDArray[Any], found: "Dataset") -> tuple[NDArray[Any], int]:
    """Return samples without the bits around the stored ones, where old files keep overlays, and the largest sample."""
    allocated, stored = int(found.BitsAllocated), int(found.get("BitsStored") or found.BitsAllocated)
    above = int(found.get("HighBit", stored - 1)) + 1 - stored
    if not 0 < stored <= stored + above <= allocated or above < 0:
        raise ValueError("bits that do not fit the samples")
    top = (1 << stored) - 1
    return (array if stored == allocated else array >> above & top), top


def _convert_ycc(stream: Any) -> Any:
    """Convert full-range YCbCr to RGB (DICOM PS3.3, C.7.6.3.1.2), of 8 bits."""
    shifted = stream - [0, 128, 128]
    matrix = [[1, 0, 1.402], [1, -0.344136, -0.714136], [1, 1.772, 0]]
    return shifted.recomb(matrix).rint().cast("uchar").copy(interpretation="srgb")
