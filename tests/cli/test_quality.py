"""skinapp quality writes limits into the card and prints what the checks find."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from skinapp.models.card import DataFacts, read_card
from skinapp.networks.folder import load_model


def test_the_command_writes_the_card_and_prints_what_was_found(
    run_command: Callable[..., Any],
    tmp_path: Path,
    data_root: Path,
    make_model: Callable[..., Path],
    facts: DataFacts,
) -> None:
    folder = make_model(tmp_path / "models" / "mine", "both", data=facts)
    before, table = read_card(folder), data_root / "table.parquet"
    done = run_command("quality", "mine", "--table", table, "--data", data_root, "--models", folder.parent)
    card = read_card(folder)
    assert done.code == 0
    assert card.quality is not None
    assert card.quality.figures is not None
    assert card.model_copy(update={"quality": None}) == before
    assert load_model(folder).card == card
    for copy in card.quality.figures.copies:
        assert copy.kind in done.out
    assert "A finding of any kind in" in done.err


def test_the_photos_must_be_at_hand(
    run_command: Callable[..., Any], tmp_path: Path, data_root: Path, make_model: Callable[..., Path], facts: DataFacts
) -> None:
    folder = make_model(tmp_path / "models" / "mine", "both", data=facts)
    wanted = ("quality", "mine", "--table", data_root / "table.parquet", "--models", folder.parent)
    assert "Where are the photos?" in run_command(*wanted).err
    assert "is below" in run_command(*wanted, "--data", tmp_path).err
