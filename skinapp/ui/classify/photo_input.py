"""Three ways to choose a photo: an upload, the camera, or an example."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from skinapp.datasets.showcase import Example, fetch_example, get_examples_folder
from skinapp.photo import MAX_BYTES
from skinapp.ui import loaders, state, uploads

UPLOAD, CAMERA, EXAMPLE = "Upload", "Camera", "Example"

DRAWING = Path(__file__).parent / "pictures" / "dermatoscope.svg"
DRAWING_ALT = "A dermatoscope stands on the skin over a lesion; beside it the round, evenly lit photo it takes."

KEPT = (
    "The server reads it in memory, never from a disk, and deletes it as soon as it is answered. The answer, with a "
    "small picture of what the networks saw, stays in memory until you start over, or three minutes after you leave."
)
"""What is kept of a photo, and for how long."""

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


@dataclass(frozen=True, eq=False)
class ChosenPhoto:
    """The photo in the chooser: an uploaded file, or an example. `id` names the choice, not its content."""

    id: str
    file: UploadedFile | None = None
    example: Example | None = None

    def read(self) -> tuple[bytes, str]:
        """Return the photo's bytes and its attribution, "" for an upload; ExampleError where there is no example."""
        if self.example:
            photo = fetch_example(self.example.image_id, get_examples_folder())
            return photo.data, photo.attribution
        return (self.file.getvalue() if self.file else b""), ""

    def release(self) -> None:
        """Let the server's copies of an uploaded photo go."""
        if self.file:
            uploads.release(self.file)


def show_introduction() -> None:
    """Show which photos the networks understand, in words and as a drawing."""
    words, drawing = st.columns([3, 2], vertical_alignment="center")
    words.markdown(
        "**Dermoscopy only:** a photo taken *through a dermatoscope placed on the skin*. For any other picture, "
        "even a phone photo of the skin, the answer means nothing."
    )
    words.page_link("pages/story.py", label="How far can you trust a score? A story in seven steps")
    drawing.image(DRAWING, width=300, alt=DRAWING_ALT)


def show() -> ChosenPhoto | None:
    """Show the three ways to choose a photo and return the one that is chosen, or None."""
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


def _show_upload() -> ChosenPhoto | None:
    # "image" makes a phone offer its own camera. Browsers know no type for the other suffixes.
    key = state.build_widget_key("upload")
    file = st.file_uploader(
        "Upload a dermoscopy photo",
        type=["image", ".heic", ".heif", ".avif", ".dcm"],
        max_upload_size=MAX_BYTES // 2**20,
        key=key,
        on_change=_forget_removed,
        args=(key,),
        help=f"JPEG, PNG, WebP, BMP, TIFF, AVIF, HEIC or DICOM, up to {MAX_BYTES // 2**20} MB. {KEPT}",
    )
    return ChosenPhoto(file.file_id, file) if file else None


def _show_camera() -> ChosenPhoto | None:
    if not is_camera_allowed(st.context.url):
        st.info("Browsers allow the camera on secure pages (https) only. Choose Upload: phones offer a camera there.")
        return None
    st.caption("Hold the dermatoscope to the lens. The button on the picture switches to the rear camera.")
    key = state.build_widget_key("camera")
    file = st.camera_input(
        "Take a dermoscopy photo", resolution="1080p", key=key, on_change=_forget_removed, args=(key,), help=KEPT
    )
    return ChosenPhoto(file.file_id, file) if file else None


def _show_examples() -> ChosenPhoto | None:
    examples = loaders.get_showcase()
    types = len({example.diagnosis for example in examples})
    st.caption(
        f"{len(examples)} photos of {types} lesion types that no network was trained on. They were drawn at random, "
        "not chosen for their answers. Each label is shown after the answer."
    )
    key = state.build_widget_key("example")
    chosen = st.selectbox(
        "Example",
        range(len(examples)),
        format_func=lambda number: f"Photo {number + 1} of {len(examples)}",
        index=None,
        placeholder="Choose a photo",
        key=key,
        on_change=_forget_removed,
        args=(key,),
    )
    return None if chosen is None else ChosenPhoto(examples[chosen].image_id, example=examples[chosen])


def _forget_removed(key: str) -> None:
    """Forget the answer when the visitor takes its photo away."""
    if state.get_widget(key) is None:
        state.keep_answer(None)
