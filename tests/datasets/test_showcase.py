import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from skinapp.datasets import showcase
from skinapp.datasets.showcase import fetch_example, find_example, get_examples_folder
from skinapp.errors import ExampleError
from skinapp.photo import MAX_BYTES

ID = "ISIC_0024306"
NOWHERE = "http://127.0.0.1:9/images/"  # the discard port: nothing listens there


def jpeg(colour: str = "brown") -> bytes:
    file = BytesIO()
    Image.new("RGB", (64, 48), colour).save(file, "JPEG")
    return file.getvalue()


@dataclass
class Archive:
    """A small archive on this machine: for each path a status and a body, or an address to go to."""

    url: str
    answers: dict[str, tuple[int, bytes | str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def offer(self, photo: bytes, photo_url: str = "", **changes: object) -> None:
        answer = {
            "isic_id": ID,
            "copyright_license": "CC-BY-NC",
            "attribution": "A Clinic of Vienna",
            "files": {"full": {"url": photo_url or f"{self.url}file", "size": len(photo)}},
        }
        self.answers[f"/{ID}/"] = (200, json.dumps(answer | changes).encode())
        self.answers["/file"] = (200, photo)


@pytest.fixture
def archive() -> Iterator[Archive]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            offered.asked.append(self.path)
            status, body = offered.answers.get(self.path, (404, b"not here"))
            self.send_response(status)
            if isinstance(body, str):
                self.send_header("Location", body)
                body = b""
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        offered = Archive(f"http://127.0.0.1:{server.server_port}/")
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield offered
        server.shutdown()


def test_a_photo_comes_from_the_archive_with_its_attribution(archive: Archive, tmp_path: Path) -> None:
    archive.offer(jpeg())
    photo = fetch_example(ID, None, tmp_path / "cache", archive.url)
    assert photo.data == jpeg()
    assert photo.attribution == f"{ID}, A Clinic of Vienna, CC-BY-NC, ISIC Archive"


def test_a_fetched_photo_is_cached_and_read_without_a_network(archive: Archive, tmp_path: Path) -> None:
    archive.offer(jpeg())
    fetched = fetch_example(ID, None, tmp_path, archive.url)
    assert sorted(file.name for file in tmp_path.iterdir()) == [f"{ID}.json", f"{ID}.photo"]
    assert fetch_example(ID, None, tmp_path, NOWHERE) == fetched


@pytest.mark.parametrize(
    ("name", "damage"), [(f"{ID}.photo", b"half"), (f"{ID}.json", b'{"attribution"'), (f"{ID}.json", b"[]")]
)
def test_a_damaged_cache_is_fetched_anew(archive: Archive, tmp_path: Path, name: str, damage: bytes) -> None:
    archive.offer(jpeg())
    first = fetch_example(ID, None, tmp_path, archive.url)
    (tmp_path / name).write_bytes(damage)
    assert fetch_example(ID, None, tmp_path, archive.url) == first
    assert archive.asked.count("/file") == 2
    assert fetch_example(ID, None, tmp_path, NOWHERE) == first


def test_a_cache_that_cannot_be_written_costs_no_photo(archive: Archive, tmp_path: Path) -> None:
    archive.offer(jpeg())
    (tmp_path / "file").touch()
    assert fetch_example(ID, None, tmp_path / "file" / "cache", archive.url).data == jpeg()


def test_the_users_cache_is_the_default(archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platformdirs.user_cache_path", lambda app: tmp_path / app)
    archive.offer(jpeg())
    fetch_example(ID, None, archive=archive.url)
    assert (tmp_path / "skinapp" / "examples" / f"{ID}.photo").read_bytes() == jpeg()


def test_a_downsampled_id_is_asked_for_by_its_archive_name(archive: Archive, tmp_path: Path) -> None:
    archive.offer(jpeg())
    assert fetch_example(f"{ID}_downsampled", None, tmp_path, archive.url).data == jpeg()
    assert archive.asked[0] == f"/{ID}/"


def test_redirects_are_followed(archive: Archive, tmp_path: Path) -> None:
    archive.offer(jpeg(), photo_url=f"{archive.url}moved")
    archive.answers["/moved"] = (302, f"{archive.url}file")
    assert fetch_example(ID, None, tmp_path, archive.url).data == jpeg()


@pytest.mark.parametrize("how", ["photo address", "redirect"])
def test_nothing_is_fetched_over_an_open_line(archive: Archive, tmp_path: Path, how: str) -> None:
    open_line = "http://192.0.2.1/photo.jpg"  # RFC 5737: an address that is nobody's
    archive.offer(jpeg(), photo_url=open_line if how == "photo address" else f"{archive.url}moved")
    archive.answers["/moved"] = (302, open_line)
    with pytest.raises(ExampleError, match="cannot be used") as refusal:
        fetch_example(ID, None, tmp_path, archive.url)
    assert "http is not https" in str(refusal.value.__cause__)


def test_an_open_archive_elsewhere_is_never_asked(tmp_path: Path) -> None:
    with pytest.raises(ExampleError) as refusal:
        fetch_example(ID, None, tmp_path, "http://192.0.2.1/images/")
    assert "http is not https" in str(refusal.value.__cause__)


def test_an_archive_over_https_cannot_send_to_this_machine(archive: Archive) -> None:
    with showcase._open_client(showcase.ARCHIVE_URL) as client, pytest.raises(Exception, match="http is not https"):
        client.get(archive.url)
    assert archive.asked == []


def without(key: str) -> bytes:
    answer = {"copyright_license": "CC-0", "attribution": "A", "files": {"full": {"url": "https://192.0.2.1/"}}}
    return json.dumps({name: value for name, value in answer.items() if name != key}).encode()


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ((404, b""), "no longer offers"),
        ((410, b""), "no longer offers"),
        ((500, b""), "cannot be used"),
        ((200, b"<html>busy</html>"), "cannot be used"),
        ((200, b"\xff\xfe"), "cannot be used"),
        ((200, b"[]"), "cannot be used"),
        ((200, without("attribution")), "cannot be used"),
        ((200, without("copyright_license")), "cannot be used"),
        ((200, without("files")), "cannot be used"),
        ((200, without("").replace(b"https://192.0.2.1/", b"https://a:b/")), "cannot be used"),
        ((200, b" " * 2**21 + without("")), "cannot be used"),
        ((302, "/ISIC_0024306/"), "cannot be reached"),
    ],
)
def test_an_answer_that_helps_nobody_becomes_one_sentence(
    archive: Archive, tmp_path: Path, answer: tuple[int, bytes | str], sentence: str
) -> None:
    archive.answers[f"/{ID}/"] = answer
    with pytest.raises(ExampleError, match=sentence) as refusal:
        fetch_example(ID, None, tmp_path, archive.url)
    assert "set SKINAPP_EXAMPLES" in str(refusal.value)
    assert str(refusal.value).count(". ") == 0


@pytest.mark.parametrize("photo", [b"", b"<html>", jpeg()[:300], bytes(MAX_BYTES + 1)], ids=len)
def test_a_download_is_checked_like_an_upload_before_it_is_cached(
    archive: Archive, tmp_path: Path, photo: bytes
) -> None:
    archive.offer(photo)
    with pytest.raises(ExampleError, match="cannot be used"):
        fetch_example(ID, None, tmp_path, archive.url)
    assert list(tmp_path.iterdir()) == []


def test_a_download_that_takes_too_long_is_given_up(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive.offer(jpeg())
    monkeypatch.setattr(showcase, "DOWNLOAD_S", -1.0)
    with pytest.raises(ExampleError, match="cannot be used"):
        fetch_example(ID, None, tmp_path, archive.url)


def test_without_a_network_the_sentence_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ExampleError, match=r"cannot be reached .* SKINAPP_EXAMPLES"):
        fetch_example(ID, None, tmp_path, NOWHERE)


@pytest.mark.parametrize(
    "image_id", ["", "ISIC_1", "ISIC_00243060", "../ISIC_0024306", "ISIC_0024306\n", "ISIC_٠٠٢٤٣٠٦"]
)
def test_only_isic_ids_are_asked_for(archive: Archive, tmp_path: Path, image_id: str) -> None:
    with pytest.raises(ExampleError, match="is not the id of an ISIC photo"):
        fetch_example(image_id, tmp_path, tmp_path, archive.url)
    assert archive.asked == []


@pytest.mark.parametrize("name", [f"{ID}.jpg", f"{ID}.JPG", f"originals/{ID}.jpeg"])
def test_a_folder_is_searched_itself_and_one_level_below(tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_bytes(jpeg())
    photo = fetch_example(ID, tmp_path, archive=NOWHERE)
    assert (photo.data, photo.attribution) == (jpeg(), f"{ID}, ISIC Archive")


def test_a_photo_is_preferred_to_a_mask_of_the_same_name(tmp_path: Path) -> None:
    for folder, suffix in (("masks", "png"), ("photos", "jpg")):
        (tmp_path / folder).mkdir()
        Image.new("RGB", (64, 48), "brown").save(tmp_path / folder / f"{ID}.{suffix}")
    assert fetch_example(ID, tmp_path).data == (tmp_path / "photos" / f"{ID}.jpg").read_bytes()


def test_a_folder_without_the_photo_never_falls_back_to_the_network(archive: Archive, tmp_path: Path) -> None:
    archive.offer(jpeg())
    with pytest.raises(ExampleError, match="no photo of ISIC_0024306"):
        fetch_example(ID, tmp_path, tmp_path, archive.url)
    with pytest.raises(ExampleError, match="cannot be read"):
        fetch_example(ID, tmp_path / "missing", tmp_path, archive.url)
    assert archive.asked == []


def test_a_bad_photo_in_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / f"{ID}.jpg").write_text("no photo")
    with pytest.raises(ExampleError, match=rf"{ID}.jpg cannot be used as an example"):
        fetch_example(ID, tmp_path)


def test_the_environment_names_the_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKINAPP_EXAMPLES", "~/photos")
    assert get_examples_folder() == Path.home() / "photos"
    monkeypatch.setenv("SKINAPP_EXAMPLES", " ")
    assert get_examples_folder() is None
    monkeypatch.delenv("SKINAPP_EXAMPLES")
    assert get_examples_folder() is None


def test_a_photo_at_hand_is_found_in_the_folder_the_data_root_or_the_cache(tmp_path: Path, archive: Archive) -> None:
    archive.offer(jpeg("red"))
    cache, file = tmp_path / "cache", tmp_path / "data" / f"{ID}.jpg"
    assert find_example(ID, None, file, cache) is None
    cached = fetch_example(ID, None, cache, archive.url)
    asked = list(archive.asked)
    assert find_example(ID, None, file, cache) == cached
    file.parent.mkdir()
    file.write_bytes(jpeg("blue"))
    found = find_example(ID, None, file, cache)
    assert found
    assert found.data == jpeg("blue")
    assert find_example(ID, tmp_path / "nowhere", file, cache) is None  # the folder that is named decides alone
    assert find_example(ID, file.parent, None, cache) == found
    assert archive.asked == asked


def test_a_broken_photo_is_not_at_hand(tmp_path: Path) -> None:
    file = tmp_path / f"{ID}.jpg"
    file.write_bytes(b"no photo")
    assert find_example(ID, None, file, tmp_path / "cache") is None


def test_an_example_comes_from_the_data_root_where_it_has_it(tmp_path: Path) -> None:
    photos = tmp_path / "ham10000" / "photos"
    photos.mkdir(parents=True)
    (photos / f"{ID}.jpg").write_bytes(jpeg("pink"))
    found = fetch_example(ID, None, tmp_path / "no cache", NOWHERE, data_root=tmp_path)
    assert found.data == jpeg("pink")
