"""How fast photos are answered, against the bare networks in the same run, and how fast tables are made and counted.

Run as `python -m benchmarks` on a machine that does nothing else; `--quick` only shows that it works.
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

from benchmarks.memory import scene
from benchmarks.tables import table_rows
from benchmarks.timing import Times, in_turn
from skinapp.cards.networks import networks_in_words
from skinapp.cli.console import DataOption, ModelsOption, models_folder
from skinapp.inference.assessor import Assessor, load_assessor
from skinapp.inference.files import assess_files, find_photos
from skinapp.models.card import Card
from skinapp.networks.classifier import BATCH_PHOTOS
from skinapp.networks.device import versions
from skinapp.networks.folder import load_model
from skinapp.networks.preprocess import network_view, to_tensor
from skinapp.photo import read_photo

SMALL_PX, TWELVE_MP_PX = (600, 450), (4000, 3000)
ORIGINALS = 20
"""How many originals take turns, so that no single one decides."""

MOST_TIMES_BARE, MOST_TIMES_SMALL, LEAST_THROUGHPUT = 1.3, 2.0, 0.8
"""The goals: one photo against bare passes, 12 megapixels against a small photo, a folder against bare batches."""


def drawn_jpeg(size_px: tuple[int, int]) -> bytes:
    file = BytesIO()
    scene(*size_px).save(file, "JPEG", quality=92)
    return file.getvalue()


def small_photos(data: Path | None) -> list[bytes]:
    """Return some originals of HAM10000 where they are at hand, else a drawn photo of their size."""
    files = find_photos([data / "ham10000" / "originals"]) if data else []
    return [file.read_bytes() for file in files[:ORIGINALS] if file.exists()] or [drawn_jpeg(SMALL_PX)]


def cards_of(assessor: Assessor) -> tuple[Card, ...]:
    """Return the card of each network that answers a photo: one of a pair of heads, else two."""
    cards = (assessor.malignancy_card, assessor.lesion_type_card)
    return cards[:1] if cards[0].id == cards[1].id else cards


def bare_passes(assessor: Assessor, models: Path, data: bytes) -> Callable[[int], None]:
    """Return what passes n ready tensors of a photo through each network, and waits for their logits."""
    device, photo, ready = assessor.device.torch, read_photo(data), []
    for card in cards_of(assessor):
        batch = to_tensor([network_view(photo, card.preprocessing)] * BATCH_PHOTOS, card.preprocessing)
        network = load_model(models / card.id).network.to(device)
        ready.append((network, batch.to(device, memory_format=torch.channels_last)))

    def passes(n: int) -> None:
        for start in range(0, n, BATCH_PHOTOS):
            with torch.inference_mode():
                for network, batch in ready:
                    for logits in network(batch[: n - start]).values():
                        logits.cpu()

    return passes


def row(what: str, ours: Times, against: str, theirs: Times, result: str, met: bool) -> tuple[str, ...]:
    return what, str(ours), against, str(theirs), result, "yes" if met else "no"


def one_photo(assessor: Assessor, bare: Callable[[int], None], photos: list[bytes], repeats: int) -> tuple[str, ...]:
    """Time one photo, from its bytes to its Assessment, against the bare passes."""
    turns = cycle(photos)
    ours, theirs = in_turn(lambda: assessor.assess(read_photo(next(turns))), lambda: bare(1), repeats)
    times = ours.median_s / theirs.median_s
    result = f"{times:.2f} times; goal at most {MOST_TIMES_BARE}"
    return row("one photo", ours, "its bare passes", theirs, result, times <= MOST_TIMES_BARE)


def large_photo(assessor: Assessor, repeats: int) -> tuple[str, ...]:
    """Time a 12-megapixel JPEG against a small one."""
    large, small = drawn_jpeg(TWELVE_MP_PX), drawn_jpeg(SMALL_PX)
    ours, theirs = in_turn(
        lambda: assessor.assess(read_photo(large)), lambda: assessor.assess(read_photo(small)), repeats
    )
    times = ours.median_s / theirs.median_s
    result = f"{times:.2f} times; goal at most {MOST_TIMES_SMALL}"
    return row("12-megapixel JPEG", ours, "600 x 450 JPEG", theirs, result, times <= MOST_TIMES_SMALL)


def folder(
    assessor: Assessor, bare: Callable[[int], None], photos: list[bytes], count: int, repeats: int
) -> tuple[str, ...]:
    """Time a folder of photos, read and answered, against as many bare passes in the same batches."""
    with tempfile.TemporaryDirectory() as place:
        for number, photo in zip(range(count), cycle(photos), strict=False):
            (Path(place) / f"{number:04}.jpg").write_bytes(photo)
        files = find_photos([Path(place)])
        ours, theirs = in_turn(lambda: list(assess_files(assessor, files)), lambda: bare(count), repeats)
    share = theirs.median_s / ours.median_s
    result = f"{share:.2f} of the throughput; goal at least {LEAST_THROUGHPUT}"
    return row(f"folder of {count}", ours, "bare batches", theirs, result, share >= LEAST_THROUGHPUT)


def heading(assessor: Assessor, photos: list[bytes]) -> str:
    python, torch_version, skinapp_version = versions()
    networks = ", ".join(
        f"{card.id} ({networks_in_words(card)}, {card.preprocessing.input_px} px)" for card in cards_of(assessor)
    )
    taken = f"{len(photos)} originals of HAM10000" if len(photos) > 1 else "a drawn photo"
    return "\n".join(
        (
            f"{processor()}, {os.cpu_count()} cores; on {assessor.device.label}, {torch.get_num_threads()} threads",
            f"skinapp {skinapp_version}, torch {torch_version}, Python {python}, {platform.system()}",
            f"{networks}; {taken}",
            "medians (fastest to slowest)",
        )
    )


def processor() -> str:
    """Name the processor: Linux keeps its name in /proc, where platform does not look."""
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
    root = models_folder(models)
    assessor, photos = load_assessor(root), small_photos(data)
    bare = bare_passes(assessor, root, photos[0])
    repeats, folder_repeats, count = (3, 1, 40) if quick else (51, 5, 500)
    table = Table("what", "takes", "against", "which takes", "result", "met", title=heading(assessor, photos))
    table.add_row(*one_photo(assessor, bare, photos, repeats))
    table.add_row(*large_photo(assessor, repeats))
    table.add_row(*folder(assessor, bare, photos, count, folder_repeats))
    console = Console(width=max(150, Console().width))
    console.print(table)
    tables = Table("what", "takes", "that is", "goal", "met", title="photos indexed, a table of ISIC 2024's size")
    for cells in table_rows(folder_repeats, count):
        tables.add_row(*cells)
    console.print(tables)


if __name__ == "__main__":
    typer.run(main)
