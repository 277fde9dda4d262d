"""Three ways to choose a photo: an upload, the camera, or an example."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import streamlit as st

from skinapp.datasets.showcase import Example, fetch_example, get_examples_folder
from skinapp.errors import ExampleError
from skinapp.photo import MAX_BYTES
from skinapp.ui import loaders, state

UPLOAD, CAMERA, EXAMPLE = "Upload", "Camera", "Example"

DRAWING = Path(__file__).parent / "pictures" / "dermatoscope.svg"
DRAWING_ALT = "A dermatoscope stands on the skin over a lesion; beside it the round, evenly lit photo it takes."

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


@dataclass(frozen=True, eq=False)
class IncomingPhoto:
    """A photo's bytes as they came; for an example also its label and attribution."""

    data: bytes
    example: Example | None = None
    attribution: str = ""


def show_introduction() -> None:
    """Show which photos the networks understand, in words and as a drawing."""
    words, drawing = st.columns([3, 2], vertical_alignment="center")
    words.markdown(
        "**Dermoscopy only:** a photo taken *through a dermatoscope placed on the skin*. For any other picture, "
        "even a phone photo of the skin, the answer means nothing."
    )
    words.page_link("pages/story.py", label="How far can you trust a score? A story in seven steps")
    drawing.image(DRAWING, width=300, alt=DRAWING_ALT)


def show() -> IncomingPhoto | None:
    """Show the three ways to choose a photo and return the one that came, or None."""
    way = st.segmented_control(
        "Where is the photo?",
        (UPLOAD, CAMERA, EXAMPLE),
        default=UPLOAD,
        required=True,
        key=state.build_widget_key("way"),
    )
    return {UPLOAD: _show_upload, CAMERA: _show_camera, EXAMPLE: _show_examples}[way or UPLOAD]()


def is_camera_allowed(url: str | None) -> bool:
    """Tell whether browsers let a page at this address use the camera: over https, or on the same computer."""
    parts = urlsplit(url or "")
    return parts.scheme == "https" or (parts.hostname or "") in _LOOPBACK


def _show_upload() -> IncomingPhoto | None:
    # "image" makes a phone offer its own camera. Browsers know no type for the other suffixes.
    file = st.file_uploader(
        "Upload a dermoscopy photo",
        type=["image", ".heic", ".heif", ".avif"],
        max_upload_size=MAX_BYTES // 2**20,
        key=state.build_widget_key("upload"),
        help=f"JPEG, PNG, WebP, BMP, TIFF, AVIF or HEIC, up to {MAX_BYTES // 2**20} MB. It stays in memory until you "
        "start over or close the page. It is never stored.",
    )
    return IncomingPhoto(file.getvalue()) if file else None


def _show_camera() -> IncomingPhoto | None:
    if not is_camera_allowed(st.context.url):
        st.info("Browsers allow the camera on secure pages (https) only. Choose Upload: phones offer a camera there.")
        return None
    st.caption("Hold the dermatoscope to the lens. The button on the picture switches to the rear camera.")
    file = st.camera_input("Take a dermoscopy photo", resolution="1080p", key=state.build_widget_key("camera"))
    return IncomingPhoto(file.getvalue()) if file else None


def _show_examples() -> IncomingPhoto | None:
    examples = loaders.get_showcase()
    st.caption(
        f"{len(examples)} photos that no network was trained on, four of each lesion type. They were drawn at random, "
        "not chosen for their answers. Each label is shown after the answer."
    )
    chosen = st.selectbox(
        "Example",
        range(len(examples)),
        format_func=lambda number: f"Photo {number + 1} of {len(examples)}",
        index=None,
        placeholder="Choose a photo",
        key=state.build_widget_key("example"),
    )
    if chosen is None:
        return None
    example = examples[chosen]
    try:
        with st.spinner("Fetching the photo"):
            photo = fetch_example(example.image_id, get_examples_folder())
    except ExampleError as error:
        st.warning(str(error))
        return None
    return IncomingPhoto(photo.data, example, photo.attribution)
