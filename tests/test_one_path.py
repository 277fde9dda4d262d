"""One path for a photo: page, `skinapp classify` and `skinapp evaluate` give the same photo the same scores."""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import streamlit as st
from PIL import ExifTags, Image
from streamlit.testing.v1 import AppTest

from skinapp.cli.main import main
from skinapp.datasets.files import measure_files
from skinapp.datasets.table import build_image_table, read_table, write_table
from skinapp.inference import table
from skinapp.models.card import IMAGENET_MEAN
from skinapp.networks.preprocess import crop_for_network, to_tensor
from skinapp.photo import DECODE_SIDE, pixels
from skinapp.photo.square import find_largest_square
from skinapp.runs.stored import load_run
from skinapp.taxonomy import CODES, MALIGNANCY_CLASSES, is_malignant

TOLERANCE = 1e-4
PHOTOS = 20
APP = Path(__file__).parents[1] / "streamlit_app.py"
LABELS = [*MALIGNANCY_CLASSES, *CODES]


def draw_photo(path: Path, seed: int) -> None:
    """Draw a textured photo of some size and shape; the suffix decides the format, every third lies on its side."""
    random = np.random.default_rng(seed)
    patches = Image.fromarray(random.integers(0, 256, (6, 8, 3), dtype=np.uint8))
    longest = 3 * DECODE_SIDE if seed % 5 == 0 else 500
    size = (int(random.integers(longest * 3 // 4, longest)), int(random.integers(longest // 2, longest)))
    smooth = np.asarray(patches.resize(size, Image.Resampling.BICUBIC), dtype=int)
    grain = random.integers(-30, 31, smooth.shape)
    exif = Image.Exif()
    if seed % 3 == 0:
        exif[ExifTags.Base.Orientation] = 2 + seed % 7
    Image.fromarray((smooth + grain).clip(0, 255).astype(np.uint8)).save(path, exif=exif)


@pytest.fixture(scope="module")
def root(
    tmp_path_factory: pytest.TempPathFactory, make_model: Callable[..., Path], make_average: Callable[[Path], Path]
) -> Path:
    """Make a folder with photos, their image table, a model of each role, and apart from them a pair and an average."""
    root = tmp_path_factory.mktemp("one-path")
    (root / "photos").mkdir()
    files = [root / "photos" / f"{number:02}.{('jpg', 'webp')[number % 2]}" for number in range(PHOTOS)]
    for number, file in enumerate(files):
        draw_photo(file, number)
    diagnoses = [CODES[number % len(CODES)] for number in range(PHOTOS)]
    rows = measure_files(files, root).assign(
        image_id=[file.stem for file in files],
        lesion_id=[file.stem for file in files],
        diagnosis=diagnoses,
        malignant=[is_malignant(code) for code in diagnoses],
        split="test",
    )
    write_table(build_image_table(rows), root / "table.parquet")
    make_model(root / "models" / "malignancy", "malignancy", seed=1)
    make_model(root / "models" / "lesion-type", "lesion_type", seed=2)
    make_model(root / "pairs" / "pair", "both", seed=3)
    make_average(root / "averages" / "average")
    return root


def command(*arguments: object) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["skinapp", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            main()
    assert not left.value.code


def photos(root: Path) -> list[Path]:
    return [root / path for path in read_table(root / "table.parquet")["path"]]


@pytest.fixture(scope="module")
def by_command(root: Path) -> np.ndarray:
    """Return the scores of `skinapp classify`, (photos, labels), which answers all photos in one batch."""
    return classified(root, "models")


def classified(root: Path, models: str) -> np.ndarray:
    answer = root / f"{models}.csv"
    command("classify", *photos(root), "--format", "csv", "-o", answer, "--models", root / models)
    return pd.read_csv(answer)[LABELS].to_numpy()


def press(page: AppTest, label: str) -> None:
    (button,) = [one for one in page.button if one.label == label]
    button.click().run()


def by_page(root: Path, models: str = "models") -> np.ndarray:
    """Return the scores of the page, each photo uploaded for itself."""
    st.cache_resource.clear()
    rows = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SKINAPP_MODELS", str(root / models))
        page = AppTest.from_file(APP, default_timeout=60).run()
        for file in photos(root):
            page.file_uploader[0].set_value([(file.name, file.read_bytes(), f"image/{file.suffix[1:]}")]).run()
            desk = page.session_state["desk"]
            (draft,) = desk.drafts  # the page proposes a part with the lesion; here the whole photo is assessed
            whole = find_largest_square(draft.width, draft.height)
            page.session_state["desk"] = desk.move_frame(draft.id, whole)
            press(page, "Assess this part")
            assert not page.exception
            seen = page.session_state["desk"].answer.assessment
            press(page, "New photo")
            malignancy = [seen.malignancy.score_of(label) for label in MALIGNANCY_CLASSES]
            rows.append([*malignancy, *(seen.lesion_type.score_of(code) for code in CODES)])
    return np.array(rows)


def by_evaluation(root: Path, models: tuple[str, ...] = ("malignancy", "lesion-type")) -> np.ndarray:
    """Return the scores of the runs that `skinapp evaluate` stores."""
    parts = []
    for model in models:
        folder = root / "models" / model
        command("evaluate", folder, root / "table.parquet", "--data", root, "--name", "one-path")
        run = load_run(folder / "runs" / "one-path")
        assert run.frame["image_id"].tolist() == [file.stem for file in photos(root)]
        parts.append(run.probabilities())
    return np.concatenate(parts, axis=1)


def assert_agree(some: np.ndarray, others: np.ndarray) -> None:
    assert some.shape == others.shape
    assert np.abs(some - others).max() <= TOLERANCE


def test_page_command_and_evaluation_agree(root: Path, by_command: np.ndarray) -> None:
    assert by_command.shape == (PHOTOS, len(LABELS))
    assert_agree(by_page(root), by_command)
    assert_agree(by_evaluation(root), by_command)


@pytest.mark.parametrize(("models", "name"), [("pairs", "pair"), ("averages", "average")])
def test_page_command_and_evaluation_agree_on_a_pair_and_on_an_average(root: Path, models: str, name: str) -> None:
    answered = classified(root, models)
    assert_agree(by_page(root, models), answered)
    folder = root / models / name
    command("evaluate", folder, root / "table.parquet", "--data", root, "--name", "one-path")
    runs = [load_run(folder / "runs" / f"one-path-{head}") for head in ("malignancy", "lesion-type")]
    assert_agree(np.concatenate([run.probabilities() for run in runs], axis=1), answered)


def changed_step(step: Callable[..., object], constant: dict[str, object]) -> Callable[..., object]:
    return lambda given, preprocessing: step(given, preprocessing.model_copy(update=constant))


@pytest.mark.parametrize(
    "constant",
    [{"mean": (0.48, *IMAGENET_MEAN[1:])}, {"std": (0.225, 0.225, 0.225)}, {"resize_px": 41}, {"input_px": 31}],
    ids=lambda constant: next(iter(constant)),
)
def test_one_changed_constant_is_noticed(
    root: Path, by_command: np.ndarray, monkeypatch: pytest.MonkeyPatch, constant: dict[str, object]
) -> None:
    for step in (crop_for_network, to_tensor):
        monkeypatch.setattr(table, step.__name__, changed_step(step, constant))
    with pytest.raises(AssertionError, match=f"<= {TOLERANCE}"):
        assert_agree(by_evaluation(root, ("malignancy",)), by_command[:, : len(MALIGNANCY_CLASSES)])


@pytest.mark.parametrize(
    ("step", "changed"),
    [("DECODE_SIDE", DECODE_SIDE // 2), ("_turn_upright", lambda read, orientation: np.array(read))],
)
def test_a_photo_read_otherwise_is_noticed(
    root: Path, by_command: np.ndarray, monkeypatch: pytest.MonkeyPatch, step: str, changed: object
) -> None:
    monkeypatch.setattr(pixels, step, changed)
    with pytest.raises(AssertionError, match=f"<= {TOLERANCE}"):
        assert_agree(by_evaluation(root, ("malignancy",)), by_command[:, : len(MALIGNANCY_CLASSES)])
