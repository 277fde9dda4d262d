import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from skinapp.cards.pair import compute_benign_first
from skinapp.cards.selection import list_outside_figures
from skinapp.datasets.table import read_table, write_table
from skinapp.files import compute_sha256
from skinapp.models.card import CARD, NOT_YET_MEASURED, TRAINING, Card, DataFacts, Role, read_card
from skinapp.models.folder import WEIGHTS
from skinapp.networks.folder import load_model
from skinapp.runs.intervals import compute_intervals, get_figure, load_intervals, save_intervals
from skinapp.runs.predictions import probability_columns
from skinapp.runs.stored import load_run, save_run
from skinapp.runs.summary import compute_headline
from skinapp.runs.views.operating_points import choose_operating_points, compute_rates_at

RunCommand = Callable[..., Any]
MakeModel = Callable[..., Path]


@pytest.fixture
def make_evaluated(
    run_command: RunCommand, tmp_path: Path, data_root: Path, make_model: MakeModel, facts: DataFacts
) -> Callable[..., Path]:
    """Make a model of a role with stored runs of the splits, by the command that makes them."""

    def make(role: Role, splits: tuple[str, ...] = ("validation", "test")) -> Path:
        folder = make_model(tmp_path / "models" / "mine", role, seed=3, data=facts)
        for split in splits:
            run_command("evaluate", folder, data_root / "table.parquet", "--split", split, "--data", data_root)
        return folder

    return make


def filled(run_command: RunCommand, folder: Path, data_root: Path) -> tuple[Any, Card]:
    done = run_command("card", "mine", "--table", data_root / "table.parquet", "--models", folder.parent)
    return done, read_card(folder)


def test_the_card_of_a_pair_gets_points_and_figures_and_its_weights_stay(
    run_command: RunCommand, make_evaluated: Callable[..., Path], data_root: Path
) -> None:
    folder = make_evaluated("both")
    before, weights = read_card(folder), compute_sha256(folder / WEIGHTS)
    done, card = filled(run_command, folder, data_root)
    assert done.code == 0
    chosen_on = load_run(folder / "runs" / "table-validation-malignancy")
    assert card.operating_points == choose_operating_points(chosen_on)
    assert f"3 operating points and {len(card.figures)} figures written to {folder / CARD}" in done.err

    found = {(f.run, f.metric, f.sensitivity): f for f in card.figures if f.group is None and f.stage == "final"}
    for name in (f"table-{split}-{head}" for split in ("validation", "test") for head in ("malignancy", "lesion-type")):
        run, intervals = load_run(folder / "runs" / name), load_intervals(folder / "runs" / name)
        one = found[name, "macro_auroc", None]
        assert one.value == pytest.approx(compute_headline(run).macro_auroc, abs=1e-6)
        assert one.low == pytest.approx(get_figure(intervals, "macro_auroc").low, abs=1e-6)
        assert (one.split, one.photos) == (run.split, len(run.frame))
    for point in card.operating_points:
        rate = compute_rates_at(load_run(folder / "runs" / "table-test-malignancy"), point.threshold)["sensitivity"]
        one = found["table-test-malignancy", "sensitivity", point.sensitivity]
        assert one.value == pytest.approx(rate.value, abs=1e-6)
        (line,) = [line for line in done.out.splitlines() if line.strip().startswith(f"{point.sensitivity:.0%}")]
        assert f"{point.threshold:.6f}" in line
        assert rate.format() in line
    assert found["table-test-lesion-type", "contradictions", None].value == 0
    tested = [load_run(folder / "runs" / f"table-test-{head}") for head in ("malignancy", "lesion-type")]
    for point in card.operating_points:
        expected = compute_benign_first(*tested, point)
        assert found["table-test-lesion-type", "benign_first", point.sensitivity] == expected

    assert compute_sha256(folder / WEIGHTS) == weights == card.weights_sha256
    assert card.model_copy(update=NOT_YET_MEASURED) == before
    assert card.conformal is not None
    assert card.conformal.fitted_on == "table-validation-lesion-type"
    assert card.repeats is not None
    assert (card.repeats.fitted_on, card.repeats.measured_on) == (
        "table-validation-malignancy",
        "table-test-malignancy",
    )
    assert load_model(folder).card == card


def test_what_was_stored_of_photos_outside_gets_into_the_card(
    run_command: RunCommand, make_evaluated: Callable[..., Path], data_root: Path
) -> None:
    folder = make_evaluated("both")
    without = filled(run_command, folder, data_root)[1].figures
    names = ("malignancy", "lesion-type")
    for name in names:
        run = load_run(folder / "runs" / f"table-test-{name}")
        elsewhere = replace(run, name=f"far-outside-{name}", split="outside", table_sha256="0" * 64)
        save_run(elsewhere, folder / "runs" / elsewhere.name)
        old = replace(elsewhere, name=f"old-outside-{name}", temperature=9.0)
        save_run(old, folder / "runs" / old.name)
    card = filled(run_command, folder, data_root)[1]
    added = [one for one in card.figures if one not in without]
    assert {one.run for one in added} == {f"far-outside-{name}" for name in names}
    final = (f for f in without if (f.run, f.group, f.stage) == ("table-test-malignancy", None, "final"))
    tested = {(f.metric, f.sensitivity): f.value for f in final}
    outside = list_outside_figures(card)
    for one in outside:
        assert one.value == tested[one.metric, one.sensitivity]
    rates = [(rate, point) for point in (0.9, 0.95, 0.98) for rate in ("sensitivity", "specificity")]
    assert [(one.metric, one.sensitivity) for one in outside] == [("malignant_auroc", None), *rates]


def test_what_tried_recipes_said_of_photos_kept_from_them_gets_into_the_card(
    run_command: RunCommand, make_evaluated: Callable[..., Path], data_root: Path, tmp_path: Path
) -> None:
    folder, tried = make_evaluated("both"), tmp_path / "experiments" / "kept-away"
    table = read_table(data_root / "table.parquet")
    write_table(
        table.assign(camera=table.index.map(lambda row: "a camera" if row % 2 else pd.NA)), tmp_path / "far.parquet"
    )
    tried.mkdir(parents=True)
    for name, split in (("malignancy", "outside"), ("lesion-type", "outside"), ("malignancy", "validation")):
        run = load_run(folder / "runs" / f"table-test-{name}")
        save_run(replace(run, name=f"{split}-{name}", split=split, table="far"), tried / "runs" / f"{split}-{name}")
    recipe = f'[data]\ntable = "{tmp_path / "far.parquet"}"\n[network]\narchitecture = "resnet34"\n'
    (tried / "recipe.toml").write_text(recipe)
    (tried / TRAINING).write_text(read_card(folder).model_dump_json())
    (row,) = filled(run_command, folder, data_root)[1].left_out
    run = load_run(tried / "runs" / "outside-malignancy")
    assert (row.recipe, row.network, row.figure.run) == ("kept-away", "resnet34", "outside-malignancy")
    assert row.whose == ("a camera", "made up, camera not named")
    assert row.figure.value == pytest.approx(compute_headline(run).malignant_auroc, abs=1e-6)
    (point,) = (
        p for p in choose_operating_points(load_run(tried / "runs" / "validation-malignancy")) if p.sensitivity == 0.95
    )
    rates = compute_rates_at(run, point.threshold)
    assert [(rate.metric, rate.sensitivity) for rate in row.rates] == [("sensitivity", 0.95), ("specificity", 0.95)]
    assert {(rate.run, rate.split) for rate in row.rates} == {("outside-malignancy", "outside")}
    assert [rate.value for rate in row.rates] == pytest.approx([one.value for one in rates.values()], abs=1e-6)
    shutil.rmtree(tried / "runs" / "validation-malignancy")
    assert filled(run_command, folder, data_root)[1].left_out == (row.model_copy(update={"rates": ()}),)


def test_a_recipe_tried_from_other_seeds_gets_into_the_card(
    run_command: RunCommand, make_evaluated: Callable[..., Path], data_root: Path, tmp_path: Path
) -> None:
    folder = make_evaluated("both")
    recipe = "seed = {}\n[input]\ninput_px = {}\n[network]\n[augmentation]\n"
    (folder / "recipe.toml").write_text(recipe.format(4, 64))
    assert not filled(run_command, folder, data_root)[1].seeds
    run = load_run(folder / "runs" / "table-validation-malignancy")
    malignant, benign = probability_columns(run.classes)
    frame = run.frame.rename(columns={malignant: benign, benign: malignant})
    turned = replace(run, frame=frame[list(run.frame.columns)])
    tried_ones = {
        "b": recipe.format(6, 64),
        "a": recipe.format(7, 64),
        "other": recipe.format(5, 32),
        "seedless": recipe.partition("\n")[2].format(64),
    }
    for name, text in tried_ones.items():
        tried = tmp_path / "experiments" / name
        save_run(turned, tried / "runs" / "validation-malignancy")
        save_intervals(compute_intervals(turned), tried / "runs" / "validation-malignancy")
        (tried / "recipe.toml").write_text('evaluate = ["validation"]\n' + text)
        (tried / TRAINING).write_text(read_card(folder).model_dump_json())
    own, *again = card = filled(run_command, folder, data_root)[1].seeds
    assert [(row.recipe, row.seed) for row in card] == [(folder.name, 4), ("b", 6), ("a", 7)]
    assert {row.network for row in card} == {read_card(folder).id}
    assert own.figures["malignant_auroc"] == pytest.approx(compute_headline(run).malignant_auroc, abs=1e-6)
    assert {"balanced_accuracy", "macro_auroc"} < set(own.figures)
    for row in again:
        assert row.figures == {"malignant_auroc": pytest.approx(1 - own.figures["malignant_auroc"], abs=1e-5)}


def test_a_recipe_that_is_no_toml_is_named(
    run_command: RunCommand, make_evaluated: Callable[..., Path], data_root: Path
) -> None:
    folder = make_evaluated("malignancy")
    (folder / "recipe.toml").write_text("seed = = 4")
    before = (folder / CARD).read_bytes()
    done, _ = filled(run_command, folder, data_root)
    assert (done.code, (folder / CARD).read_bytes()) == (2, before)
    assert "recipe.toml is not TOML" in done.err


def test_a_model_in_the_folder_where_one_stands_gets_its_card(
    run_command: RunCommand,
    make_evaluated: Callable[..., Path],
    data_root: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = make_evaluated("malignancy")
    monkeypatch.chdir(folder.parent)
    assert run_command("card", Path("mine"), "--table", data_root / "table.parquet").code == 0
    assert read_card(folder).figures


def test_asked_again_it_writes_the_same(
    run_command: RunCommand, make_evaluated: Callable[..., Path], data_root: Path
) -> None:
    folder = make_evaluated("malignancy")
    done, card = filled(run_command, folder, data_root)
    assert (done.code, len(card.operating_points)) == (0, 3)
    first = (folder / CARD).read_bytes()
    (folder / "runs" / "table-test" / "intervals.json").unlink()  # drawn anew, by the same seed
    filled(run_command, folder, data_root)
    assert (folder / CARD).read_bytes() == first
    assert not list(folder.glob("*.partial"))


def test_a_model_of_lesion_types_gets_no_points(
    run_command: RunCommand, make_evaluated: Callable[..., Path], data_root: Path
) -> None:
    done, card = filled(run_command, make_evaluated("lesion_type"), data_root)
    assert (done.code, done.out, card.operating_points) == (0, "", ())
    assert {each.run for each in card.figures} == {"table-validation", "table-test"}
    assert "seven classes of HAM10000" in {each.group for each in card.figures}


@pytest.mark.parametrize(("there", "missing"), [("test", "validation"), ("validation", "test")])
def test_a_run_that_is_missing_is_named_with_the_command_that_makes_it(
    run_command: RunCommand, make_evaluated: Callable[..., Path], data_root: Path, there: str, missing: str
) -> None:
    folder = make_evaluated("malignancy", (there,))
    before = (folder / CARD).read_bytes()
    done, _ = filled(run_command, folder, data_root)
    assert (done.code, done.out) == (2, "")
    command = f"skinapp evaluate mine {data_root / 'table.parquet'} --split {missing}"
    assert f"no stored run of these weights on {missing} by the head malignancy. Make it with `{command}`" in done.err
    assert (folder / CARD).read_bytes() == before


def test_runs_of_other_weights_or_damaged_do_not_count(
    run_command: RunCommand,
    make_evaluated: Callable[..., Path],
    data_root: Path,
    make_model: MakeModel,
    facts: DataFacts,
) -> None:
    folder = make_evaluated("malignancy")
    kept = shutil.copytree(folder, folder.with_name("kept"))
    (folder / "runs" / "table-validation" / "predictions.parquet").write_bytes(b"damaged")
    done, _ = filled(run_command, folder, data_root)
    assert done.code == 2
    assert "is damaged" in done.err
    assert "no stored run of these weights on validation" in done.err
    make_model(kept, "malignancy", seed=4, data=facts)
    done = run_command("card", kept, "--table", data_root / "table.parquet")
    assert done.code == 2
    assert "no stored run of these weights on validation" in done.err


def test_the_table_must_be_the_one_it_was_trained_on(
    run_command: RunCommand, make_evaluated: Callable[..., Path], data_root: Path, tmp_path: Path
) -> None:
    folder = make_evaluated("malignancy")
    other = tmp_path / "other.parquet"
    other.write_bytes((data_root / "table.parquet").read_bytes() + b" ")
    for table, sentence in (
        (("--table", other), "other.parquet is not the table that mine was trained on"),
        (("--table", tmp_path / "absent.parquet"), "There is no image table at"),
        ((), "table.parquet. Name the one mine was trained on"),  # none of that name ships
    ):
        done = run_command("card", folder, *table)
        assert (done.code, done.out) == (2, "")
        assert sentence in done.err
    done = run_command("card", tmp_path)
    assert done.code == 2
    assert "holds no card.json" in done.err
