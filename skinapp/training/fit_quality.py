"""Fit the limits of the quality checks on training photos; measure them on validation photos and flawed copies."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from skinapp.datasets.files import Progress
from skinapp.datasets.photo_files import require_photos
from skinapp.errors import DatasetError
from skinapp.inference.quality import WORDS, check_quality, measure_cast, measure_quality
from skinapp.metrics.bootstrap import compute_mean_interval
from skinapp.metrics.estimate import REPLICATES, SEED
from skinapp.models.card import Card
from skinapp.models.quality import BoxFacts, CopyFacts, QualityFacts, QualityFigures, QualityLimit
from skinapp.models.strict import Measured
from skinapp.networks.classifier import prefetch
from skinapp.networks.preprocess import crop_for_network
from skinapp.photo import Photo, read_photo_file
from skinapp.photo.lesion_box import LesionBox, locate_lesion
from skinapp.training.degrade import FLAWS, Mask, View, reduce_to

SHARE = 0.015
"""Share of the training photos beyond a limit: a check that finds something in more would be ignored."""

STRICTER = {"hair": 0.01, "ink": 0.01}
"""Shares of checks that find something in more of the validation photos than of the training photos."""

PHOTOS, COPIED = 1500, 200
"""Training photos that the limits are fitted on, and validation photos that copies are made of; drawn by chance."""

REFUSES = ("dark", "bright", "blurred", "no_lesion")
"""Checks that refuse what is worse than in every training photo; the others only warn."""

SIDES_PX = (160, 140, 120, 100, 80, 60, 40)
"""Sides that photos are reduced to, to find the smallest that is not blurred when it is enlarged."""

MOSTLY, _DECIMALS = 0.5, 6


def fit_quality(card: Card, table: pd.DataFrame, data_root: Path, progress: Progress) -> QualityFacts:
    """Fit limits for what a model sees of photos on an image table's training photos, and measure what they find.

    False alarms are counted on all validation photos, and flaws are made in copies of some of them. The outline of a
    lesion, which some flaws need, is that of its mask (../masks/<its name>.png beside the photo); photos without one
    are left out there. Raises DatasetError where a split is empty or a photo is missing, PhotoError where one cannot be
    read.
    """
    train, validation = (_select(table, split, data_root) for split in ("train", "validation"))
    train = train.sample(min(PHOTOS, len(train)), random_state=SEED)
    total = len(train) + len(validation)

    def see(path: str) -> View:
        return np.array(crop_for_network(read_photo_file(data_root / path), card.preprocessing))

    rows = []
    for seen in prefetch(see, train["path"]):
        rows.append(measure_quality(seen))
        progress(len(rows), total)
    facts = fit_limits(pd.DataFrame(rows), card)
    views = []
    for seen in prefetch(see, validation["path"]):
        views.append(seen)
        progress(len(train) + len(views), total)
    facts = facts.model_copy(update={"smallest_px": _find_smallest(views[:COPIED], facts)})
    masks = [_read_mask(data_root / path, card) for path in validation["path"].astype(str)]
    return facts.model_copy(update={"figures": _measure(views, masks, validation["lesion_id"], facts)})


def fit_limits(measured: pd.DataFrame, card: Card) -> QualityFacts:
    """Fit the limits on what `measure_quality` gives for training photos, one row each; without figures."""
    colour = measured[["a", "b"]]
    spread = colour.cov().to_numpy()
    facts = QualityFacts(
        table=card.data.table,
        input_px=card.preprocessing.input_px,
        photos=len(measured),
        colour=tuple(colour.mean().round(_DECIMALS)),
        colour_spread=(spread[0, 0], spread[1, 1], spread[0, 1]),
        smallest_px=0,
        limits=(),
    )
    columns = measured.assign(cast=measure_cast(measured["a"], measured["b"], facts))
    limits = [
        QualityLimit(
            code=code,
            share=STRICTER.get(code, SHARE),
            warns_beyond=round(float(columns[code].quantile(1 - STRICTER.get(code, SHARE))), _DECIMALS),
            refuses_beyond=float(columns[code].max()) if code in REFUSES else None,
        )
        for code in WORDS
        if code in columns
    ]
    return facts.model_copy(update={"limits": tuple(limits)})


def _select(table: pd.DataFrame, split: str, data_root: Path) -> pd.DataFrame:
    photos = table[table["split"] == split].reset_index(drop=True)
    if photos.empty:
        raise DatasetError(f"The table has no photo in the split {split}. Name the table that the model learned from.")
    require_photos(photos, data_root)
    return photos


def _read_mask(photo: Path, card: Card) -> Mask | None:
    """Return the lesion's mask as the network sees it, bool (s, s); None where there is none beside the photo."""
    file = photo.parent.parent / "masks" / f"{photo.stem}.png"
    if not file.is_file():
        return None
    mask = read_photo_file(file)
    seen = crop_for_network(Photo(mask.pixels, "", "PNG", mask.width, mask.height), card.preprocessing)
    return np.asarray(seen[..., 0] > 127)


def _find_smallest(views: Sequence[View], facts: QualityFacts) -> int:
    """Return the smallest side in px at which most photos are not blurred when enlarged; 0 where all sides do."""
    for larger, side in zip((facts.input_px, *SIDES_PX), SIDES_PX, strict=False):
        chance = np.random.default_rng(SEED)
        blank: Mask = np.zeros(views[0].shape[:2], np.bool_)
        copies = [reduce_to(side)(view, blank, chance) for view in views]
        if np.mean(["blurred" in _list_codes(copy, facts) for copy in copies if copy is not None]) > MOSTLY:
            return larger
    return 0


def _list_codes(view: View, facts: QualityFacts) -> set[str]:
    return {finding.code for finding in check_quality(view, facts.input_px, facts)}


def _measure(
    views: Sequence[View], masks: Sequence[Mask | None], lesions: "pd.Series[str]", facts: QualityFacts
) -> QualityFigures:
    findings = [check_quality(view, facts.input_px, facts) for view in views]
    codes = [{finding.code for finding in found} for found in findings]
    refused = [any(finding.severity == "refuses" for finding in found) for found in findings]
    return QualityFigures(
        false_alarms={
            limit.code: _build_mean([limit.code in found for found in codes], lesions) for limit in facts.limits
        },
        any_finding=_build_mean([bool(found) for found in codes], lesions),
        refused=_build_mean(refused, lesions),
        copies=tuple(_try_flaws(views, masks, lesions, facts)),
        box=_compare_boxes(views, masks, lesions),
    )


def _try_flaws(
    views: Sequence[View], masks: Sequence[Mask | None], lesions: "pd.Series[str]", facts: QualityFacts
) -> Iterator[CopyFacts]:
    """Measure how often the flaw of a copy is found; kinds that no photo can show are left out."""
    drawn = np.random.default_rng(SEED).permutation(len(views))[:COPIED]
    for flaw in FLAWS:
        chance, found, of = np.random.default_rng(SEED), [], []
        for place in drawn:
            mask = masks[place]
            if mask is None and flaw.needs_mask:
                continue
            copy = flaw.make(views[place], np.zeros(views[place].shape[:2], np.bool_) if mask is None else mask, chance)
            if copy is not None:
                found.append(flaw.code in _list_codes(copy, facts))
                of.append(lesions.iloc[place])
        if found:
            yield CopyFacts(kind=flaw.kind, code=flaw.code, found=_build_mean(found, of))


def _compare_boxes(views: Sequence[View], masks: Sequence[Mask | None], lesions: "pd.Series[str]") -> BoxFacts | None:
    rows = [
        (*_compare_box(locate_lesion(view), mask), lesion)
        for view, mask, lesion in zip(views, masks, lesions, strict=True)
        if mask is not None and mask.any()
    ]
    if not rows:
        return None
    overlap, centred, of = zip(*rows, strict=True)
    return BoxFacts(overlap=_build_mean(overlap, of), centred=_build_mean(centred, of))


def _compare_box(box: LesionBox | None, mask: Mask) -> tuple[float, bool]:
    """Return the intersection over union of a lesion's box with that of its mask, and whether its centre is inside."""
    if box is None:
        return 0.0, False
    side = len(mask)
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    top, bottom, left, right = rows[0] / side, (rows[-1] + 1) / side, columns[0] / side, (columns[-1] + 1) / side
    high, wide = min(bottom, box.bottom) - max(top, box.top), min(right, box.right) - max(left, box.left)
    shared = max(high, 0.0) * max(wide, 0.0)
    both = (bottom - top) * (right - left) + (box.bottom - box.top) * (box.right - box.left) - shared
    across, down = (min(int(at * side), side - 1) for at in box.centre)
    return float(shared / both), bool(mask[down, across])


def _build_mean(values: Iterable[float], lesions: Iterable[str]) -> Measured:
    """Build the mean of values, one per photo, with its interval by bootstrap over lesions."""
    numbers: npt.NDArray[np.float64] = np.asarray(list(values), np.float64)
    index = pd.factorize(pd.Series(list(lesions)))[0]
    low, high = compute_mean_interval(numbers, index, REPLICATES, SEED)
    return Measured(
        value=round(float(numbers.mean()), _DECIMALS),
        low=round(low, _DECIMALS),
        high=round(high, _DECIMALS),
        photos=len(numbers),
        lesions=int(index.max()) + 1,
    )
