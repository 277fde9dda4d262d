"""How fast photos are answered, compared with the bare networks, and how fast image tables are built and counted.

Run as `python -m benchmarks` on an idle machine. `--quick` only shows that it works.
"""

import os
import platform
import tempfile
from collections.abc import Callable
from io import BytesIO
from itertools import cycle
from pathlib import Path
from typing import Annotated

import torch
import typer
from rich.console import Console
from rich.table import Table

from benchmarks.memory import draw_scene
from benchmarks.tables import time_tables
from benchmarks.timing import Times, time_in_turn
from skinapp.cards.network_facts import name_networks
from skinapp.cli.console import DataOption, ModelsOption, choose_models_folder
from skinapp.inference.assessor import Assessor, load_assessor
from skinapp.inference.files import assess_files, find_photos
from skinapp.models.card import Card
from skinapp.networks.classifier import BATCH_PHOTOS
from skinapp.networks.device import read_versions
from skinapp.networks.folder import load_model
from skinapp.networks.preprocess import crop_for_network, to_tensor
from skinapp.photo import read_photo

SMALL_PX, TWELVE_MP_PX = (600, 450), (4000, 3000)
ORIGINALS = 20
"""How many originals take turns, so that the result does not depend on one."""

MOST_TIMES_BARE, MOST_TIMES_SMALL, LEAST_THROUGHPUT = 1.3, 2.0, 0.8
"""The goals: one photo against bare passes, 12 megapixels against a small photo, a folder against bare batches."""


def draw_jpeg(size_px: tuple[int, int]) -> bytes:
    file = BytesIO()
    draw_scene(*size_px).save(file, "JPEG", quality=92)
    return file.getvalue()


def read_small_photos(data: Path | None) -> list[bytes]:
    """Return some originals of HAM10000 if they are here, else a drawn photo of their size."""
    files = find_photos([data / "ham10000" / "originals"]) if data else []
    return [file.read_bytes() for file in files[:ORIGINALS] if file.exists()] or [draw_jpeg(SMALL_PX)]


def list_cards(assessor: Assessor) -> tuple[Card, ...]:
    """Return the cards of the models that answer a photo: one with both heads, or two."""
    cards = (assessor.malignancy_card, assessor.lesion_type_card)
    return cards[:1] if cards[0].id == cards[1].id else cards


def build_bare_passes(assessor: Assessor, models: Path, data: bytes) -> Callable[[int], None]:
    """Return a function that passes n ready tensors of a photo through each network and waits for the logits."""
    device, photo, ready = assessor.device.torch, read_photo(data), []
    for card in list_cards(assessor):
        batch = to_tensor([crop_for_network(photo, card.preprocessing)] * BATCH_PHOTOS, card.preprocessing)
        network = load_model(models / card.id).network.to(device)
        ready.append((network, batch.to(device, memory_format=torch.channels_last)))

    def passes(n: int) -> None:
        for start in range(0, n, BATCH_PHOTOS):
            with torch.inference_mode():
                for network, batch in ready:
                    for logits in network(batch[: n - start]).values():
                        logits.cpu()

    return passes


def format_row(what: str, ours: Times, against: str, theirs: Times, result: str, met: bool) -> tuple[str, ...]:
    return what, str(ours), against, str(theirs), result, "yes" if met else "no"


def time_one_photo(
    assessor: Assessor, bare: Callable[[int], None], photos: list[bytes], repeats: int
) -> tuple[str, ...]:
    """Time one photo, from its bytes to its Assessment, against the bare passes."""
    turns = cycle(photos)
    ours, theirs = time_in_turn(lambda: assessor.assess(read_photo(next(turns))), lambda: bare(1), repeats)
    times = ours.median_s / theirs.median_s
    result = f"{times:.2f} times; goal at most {MOST_TIMES_BARE}"
    return format_row("one photo", ours, "its bare passes", theirs, result, times <= MOST_TIMES_BARE)


def time_large_photo(assessor: Assessor, repeats: int) -> tuple[str, ...]:
    """Time a 12-megapixel JPEG against a small one."""
    large, small = draw_jpeg(TWELVE_MP_PX), draw_jpeg(SMALL_PX)
    ours, theirs = time_in_turn(
        lambda: assessor.assess(read_photo(large)), lambda: assessor.assess(read_photo(small)), repeats
    )
    times = ours.median_s / theirs.median_s
    result = f"{times:.2f} times; goal at most {MOST_TIMES_SMALL}"
    return format_row("12-megapixel JPEG", ours, "600 x 450 JPEG", theirs, result, times <= MOST_TIMES_SMALL)


def time_folder(
    assessor: Assessor, bare: Callable[[int], None], photos: list[bytes], count: int, repeats: int
) -> tuple[str, ...]:
    """Time a folder of photos, read and answered, against as many bare passes in the same batches."""
    with tempfile.TemporaryDirectory() as place:
        for number, photo in zip(range(count), cycle(photos), strict=False):
            (Path(place) / f"{number:04}.jpg").write_bytes(photo)
        files = find_photos([Path(place)])
        ours, theirs = time_in_turn(lambda: list(assess_files(assessor, files)), lambda: bare(count), repeats)
    share = theirs.median_s / ours.median_s
    result = f"{share:.2f} of the throughput; goal at least {LEAST_THROUGHPUT}"
    return format_row(f"folder of {count}", ours, "bare batches", theirs, result, share >= LEAST_THROUGHPUT)


def write_heading(assessor: Assessor, photos: list[bytes]) -> str:
    python, torch_version, skinapp_version = read_versions()
    networks = ", ".join(
        f"{card.id} ({name_networks(card)}, {card.preprocessing.input_px} px)" for card in list_cards(assessor)
    )
    source = f"{len(photos)} originals of HAM10000" if len(photos) > 1 else "a drawn photo"
    return "\n".join(
        (
            f"{name_processor()}, {os.cpu_count()} cores",
            f"on {assessor.device.label}, {torch.get_num_threads()} threads",
            f"skinapp {skinapp_version}, torch {torch_version}, Python {python}, {platform.system()}",
            f"{networks}; {source}",
            "medians (fastest to slowest)",
        )
    )


def name_processor() -> str:
    """Return the name of the processor; on Linux it is in /proc, where `platform` does not look."""
    facts = Path("/proc/cpuinfo")
    lines = facts.read_text().splitlines() if facts.exists() else []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()


def main(
    data: DataOption = None,
    models: ModelsOption = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Few repetitions: shows that it works, measures little.")
    ] = False,
) -> None:
    """Time one photo, a large photo and a folder against the bare networks; then indexing and a large table."""
    root = choose_models_folder(models)
    assessor, photos = load_assessor(root), read_small_photos(data)
    bare = build_bare_passes(assessor, root, photos[0])
    repeats, folder_repeats, count = (3, 1, 40) if quick else (51, 5, 500)
    table = Table("what", "takes", "against", "which takes", "result", "met", title=write_heading(assessor, photos))
    table.add_row(*time_one_photo(assessor, bare, photos, repeats))
    table.add_row(*time_large_photo(assessor, repeats))
    table.add_row(*time_folder(assessor, bare, photos, count, folder_repeats))
    console = Console(width=max(150, Console().width))
    console.print(table)
    tables = Table("what", "takes", "that is", "goal", "met", title="photos indexed, a table of ISIC 2024's size")
    for cells in time_tables(folder_repeats, count):
        tables.add_row(*cells)
    console.print(tables)


if __name__ == "__main__":
    typer.run(main)
