"""The groups of pictures that the scope gate is fitted on and measured on, inside its scope and outside.

Inside is dermoscopy of a lesion, from several cameras and clinics, some of it cropped and changed as cameras do.
Outside are drawn pictures and what lies in out-of-scope/KIND of the data root; half of these kinds are for measuring
alone.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import torch

from skinapp.datasets.photo_files import find_missing, list_photos
from skinapp.datasets.table import TABLES, read_table
from skinapp.errors import DatasetError
from skinapp.inference.what_if import CHANGES, Change, View
from skinapp.models.card import Preprocessing
from skinapp.networks.preprocess import crop_for_network
from skinapp.networks.reference import choose_cases
from skinapp.photo import read_photo_file
from skinapp.training.augment import build_augmentation
from skinapp.training.gate.drawn import FITTED, MEASURED, draw_kind
from skinapp.training.gate.skin import paste_lesion
from skinapp.training.sections import Augmentation

OUT_OF_SCOPE = "out-of-scope"
"""The folder of the data root with a folder for each kind of picture that is no dermoscopy."""

FITTED_KINDS = ("building", "hand-skin", "histology", "plant", "texture")
"""The half of its kinds that the gate is fitted on too. Their refusals are measured with a gate fitted without them."""

CLOSER_CROPS = 4
"""How often each of their photos is framed closer too."""

CASES = 2500
"""Most training photos of HAM10000 to fit on and to keep as the reference bank, one a lesion, the rare types first."""
FITTED_PHOTOS, MEASURED_PHOTOS = 400, 300
"""Photos of each other source, each of another lesion."""
CHANGED_PHOTOS = 20
"""Validation photos of which all changes of inference.what_if are measured."""
PASTED_LESIONS = 80
"""Lesions of HAM10000 that are pasted small onto drawn skin, where the data root has their masks."""
DRAWN_FITTED, DRAWN_MEASURED = 40, 25
"""Drawn pictures of each kind."""

CAMERA_CHANGES = Augmentation(
    crop_scale=(0.2, 1.0),
    crop_ratio=(0.8, 1.25),
    any_turn=True,
    quarter_turns=False,
    brightness=0.15,
    contrast=0.15,
    saturation=0.15,
    hue=0.0,
    cast=0.08,
    blur=0.2,
    coarse=0.2,
    jpeg=0.2,
    dark_corners=0.2,
    grey_world=0.1,
)
"""How photos inside the scope are changed for fitting: framed closer, turned, of other cameras and files."""

CLOSER = CAMERA_CHANGES.model_copy(update={"crop_scale": (0.02, 0.3), "dark_corners": 0.0})
"""How photos outside the scope are framed closer for fitting: most real ones at hand show things from afar."""


@dataclass(frozen=True)
class Group:
    """Pictures of one kind: whether they are inside the scope, and whether the gate is fitted on them or measured.

    `views` yields what the network sees of each, uint8 (s, s, 3); `pictures` is their number. `photos` are the rows of
    the image table that they are of, in the same order, if they are whole photos of one. `drawn` pictures are drawn, or
    framed at random.
    """

    kind: str
    inside: bool
    fitted: bool
    pictures: int
    views: Callable[[], Iterator[View]]
    photos: pd.DataFrame | None = None
    drawn: bool = False


def collect_groups(data_root: Path, preprocessing: Preprocessing) -> list[Group]:
    """Return all groups that the data root has photos of.

    DatasetError where HAM10000's training or validation photos are missing.
    """
    ham = _read_present(data_root, "ham10000")
    train, validation = (ham[ham["split"] == split] for split in ("train", "validation"))
    if train.empty or validation.empty:
        raise DatasetError(f"{data_root} lacks HAM10000's photos. The gate is fitted on them; name another data root.")
    read = partial(_read_views, data_root, preprocessing)
    cases = choose_cases(train, CASES)
    groups = [
        Group("HAM10000", True, True, len(cases), partial(read, cases), cases),
        Group("HAM10000", True, False, len(validation), partial(read, validation), validation),
    ]
    parts = [cases.sample(min(len(cases), FITTED_PHOTOS // 4), random_state=0)]
    for name, photos in _find_other_sources(data_root).items():
        most = min(FITTED_PHOTOS, len(photos) // 2)
        fitted, measured = photos[:most], photos[most : most + MEASURED_PHOTOS]
        groups += [
            Group(name, True, True, len(fitted), partial(read, fitted), fitted),
            Group(name, True, False, len(measured), partial(read, measured), measured),
        ]
        if most == FITTED_PHOTOS:  # Smaller sources have no photos to spare.
            parts.append(fitted[: FITTED_PHOTOS // 4])
    changed = pd.concat(parts)
    side = preprocessing.input_px
    views = partial(_read_changed, _list_files(data_root, changed), CAMERA_CHANGES, side)
    groups.append(Group("changed", True, True, len(changed), views))
    few = validation.sample(min(len(validation), CHANGED_PHOTOS), random_state=0)
    for change in CHANGES:
        groups.append(Group(change.name, True, False, len(few), partial(_change_views, change, partial(read, few))))
    pasted = [path for path in cases["path"] if _find_mask(data_root, path).is_file()][:PASTED_LESIONS]
    if pasted:
        views = partial(_paste_lesions, data_root, pasted, side)
        groups.append(Group("lesion pasted on drawn skin", False, True, len(pasted), views, drawn=True))
    return groups + _collect_outside(data_root, preprocessing)


def _collect_outside(data_root: Path, preprocessing: Preprocessing) -> list[Group]:
    side, groups = preprocessing.input_px, []
    for kinds, fitted, pictures in ((FITTED, True, DRAWN_FITTED), (MEASURED, False, DRAWN_MEASURED)):
        for seed, (kind, draw) in enumerate(kinds.items()):
            views = partial(draw_kind, draw, pictures, side, seed)
            groups.append(Group(f"{kind} (drawn)", False, fitted, pictures, views, drawn=True))
    root = data_root / OUT_OF_SCOPE
    for folder in sorted(path for path in root.iterdir() if path.is_dir()) if root.is_dir() else ():
        files, fitted = list_photos(folder).photos, folder.name in FITTED_KINDS
        groups.append(Group(folder.name, False, fitted, len(files), partial(_view_files, files, preprocessing)))
        if fitted:
            views = partial(_read_changed, files * CLOSER_CROPS, CLOSER, side)
            groups.append(Group(folder.name, False, True, len(files) * CLOSER_CROPS, views, drawn=True))
    return groups


def _find_other_sources(data_root: Path) -> dict[str, pd.DataFrame]:
    """Return shuffled photos of other clinics, one of each lesion, by source; only sources that have photos there."""
    isic2019, isic2020 = _read_present(data_root, "isic2019"), _read_present(data_root, "isic2020")
    is_bcn = isic2019["camera"].eq("BCN").fillna(False)
    is_sharp = isic2019[["stored_width", "stored_height"]].min(axis=1) >= 300
    sources = {
        "MSK": isic2019[~is_bcn & is_sharp],
        "BCN20000 (84 px)": isic2019[is_bcn],
        "ISIC 2020": isic2020,
    }
    shuffled = {name: _shuffle_lesions(photos) for name, photos in sources.items()}
    used = shuffled["BCN20000 (84 px)"][: FITTED_PHOTOS + MEASURED_PHOTOS]["lesion_id"]
    sharp = _find_sharp(data_root)
    shuffled["BCN20000 (sharp)"] = _shuffle_lesions(sharp[~sharp["lesion_id"].isin(used)])
    return {name: photos for name, photos in shuffled.items() if len(photos)}


def _find_sharp(data_root: Path) -> pd.DataFrame:
    """Return the photos of BCN20000 of which the data root has sharper copies, with the paths of these."""
    table = read_table(TABLES / "isic2019.parquet")
    bcn = table[table["camera"].eq("BCN").fillna(False)]
    bcn = bcn.assign(path=bcn["path"].str.replace("isic2019/photos/", "isic2019/sharper/"))
    return bcn[~find_missing(bcn["path"], data_root)].reset_index(drop=True)


def _shuffle_lesions(photos: pd.DataFrame) -> pd.DataFrame:
    lesions = photos["lesion_id"].fillna(photos["image_id"])
    return photos[~lesions.duplicated()].sample(frac=1, random_state=0)


def _read_present(data_root: Path, name: str) -> pd.DataFrame:
    """Read a shipped image table without the photos that the data root does not hold."""
    table = read_table(TABLES / f"{name}.parquet")
    return table[~find_missing(table["path"], data_root)].reset_index(drop=True)


def _read_views(data_root: Path, preprocessing: Preprocessing, photos: pd.DataFrame) -> Iterator[View]:
    return _view_files(_list_files(data_root, photos), preprocessing)


def _list_files(data_root: Path, photos: pd.DataFrame) -> list[Path]:
    return [data_root / path for path in photos["path"]]


def _view_files(files: list[Path], preprocessing: Preprocessing) -> Iterator[View]:
    return (crop_for_network(read_photo_file(file), preprocessing) for file in files)


def _find_mask(data_root: Path, path: str) -> Path:
    """Return where the lesion mask of a photo of HAM10000 lies."""
    return data_root / "ham10000" / "masks" / f"{Path(path).stem}.png"


def _paste_lesions(data_root: Path, paths: list[str], side: int) -> Iterator[View]:
    random = np.random.default_rng(0)
    for path in paths:
        pixels = read_photo_file(data_root / path).pixels
        mask = read_photo_file(_find_mask(data_root, path)).pixels[..., 0] > 0
        sized = cv2.resize(mask.astype(np.uint8), pixels.shape[1::-1], interpolation=cv2.INTER_NEAREST)
        yield paste_lesion(random, side, pixels, sized > 0)


def _change_views(change: Change, views: Callable[[], Iterator[View]]) -> Iterator[View]:
    return map(change.apply, views())


def _read_changed(files: list[Path], changes: Augmentation, side: int) -> Iterator[View]:
    """Yield photos framed and changed at random, the same for the same photos."""
    change = build_augmentation(changes, side)
    for seed, file in enumerate(files):
        pixels = torch.from_numpy(read_photo_file(file).pixels.copy())
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            changed = change(pixels.permute(2, 0, 1))
        yield changed.permute(1, 2, 0).numpy()
