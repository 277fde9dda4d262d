"""What several rooms' tests need: pictures, a made-up HAM10000, an image table to train from, model folders."""

import subprocess
import sys
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from skinapp.datasets.files import ignore_progress, measure_files
from skinapp.datasets.table import build_image_table, read_table, write_table
from skinapp.files import compute_sha256
from skinapp.models.card import (
    RECIPE,
    Card,
    DataFacts,
    Head,
    InitialWeights,
    OperatingPoint,
    Preprocessing,
    Role,
    SplitFacts,
    TrainingFacts,
)
from skinapp.models.folder import get_member_folder
from skinapp.models.quality import QualityFacts, QualityLimit
from skinapp.networks.folder import save_model
from skinapp.networks.resnet import HeadedResNet
from skinapp.photo import Photo
from skinapp.runs.stored import StoredRun, Versions
from skinapp.taxonomy import CODES, MALIGNANCY_CLASSES, is_malignant
from skinapp.training.average import average

DrawPicture = Callable[..., None]
MakeHam10000 = Callable[..., Path]
MakeModel = Callable[..., Path]

PUBLISHED = """lesion_id,image_id,dx,dx_type,age,sex,localization
HAM_0000001,ISIC_0000001,bkl,histo,80.0,male,scalp
HAM_0000001,ISIC_0000002,bkl,histo,80.0,male,scalp
HAM_0000002,ISIC_0000003,akiec,histo,65.0,female,face
HAM_0000003,ISIC_0000004,akiec,histo,70.0,male,ear
HAM_0000004,ISIC_0000005,nv,follow_up,0.0,female,back
HAM_0000005,ISIC_0000006,mel,confocal,,unknown,unknown
HAM_0000006,ISIC_0000007,bcc,histo,55.0,male,neck
HAM_0000007,ISIC_0000008,df,consensus,35.0,female,lower extremity
HAM_0000008,ISIC_0000009,vasc,consensus,45.0,male,trunk
"""
"""Rows as HAM10000's metadata CSV has them, with each of its seven labels."""


@pytest.fixture(scope="session")
def draw_picture() -> DrawPicture:
    """Write a picture of one seeded colour with noise on it; the file's suffix decides the format."""

    def draw(path: Path, seed: int, size: tuple[int, int] = (80, 60)) -> None:
        random = np.random.default_rng(seed)
        colour = random.integers(40, 216, size=3)
        noise = random.integers(-40, 40, size=(size[1], size[0], 3))
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray((colour + noise).astype(np.uint8)).save(path)

    return draw


@pytest.fixture
def published() -> pd.DataFrame:
    """Return the rows of a small metadata CSV as published."""
    return pd.read_csv(StringIO(PUBLISHED))


@pytest.fixture
def make_ham10000(tmp_path: Path, draw_picture: DrawPicture) -> MakeHam10000:
    """Make a folder as HAM10000 unpacks: metadata CSV, a picture for each row in turn into folders, masks."""

    def make(
        metadata: pd.DataFrame,
        folders: tuple[str, ...] = ("HAM10000_images_part_1", "HAM10000_images_part_2"),
        suffix: str = ".jpg",
        csv: str = "HAM10000_metadata.csv",
    ) -> Path:
        root = tmp_path / "ham10000"
        for number, image_id in enumerate(metadata["image_id"].unique()):
            draw_picture(root / folders[number % len(folders)] / f"{image_id}{suffix}", number)
            draw_picture(root / "masks" / f"{image_id}.png", number)
        metadata.to_csv(root / csv, index=False)
        return root

    return make


@pytest.fixture(scope="session")
def data_root(tmp_path_factory: pytest.TempPathFactory, draw_picture: DrawPicture) -> Path:
    """Make a data root with photos/ and table.parquet: 40 photos, 2 a lesion, three in five to train on."""
    root = tmp_path_factory.mktemp("data")
    numbers = range(40)
    files = [root / "photos" / f"photo_{number:02}.png" for number in numbers]
    for number, file in zip(numbers, files, strict=True):
        draw_picture(file, number)
    lesions = [number // 2 for number in numbers]
    diagnoses = [CODES[lesion % len(CODES)] for lesion in lesions]
    parts = ("train", "validation", "train", "test", "train")
    rows = pd.DataFrame(
        {
            "image_id": [file.stem for file in files],
            "lesion_id": [f"lesion_{lesion:02}" for lesion in lesions],
            "diagnosis": diagnoses,
            "malignant": [is_malignant(code) for code in diagnoses],
            "source": "made up",
            "split": [parts[lesion % len(parts)] for lesion in lesions],
        }
    )
    write_table(build_image_table(pd.concat([rows, measure_files(files, root)], axis=1)), root / "table.parquet")
    return root


@pytest.fixture(scope="session")
def make_photo() -> Callable[..., Photo]:
    """Make a photo from pixels, uint8 (h, w, 3), or from a seed."""

    def make(pixels: np.ndarray | int, size: tuple[int, int] = (80, 60)) -> Photo:
        if isinstance(pixels, int):
            pixels = np.random.default_rng(pixels).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
        return Photo(pixels, "0" * 64, "PNG", pixels.shape[1], pixels.shape[0])

    return make


@pytest.fixture(scope="session")
def make_card() -> Callable[..., Card]:
    """Make the card of a small ResNet-18, complete but for its hash; keywords replace its fields."""

    def make(role: Role = "malignancy", **changes: object) -> Card:
        part = SplitFacts(photos=20, lesions=10, malignant_share=0.5)
        heads = {
            "malignancy": Head(name="malignancy", classes=MALIGNANCY_CLASSES, temperature=1.5),
            "lesion_type": Head(name="lesion_type", classes=CODES, temperature=1.5),
        }
        card = Card(
            id="a-model",
            role=role,
            architecture="resnet18",
            heads=tuple(heads.values()) if role == "both" else (heads[role],),
            preprocessing=Preprocessing(resize_px=40, input_px=32),
            weights_sha256="",
            weights_dtype="float16",
            data=DataFacts(
                table="a-table",
                table_sha256="0" * 64,
                sources=("made up",),
                train=part,
                validation=part,
                limits=("Made up.",),
            ),
            initial=InitialWeights(name="none", sha256=None, licence="none"),
            training=TrainingFacts(
                recipe_sha256="0" * 64,
                best_epoch=1,
                epochs=1,
                monitor="loss",
                best_value=0.5,
                elapsed_s=1.0,
                device="CPU",
                versions=("3.11.9", "2.9.0", "0.1.0"),
                finished="2025-01-31T12:00:00+00:00",
            ),
            licence="none",
            intended_use="Tests.",
            not_for="All else.",
        )
        return card.model_copy(update=changes)

    return make


@pytest.fixture(scope="session")
def make_quality() -> Callable[..., QualityFacts]:
    """Make limits of the quality checks by hand, far from what a drawn photo of a lesion has; keywords replace them."""

    def make(**limits: tuple[float, float | None]) -> QualityFacts:
        drawn: dict[str, tuple[float, float | None]] = {
            "blurred": (1.0, 3.0),
            "dark": (50.0, 80.0),
            "bright": (85.0, 97.0),
            "glare": (0.001, None),
            "cast": (4.0, None),
            "no_lesion": (-8.0, -4.0),
            "tiny": (-0.02, None),
            "cut": (0.2, None),
            "hair": (0.1, None),
            "ink": (0.001, None),
        }
        return QualityFacts(
            table="a-table",
            input_px=224,
            photos=10,
            colour=(15.0, 15.0),
            colour_spread=(25.0, 25.0, 0.0),
            smallest_px=60,
            limits=tuple(
                QualityLimit(code=code, share=0.01, warns_beyond=warns, refuses_beyond=refuses)
                for code, (warns, refuses) in (drawn | limits).items()
            ),
        )

    return make


@pytest.fixture(scope="session")
def make_network() -> Callable[..., HeadedResNet]:
    """Make the random network of a card; its heads are wide awake, so that photos get different answers."""

    def make(card: Card, seed: int = 0) -> HeadedResNet:
        torch.manual_seed(seed)
        network = HeadedResNet(card.architecture, {head.name: len(head.classes) for head in card.heads})
        for name, weights in network.heads.named_parameters():
            if name.endswith("weight"):
                torch.nn.init.normal_(weights, std=0.5)
        return network.eval()

    return make


@pytest.fixture(scope="session")
def make_model(make_card: Callable[..., Card], make_network: Callable[..., HeadedResNet]) -> MakeModel:
    """Save a random model folder and return its path; keywords replace fields of its card."""

    def make(folder: Path, role: Role = "malignancy", seed: int = 0, **changes: object) -> Path:
        card = make_card(role, id=folder.name, **changes)
        save_model(folder, card, make_network(card, seed).state_dict(), "epoch,train_loss\n1,0.5\n")
        return folder

    return make


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory, make_model: MakeModel) -> Path:
    """Make a folder of models, one of each role, which tests read and never change."""
    root = tmp_path_factory.mktemp("models")
    make_model(root / "malignancy", "malignancy", seed=1)
    make_model(root / "lesion-type", "lesion_type", seed=2)
    return root


@pytest.fixture(scope="session")
def deciding_models(tmp_path_factory: pytest.TempPathFactory, make_model: MakeModel) -> Path:
    """Make a folder of models, one of each role, of which the first has operating points; tests never change it."""
    root = tmp_path_factory.mktemp("deciding-models")
    points = ((0.9, 0.3), (0.95, 0.2), (0.98, 0.1))
    operating_points = tuple(OperatingPoint(sensitivity=sens, threshold=threshold) for sens, threshold in points)
    make_model(root / "malignancy", "malignancy", seed=1, operating_points=operating_points)
    make_model(root / "lesion-type", "lesion_type", seed=2)
    return root


@pytest.fixture(scope="session")
def facts(data_root: Path) -> DataFacts:
    """Say that a model was trained on the made-up table."""
    table = read_table(data_root / "table.parquet")

    def part(split: str) -> SplitFacts:
        photos = table[table["split"] == split]
        return SplitFacts(photos=len(photos), lesions=photos["lesion_id"].nunique(), malignant_share=0.5)

    return DataFacts(
        table="table",
        table_sha256=compute_sha256(data_root / "table.parquet"),
        sources=("made up",),
        train=part("train"),
        validation=part("validation"),
        limits=("Made up.",),
    )


@pytest.fixture(scope="session")
def make_average(make_model: MakeModel, facts: DataFacts, data_root: Path) -> Callable[..., Path]:
    """Save two random pairs of heads, deep and fine, and their average as the made-up table calibrates it."""

    def make(folder: Path) -> Path:
        for seed, (name, side) in enumerate((("deep", 24), ("fine", 32))):
            taken = Preprocessing(resize_px=side, input_px=side)
            make_model(get_member_folder(folder, name), "both", seed, data=facts, preprocessing=taken)
        recipe = folder / RECIPE
        recipe.write_text(f'members = ["deep", "fine"]\ntable = "{(data_root / "table.parquet").as_posix()}"\n')
        average(recipe, data_root, ignore_progress)
        return folder

    return make


MakeRun = Callable[..., StoredRun]


@pytest.fixture
def make_run() -> MakeRun:
    """Make a run whose predictions are right more often than by chance, some lesions with several photos."""

    def make(classes: tuple[str, ...] = CODES, photos: int = 120, seed: int = 0) -> StoredRun:
        random = np.random.default_rng(seed)
        truth = random.integers(len(classes), size=photos)
        logits = random.normal(size=(photos, len(classes))) + 1.5 * np.eye(len(classes))[truth]
        scores = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        frame = pd.DataFrame(
            {
                "image_id": [f"photo_{number}" for number in range(photos)],
                "lesion_id": [f"lesion_{number * 2 // 3}" for number in range(photos)],
                "truth": np.array(classes)[truth],
            }
        )
        for place, label in enumerate(classes):
            frame[f"p_{label}"] = scores[:, place].astype(np.float32)
        return StoredRun(
            name="test-split",
            model="a-model",
            classes=classes,
            table="a-table",
            table_sha256="0" * 64,
            split="test",
            weights_sha256="1" * 64,
            weights_kept=True,
            versions=Versions(python="3.11.9", torch="2.9.0", skinapp="0.1.0"),
            created="2025-01-31T12:00:00+00:00",
            note="Made up.",
            frame=frame,
        )

    return make


KillAtEachStep = Callable[[Path, str, str], list[Path]]

_KILL = """
import os, shutil, sys
from pathlib import Path

old, copies, imports, statement = sys.argv[1:]
exec(imports)


def survives(folder, kill_at):
    if child := os.fork():
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    calls = 0

    def count(real):
        def call(*args, **options):
            nonlocal calls
            if calls == kill_at:
                os._exit(9)
            calls += 1
            return real(*args, **options)

        return call

    for name in ("mkdir", "fsync", "rename", "replace", "unlink", "rmdir"):
        setattr(os, name, count(getattr(os, name)))
    exec(statement, globals() | {"folder": folder})
    os._exit(0)


for step in range(100):
    folder = Path(copies) / str(step) / "runs" / "killed"
    shutil.copytree(old, folder)
    if survives(folder, step):
        break
"""


@pytest.fixture
def kill_at_each_step(tmp_path: Path) -> KillAtEachStep:
    """Run a statement on copies of a folder in processes that die before their 1st, 2nd, ... change of the disk.

    The statement finds its copy as `folder`. Returns the copies in order; only in the last the statement finished.
    """

    def kill(old: Path, imports: str, statement: str) -> list[Path]:
        copies = tmp_path / "copies"
        command = [sys.executable, "-c", _KILL, str(old), str(copies), imports, statement]
        subprocess.run(command, check=True)
        return sorted(copies.glob("*/runs/killed"), key=lambda copy: int(copy.parents[1].name))

    return kill
