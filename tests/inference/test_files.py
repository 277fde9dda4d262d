from collections.abc import Callable
from pathlib import Path

import pytest

from skinapp.inference.assessor import Assessor, load_assessor
from skinapp.inference.files import assess_files, find_photos
from skinapp.networks.classifier import BATCH_PHOTOS
from skinapp.networks.device import Device
from skinapp.photo import read_photo_file

DrawPicture = Callable[..., None]


@pytest.fixture(scope="module")
def assessor(models: Path) -> Assessor:
    return load_assessor(models, Device("cpu", "CPU"))


def test_photos_are_found_sorted_and_by_suffix(tmp_path: Path, draw_picture: DrawPicture) -> None:
    for name in ("b.JPG", "a.webp", "deep/er/c.png", "d.jpeg"):
        draw_picture(tmp_path / name, 0)
    (tmp_path / "notes.txt").write_text("no photo")
    (tmp_path / "folder.png").mkdir()
    expected = [tmp_path / name for name in ("a.webp", "b.JPG", "d.jpeg", "deep/er/c.png")]
    assert find_photos([tmp_path]) == expected


def test_files_stay_as_given_whatever_their_suffix(tmp_path: Path, draw_picture: DrawPicture) -> None:
    draw_picture(tmp_path / "folder" / "a.png", 0)
    given = [tmp_path / "z.txt", tmp_path / "folder", tmp_path / "absent.jpg"]
    assert find_photos(given) == [tmp_path / "z.txt", tmp_path / "folder" / "a.png", tmp_path / "absent.jpg"]


def test_every_file_gets_an_answer_or_a_sentence(assessor: Assessor, tmp_path: Path, draw_picture: DrawPicture) -> None:
    names = ("a.jpg", "b.png", "broken.jpg", "c.webp", "cut.png")
    for seed, name in enumerate(names):
        draw_picture(tmp_path / name, seed)
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    (tmp_path / "cut.png").write_bytes((tmp_path / "cut.png").read_bytes()[:2000])
    files = [*find_photos([tmp_path]), tmp_path / "absent.jpg"]
    answers = list(assess_files(assessor, files))
    assert [answer.file.name for answer in answers] == [*names, "absent.jpg"]
    for answer in answers:
        if answer.file.name in ("a.jpg", "b.png", "c.webp"):
            assert answer.error is None
            assert answer.assessment is not None
            expected = assessor.assess(read_photo_file(answer.file))
            assert answer.assessment.sha256 == expected.sha256
            assert answer.assessment.lesion_type.values == pytest.approx(expected.lesion_type.values, abs=1e-5)
        else:
            assert answer.assessment is None
            assert answer.error


def test_many_files_keep_their_order_across_batches(
    assessor: Assessor, tmp_path: Path, draw_picture: DrawPicture
) -> None:
    files = [tmp_path / f"{number:03}.png" for number in range(2 * BATCH_PHOTOS + 3)]
    for seed, file in enumerate(files):
        draw_picture(file, seed, (40, 40))
    files[5].write_bytes(b"no picture")
    answers = list(assess_files(assessor, files))
    assert [answer.file for answer in answers] == files
    for answer in answers:
        expected = None if answer.file == files[5] else read_photo_file(answer.file).sha256
        assert (answer.assessment.sha256 if answer.assessment else None) == expected


def test_a_batch_of_broken_files_alone(assessor: Assessor, tmp_path: Path) -> None:
    (answer,) = assess_files(assessor, [tmp_path / "absent.jpg"])
    assert answer.assessment is None
    assert "absent.jpg" in (answer.error or "")
    assert list(assess_files(assessor, [])) == []
