"""Colours described by code points (ITU-T H.273): read as a profile where possible, else named in a note."""

from functools import cache

from PIL import ImageCms

from skinapp.photo.header import UNREAD_COLOUR_NOTE

_P3 = 12
_LIKE_SRGB = {1, 5, 6, 7}  # BT.709 and, hardly different, the primaries of standard-definition video
_UNKNOWN = {0, 2}
_SRGB_CURVES = {0, 1, 2, 6, 13, 14, 15}  # sRGB, and BT.709 and its kin, which are shown with the same curve
_PRIMARIES = {4: "BT.470 M", 8: "film", 9: "BT.2020", 10: "XYZ", 11: "DCI-P3", _P3: "Display P3", 22: "EBU 3213"}
_CURVES = {
    4: "gamma 2.2",
    5: "gamma 2.8",
    8: "linear light",
    16: "PQ (high dynamic range)",
    18: "HLG (high dynamic range)",
}

_P3_COLUMNS = {  # Display P3's red, green and blue as XYZ under D50, from its published ICC profile
    b"rXYZ": (0.51512, 0.2412, -0.00105),
    b"gXYZ": (0.29198, 0.69225, 0.04189),
    b"bXYZ": (0.1571, 0.06657, 0.78407),
}


def describe_colours(primaries: int, curve: int) -> tuple[bytes | None, tuple[str, ...]]:
    """Return an ICC profile for code points of primaries and transfer curve, or a note where they are not converted.

    sRGB and what hardly differs from it needs neither.
    """
    if curve in _SRGB_CURVES and primaries in _LIKE_SRGB | _UNKNOWN:
        return None, ()
    if curve in _SRGB_CURVES and primaries == _P3:
        return make_p3_profile(), ()
    named = [_PRIMARIES.get(primaries, f"primaries {primaries}")] if primaries not in _LIKE_SRGB | _UNKNOWN else []
    named += [_CURVES.get(curve, f"transfer curve {curve}")] if curve not in _SRGB_CURVES else []
    return None, (UNREAD_COLOUR_NOTE.format(colours=" with ".join(named)),)


@cache
def make_p3_profile() -> bytes:
    """Make the ICC profile of Display P3: sRGB's curve and white with wider primaries."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    for tag, column in _P3_COLUMNS.items():
        entry = profile.index(tag)
        start = int.from_bytes(profile[entry + 4 : entry + 8]) + 8
        profile[start : start + 12] = b"".join(round(value * 65536).to_bytes(4, signed=True) for value in column)
    return bytes(profile)
