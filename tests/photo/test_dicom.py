import io
import warnings
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, JPEG2000Lossless, JPEGBaseline8Bit

from skinapp.errors import PhotoError
from skinapp.photo import Photo, read_photo

PHOTOGRAPH, DERMOSCOPY = "1.2.840.10008.5.1.4.1.1.77.1.4", "1.2.840.10008.5.1.4.1.1.77.1.7"
NAME, NUMBER = "Sorgfalt^Helene", "4711-0815"


def make_dicom(pixels: bytes, shape: tuple[int, ...], syntax: str = ExplicitVRLittleEndian, **tags: Any) -> bytes:
    """Write a DICOM file with a patient's name and number in it; `tags` replace or add to those of 8-bit RGB."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.PatientName, dataset.PatientID = NAME, NUMBER
    standard = {
        "SOPClassUID": DERMOSCOPY,
        "SOPInstanceUID": "1.2.3",
        "Rows": shape[0],
        "Columns": shape[1],
        "SamplesPerPixel": (*shape, 1)[2],
        "PhotometricInterpretation": "RGB",
        "PlanarConfiguration": 0,
        "BitsAllocated": 8,
        "BitsStored": 8,
        "HighBit": 7,
        "PixelRepresentation": 0,
    }
    for tag, value in (standard | tags).items():
        setattr(dataset, tag, value)
    dataset["PixelData"] = _make_element(pixels, syntax)
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset.save_as(file, enforce_file_format=True)
    return file.getvalue()


def _make_element(pixels: bytes, syntax: str) -> DataElement:
    element = DataElement("PixelData", "OB", pixels)
    element.is_undefined_length = syntax not in (ExplicitVRLittleEndian, ImplicitVRLittleEndian)
    return element


def draw(side: int) -> NDArray[np.uint8]:
    ramp = np.tile(np.linspace(0, 255, side).astype(np.uint8), (side, 1))
    return np.dstack([ramp, ramp // 2, 255 - ramp])


def encode(pixels: NDArray[np.uint8], format: str, **options: object) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format, **options)
    return file.getvalue()


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
@pytest.mark.parametrize("kind", [PHOTOGRAPH, DERMOSCOPY])
def test_a_plain_photograph_is_read(kind: str, syntax: str) -> None:
    colour = draw(64)
    photo = read_photo(make_dicom(colour.tobytes(), colour.shape, syntax, SOPClassUID=kind))
    assert (photo.format, photo.width, photo.height, photo.notes) == ("DICOM", 64, 64, ())
    assert np.array_equal(photo.pixels, colour)


def test_planes_apart_and_ycbcr_are_read() -> None:
    colour = draw(64)
    apart = colour.transpose(2, 0, 1).tobytes()
    assert np.array_equal(read_photo(make_dicom(apart, colour.shape, PlanarConfiguration=1)).pixels, colour)
    ycbcr = np.asarray(Image.fromarray(colour).convert("YCbCr"))
    photo = read_photo(make_dicom(ycbcr.tobytes(), colour.shape, PhotometricInterpretation="YBR_FULL"))
    assert np.abs(photo.pixels.astype(int) - colour).max() <= 3


@pytest.mark.parametrize(("photometric", "turned"), [("MONOCHROME1", True), ("MONOCHROME2", False)])
def test_grey_of_twelve_stored_bits_has_the_stated_range(photometric: str, turned: bool) -> None:
    ramp = np.tile(np.linspace(0, 2000, 64).astype("<u2"), (64, 1))
    more = {"BitsAllocated": 16, "BitsStored": 12, "HighBit": 11, "PhotometricInterpretation": photometric}
    photo = read_photo(make_dicom(ramp.tobytes(), ramp.shape, SamplesPerPixel=1, **more))
    expected = np.round(ramp / 4095 * 255).astype(int)
    assert np.abs(photo.pixels[..., 0] - (255 - expected if turned else expected)).max() <= 1
    assert photo.notes == ()


@pytest.mark.parametrize(("high", "shift"), [(11, 0), (15, 4)])
def test_bits_beside_the_stored_ones_are_no_part_of_a_sample(high: int, shift: int) -> None:
    ramp = np.tile(np.linspace(0, 4095, 64).astype("<u2"), (64, 1))
    samples = ramp << shift | (0xF000 if not shift else 0x000F)
    more = {"BitsAllocated": 16, "BitsStored": 12, "HighBit": high, "PhotometricInterpretation": "MONOCHROME2"}
    photo = read_photo(make_dicom(samples.tobytes(), ramp.shape, SamplesPerPixel=1, **more))
    assert np.abs(photo.pixels[..., 0] - np.round(ramp / 4095 * 255).astype(int)).max() <= 1
    assert photo.notes == ()


@pytest.mark.parametrize(("photometric", "turned"), [("MONOCHROME1", True), ("MONOCHROME2", False)])
def test_a_grey_jpeg_within_dicom_is_turned_where_white_is_zero(photometric: str, turned: bool) -> None:
    ramp = draw(64)[..., 0]
    data = make_dicom(
        encapsulate([encode(ramp, "JPEG", quality=100)]),
        ramp.shape,
        JPEGBaseline8Bit,
        PhotometricInterpretation=photometric,
        SamplesPerPixel=1,
    )
    expected = 255 - ramp.astype(int) if turned else ramp.astype(int)
    assert np.abs(read_photo(data).pixels[..., 0] - expected).max() <= 2


def test_a_jpeg_within_dicom_is_read_as_that_jpeg() -> None:
    jpeg = encode(draw(1300), "JPEG", quality=95)
    data = make_dicom(encapsulate([jpeg]), (1300, 1300, 3), JPEGBaseline8Bit, PhotometricInterpretation="YBR_FULL_422")
    photo = read_photo(data)
    assert (photo.format, photo.width, photo.pixels.shape) == ("DICOM", 1300, (650, 650, 3))
    assert np.array_equal(photo.pixels, read_photo(jpeg).pixels)


def test_colours_that_dicom_and_jpeg_name_differently_are_said() -> None:
    data = make_dicom(encapsulate([encode(draw(64), "JPEG")]), (64, 64, 3), JPEGBaseline8Bit)
    assert "as the JPEG says" in read_photo(data).notes[0]


@pytest.mark.parametrize(
    ("tags", "sentence"),
    [
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.2"}, "CT Image Storage"),
        ({"SOPClassUID": "1.2.3.4"}, "no photograph of skin"),
        ({"NumberOfFrames": 12}, "12 pictures"),
        ({"PhotometricInterpretation": "PALETTE COLOR", "SamplesPerPixel": 1}, "PALETTE COLOR"),
        ({"Rows": 9000}, "damaged or incomplete"),
        ({"PhotometricInterpretation": "YBR_FULL", "BitsAllocated": 16, "Rows": 32}, "YBR_FULL, 16 bits"),
        ({"BitsStored": 12}, "damaged or incomplete"),
    ],
)
def test_another_dicom_file_is_named(tags: dict[str, Any], sentence: str) -> None:
    with pytest.raises(PhotoError, match=sentence) as refused:
        read_photo(make_dicom(draw(64).tobytes(), (64, 64, 3), **tags))
    assert NAME not in str(refused.value)


def test_another_compression_is_named() -> None:
    data = make_dicom(encapsulate([encode(draw(64), "JPEG2000")]), (64, 64, 3), JPEG2000Lossless)
    with pytest.raises(PhotoError, match="JPEG 2000"):
        read_photo(data)


def test_burned_in_text_is_said_and_nothing_of_the_patient_is_kept() -> None:
    photo = read_photo(make_dicom(draw(64).tobytes(), (64, 64, 3), BurnedInAnnotation="YES"))
    assert "burned into" in photo.notes[0]
    kept = [str(getattr(photo, name)) for name in Photo.__dataclass_fields__]
    assert not any(word in one for one in kept for word in (NAME, "Sorgfalt", NUMBER))


def test_a_cut_dicom_file_is_refused() -> None:
    data = make_dicom(draw(64).tobytes(), (64, 64, 3))
    for length in (140, 200, len(data) // 2):
        with pytest.raises(PhotoError):
            read_photo(data[:length])
