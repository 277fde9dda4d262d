"""skinapp evidence: measure the evidence beside answers on validation photos and write it into a model's card."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import pandas as pd
import typer
from rich.table import Table

from skinapp.cli.console import (
    DataOption,
    ModelArgument,
    ModelsOption,
    check_data_root,
    find_model_folder,
    print_message,
    progress_bar,
    render_table,
    write_answer,
)
from skinapp.datasets.photo_files import require_photos
from skinapp.datasets.table import TABLES, read_table
from skinapp.errors import DatasetError
from skinapp.formatting import PERCENT, format_estimate
from skinapp.taxonomy import get_class_name

if TYPE_CHECKING:
    from skinapp.models.card import Card
    from skinapp.models.evidence import ActivationFacts, SimilarFacts

SPLIT = "validation"
MASKS = Path("ham10000") / "masks"


def evidence(
    model: ModelArgument,
    table: Annotated[
        Path | None, typer.Option(help="Image table of the photos; by default the shipped table it was trained on.")
    ] = None,
    masks: Annotated[
        Path | None,
        typer.Option(help="Folder of the lesions' outlines, ID.png; by default ham10000/masks in the data root."),
    ] = None,
    data: DataOption = None,
    models: ModelsOption = None,
) -> None:
    """Measure on validation how much of the activation maps lies in the lesions and how alike the nearest cases are.

    The figures are of the model's evidence network and go into its card. The nearest cases need the reference bank that
    `skinapp gate` makes.
    """
    # Torch is imported by the commands that need it: the others start in a third of the time.
    from skinapp.models.card import CARD, read_card, write_card

    folder, root = find_model_folder(model, models), check_data_root(data)
    card = read_card(folder)
    source = table or TABLES / f"{card.data.table}.parquet"
    activation, similar = _measure(folder, card, source, masks or root / MASKS, root)
    write_card(folder, card.model_copy(update={"activation": activation, "similar": similar}))
    write_answer(_format(activation, similar), None)
    if similar is None:
        print_message(f"{card.id} has no reference bank. Make it with `skinapp gate {card.id}`, then run this again.")
    print_message(f"Written to {folder / CARD}")


def _measure(
    folder: Path, card: "Card", source: Path, masks: Path, root: Path
) -> "tuple[ActivationFacts, SimilarFacts | None]":
    from skinapp.inference import measure_evidence as measure
    from skinapp.models.card import find_evidence_network
    from skinapp.models.evidence import ActivationFacts, SimilarFacts
    from skinapp.networks.device import choose_device
    from skinapp.networks.reference import load_reference

    photos = _select_photos(source, root)
    outlines = measure.find_masks(photos, masks)
    network, bank = measure.load_evidence_network(folder, card, choose_device()), load_reference(folder, card)
    with progress_bar("Looking at photos") as progress:
        seen = measure.look_at(network, [root / path for path in photos["path"]], progress)
    activation = ActivationFacts(
        network=find_evidence_network(card),
        weights_sha256=network.card.weights_sha256,
        table=source.stem,
        split=SPLIT,
        shares=measure.measure_activation(seen, measure.read_masks(outlines, network), photos),
    )
    if bank is None or card.reference_sha256 is None:
        return activation, None
    nearest = measure.measure_similar(seen.features, photos, bank)
    sha256 = card.reference_sha256
    return activation, SimilarFacts(reference_sha256=sha256, table=source.stem, split=SPLIT, nearest=nearest)


def _select_photos(source: Path, root: Path) -> pd.DataFrame:
    """Return the labelled validation photos of a table; DatasetError where there is none or a file is missing."""
    photos = read_table(source)
    photos = photos[(photos["split"] == SPLIT) & photos["diagnosis"].notna()].reset_index(drop=True)
    if photos.empty:
        raise DatasetError(f"{source} has no labelled photo in the split {SPLIT}. Name another with --table.")
    require_photos(photos, root)
    return photos


def _format(activation: "ActivationFacts", similar: "SimilarFacts | None") -> str:
    table = Table("map of", "photos", "inside the outline", "area of the outline", box=None)
    for row in activation.shares:
        name = get_class_name(row.label) if row.label else "likeliest type"
        table.add_row(name, f"{row.inside.photos:,}", format_estimate(row.inside, PERCENT), f"{row.area:.1%}")
    text = render_table(table)
    if similar is None:
        return text
    nearest = similar.nearest
    found = Table(f"nearest of {nearest.cases:,} cases", "photos", "share", box=None)
    found.add_row("has the right type", f"{nearest.type_right.photos:,}", format_estimate(nearest.type_right, PERCENT))
    found.add_row("the same for a case at random", "", f"{nearest.type_by_chance:.1%}")
    for name, measured in (("malignant", nearest.of_malignant), ("benign", nearest.of_benign)):
        found.add_row(f"is {name}, of {name} photos", f"{measured.photos:,}", format_estimate(measured, PERCENT))
    return text + "\n" + render_table(found)


def add_commands(app: typer.Typer) -> None:
    """Add this group's command."""
    app.command()(evidence)
