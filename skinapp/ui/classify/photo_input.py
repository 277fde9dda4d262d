"""How a photo comes in: uploaded, from the camera, or an example."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import streamlit as st

from skinapp.datasets.showcase import Example, examples_folder, fetch_example
from skinapp.errors import ExampleError
from skinapp.photo import MAX_BYTES
from skinapp.ui import loaders, state

UPLOAD, CAMERA, EXAMPLE = "Upload", "Camera", "Example"

DRAWING = Path(__file__).parent / "pictures" / "dermatoscope.svg"
DRAWING_ALT = "A dermatoscope stands on the skin over a lesion; beside it the round, evenly lit photo it takes."

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


@dataclass(frozen=True, eq=False)
class Incoming:
    """A photo's bytes as they came, and for an example what it is and whose."""

    data: bytes
    example: Example | None = None
    attribution: str = ""


def introduction() -> None:
    """Say in one sentence and a drawing which photos the networks understand."""
    words, drawing = st.columns([3, 2], vertical_alignment="center")
    words.markdown(
        "**Dermoscopy only:** a photo taken *through a dermatoscope placed on the skin*. For any other picture, "
        "a plain phone photo of the skin too, the answer means nothing."
    )
    words.page_link("views/story.py", label="How far can a score be trusted? A story in seven steps")
    drawing.image(DRAWING, width=300, alt=DRAWING_ALT)


def photo_input() -> Incoming | None:
    """Show the three ways in and return the photo that came, if one did."""
    way = st.segmented_control(
        "Where is the photo?",
        (UPLOAD, CAMERA, EXAMPLE),
        default=UPLOAD,
        required=True,
        key=state.widget_key("way"),
    )
    return {UPLOAD: _upload, CAMERA: _camera, EXAMPLE: _example}[way or UPLOAD]()


def camera_allowed(url: str | None) -> bool:
    """Tell whether a browser gives a page at this address a camera: over https, or on the visitor's own machine."""
    parts = urlsplit(url or "")
    return parts.scheme == "https" or (parts.hostname or "") in _LOOPBACK


def _upload() -> Incoming | None:
    # "image" makes a phone offer its own camera; the suffixes let through what browsers know no type for.
    file = st.file_uploader(
        "Upload a dermoscopy photo",
        type=["image", ".heic", ".heif", ".avif"],
        max_upload_size=MAX_BYTES // 2**20,
        key=state.widget_key("upload"),
        help="JPEG, PNG, WebP, BMP, TIFF, AVIF or HEIC, up to 50 MB. It stays in memory until you start over or "
        "close the page; it is never stored.",
    )
    return Incoming(file.getvalue()) if file else None


def _camera() -> Incoming | None:
    if not camera_allowed(st.context.url):
        st.info("Browsers give a camera to secure pages (https) only. Choose Upload: a phone offers its camera there.")
        return None
    st.caption("Hold the dermatoscope to the lens. The button on the picture changes to the rear camera.")
    file = st.camera_input("Take a dermoscopy photo", resolution="1080p", key=state.widget_key("camera"))
    return Incoming(file.getvalue()) if file else None


def _example() -> Incoming | None:
    examples = loaders.showcase()
    st.caption(
        f"{len(examples)} photos that no network was trained on, four of each lesion type. "
        "They were drawn by chance, not chosen for their answers; what each one is, is said after the answer."
    )
    chosen = st.selectbox(
        "Example",
        range(len(examples)),
        format_func=lambda number: f"Photo {number + 1} of {len(examples)}",
        index=None,
        placeholder="Choose a photo",
        key=state.widget_key("example"),
    )
    if chosen is None:
        return None
    example = examples[chosen]
    try:
        with st.spinner("Fetching the photo"):
            photo = fetch_example(example.image_id, examples_folder())
    except ExampleError as error:
        st.warning(str(error))
        return None
    return Incoming(photo.data, example, photo.attribution)
