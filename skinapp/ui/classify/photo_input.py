"""Ways to choose photos: an upload (or several, or a pasted picture), the camera, or an example."""

from pathlib import Path
from urllib.parse import urlsplit

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from skinapp.inference.desk import ChosenPhoto
from skinapp.photo import MAX_BYTES
from skinapp.ui import state
from skinapp.ui.classify import examples
from skinapp.ui.component import define_component

WAY = "way"
"""The widget that says where the photo is."""

UPLOAD, CAMERA, EXAMPLE = "Upload", "Camera", "Example"

MAX_PHOTOS = 20
"""How many photos may be chosen at once: as many as the tray holds answers."""

DRAWING = Path(__file__).parent / "pictures" / "dermatoscope.svg"
DRAWING_ALT = "A dermatoscope stands on the skin over a lesion; beside it the round, evenly lit photo it takes."

KEPT = (
    "The server reads it in memory, never from a disk, and deletes it as soon as it is answered or you leave the page. "
    "The answers, each with a small picture of what the networks saw, stay in memory until you choose Forget all, or "
    "three minutes after you leave."
)
"""What is kept of a photo, and for how long."""

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}

_hand_over = define_component("handed_files")


def show_introduction() -> None:
    """Show which photos the networks understand, in words and as a drawing."""
    words, drawing = st.columns([3, 2], vertical_alignment="center")
    words.markdown(
        "**Dermoscopy only:** a photo taken *through a dermatoscope placed on the skin*. For any other picture, "
        "even a phone photo of the skin, the answer means nothing."
    )
    words.page_link("pages/story.py", label="How far can you trust a score? A story in seven steps")
    drawing.image(DRAWING, width=300, alt=DRAWING_ALT)


def take_handed_files() -> None:
    """Let the browser hand over pasted pictures, and a photo whose frame is to be changed."""
    again = state.get_desk().again
    asked = {"number": again.number, "name": again.name, "size": again.size_bytes} if again else None
    _hand_over(
        key="handed-files",
        data={"max_bytes": MAX_BYTES, "round": state.get_round(), "again": asked},
        on_wanted_change=_open_upload,
    )


def show() -> list[ChosenPhoto]:
    """Show the ways to choose photos and return those that were chosen."""
    way = st.segmented_control(
        "Where is the photo?",
        (UPLOAD, CAMERA, EXAMPLE),
        default=UPLOAD,
        required=True,
        key=state.build_widget_key(WAY),
    )
    return {UPLOAD: _show_upload, CAMERA: _show_camera, EXAMPLE: examples.show}[way or UPLOAD]()


def show_refusals() -> None:
    """Say why photos that were chosen last could not be used."""
    for refusal in state.get_desk().refusals:
        st.error(refusal)


def is_camera_allowed(url: str | None) -> bool:
    """Tell whether browsers let a page at this address use the camera: over https, or on the same computer."""
    parts = urlsplit(url or "")
    return parts.scheme == "https" or (parts.hostname or "") in _LOOPBACK


def open_upload_again(answer: state.Answer) -> None:
    """Clear the desk and open the uploader, into which the browser puts the photo of an answer once more."""
    state.keep_desk(state.get_desk().ask_again(answer))
    state.set_widget(state.build_widget_key(WAY), UPLOAD)


def _open_upload() -> None:
    """Make room for pasted pictures: close what is open and show the uploader."""
    state.clear_desk()
    state.set_widget(state.build_widget_key(WAY), UPLOAD)


def _show_upload() -> list[ChosenPhoto]:
    # "image" makes a phone offer its own camera. Browsers know no type for the other suffixes.
    files = st.file_uploader(
        "Upload dermoscopy photos",
        type=["image", ".heic", ".heif", ".avif", ".dcm"],
        accept_multiple_files=True,
        max_upload_size=MAX_BYTES // 2**20,
        key=state.build_chooser_key("upload"),
        help=f"JPEG, PNG, WebP, BMP, TIFF, AVIF, HEIC or DICOM, up to {MAX_BYTES // 2**20} MB each and {MAX_PHOTOS} at "
        f"once. {KEPT}",
    )
    st.caption("Or paste a picture: Ctrl+V, on a Mac ⌘V.")
    return [_take_file(file, UPLOAD) for file in files]


def _show_camera() -> list[ChosenPhoto]:
    if not is_camera_allowed(st.context.url):
        st.info("Browsers allow the camera on secure pages (https) only. Choose Upload: phones offer a camera there.")
        return []
    st.caption("Hold the dermatoscope to the lens. The button on the picture switches to the rear camera.")
    file = st.camera_input(
        "Take a dermoscopy photo", resolution="1080p", key=state.build_chooser_key("camera"), help=KEPT
    )
    return [_take_file(file, CAMERA)] if file else []


def _take_file(file: UploadedFile, source: str) -> ChosenPhoto:
    return ChosenPhoto(file.file_id, source, file)
