import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from skinapp.datasets.table import TABLES
from skinapp.errors import ModelError
from skinapp.files import MODELS, compute_sha256
from skinapp.models.card import CARD, RECIPE, Card, CardFigure, Head, OperatingPoint, read_card
from skinapp.models.folder import CURVES, WEIGHTS, find_models
from skinapp.models.seal import add_seal
from skinapp.networks import folder
from skinapp.networks.folder import Model, load_model, save_model
from skinapp.networks.resnet import HeadedResNet, to_half
from skinapp.taxonomy import CODES

MakeModel = Callable[..., Path]
KillAtEachStep = Callable[[Path, str, str], list[Path]]


def answers(model: Model) -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    with torch.inference_mode():
        logits: dict[str, torch.Tensor] = model.network(torch.randn(2, 3, 32, 32))
    return logits


@pytest.fixture
def model_folder(tmp_path: Path, make_model: MakeModel) -> Path:
    return make_model(tmp_path / "a-model", seed=1)


def test_saved_and_loaded_within_fp16(
    tmp_path: Path, make_card: Callable[..., Card], make_network: Callable[..., HeadedResNet]
) -> None:
    card = make_card("lesion_type")
    network = make_network(card)
    saved = save_model(tmp_path / "model", card, network.state_dict(), "epoch\n1\n")
    model = load_model(tmp_path / "model")
    assert (
        model.card == saved == card.model_copy(update={"weights_sha256": compute_sha256(tmp_path / "model" / WEIGHTS)})
    )
    assert (tmp_path / "model" / CURVES).read_text() == "epoch\n1\n"
    for name, values in network.state_dict().items():
        stored = model.network.state_dict()[name]
        assert stored.dtype == values.dtype
        torch.testing.assert_close(stored, values, rtol=2**-11, atol=2**-24)
    expected = answers(Model(tmp_path, card, network))["lesion_type"]
    torch.testing.assert_close(answers(model)["lesion_type"], expected, rtol=0.01, atol=0.05)


def test_a_loaded_network_is_read_only_and_float32(model_folder: Path) -> None:
    network = load_model(model_folder).network
    assert not network.training
    assert not any(weights.requires_grad for weights in network.parameters())
    assert {weights.dtype for weights in network.parameters()} == {torch.float32}


def test_only_whole_files_are_left(model_folder: Path) -> None:
    assert {file.name for file in model_folder.iterdir()} == {CARD, WEIGHTS, CURVES}


def test_no_card(model_folder: Path) -> None:
    (model_folder / CARD).unlink()
    with pytest.raises(ModelError, match=r"a-model holds no card\.json"):
        load_model(model_folder)


def test_no_weights(model_folder: Path) -> None:
    (model_folder / WEIGHTS).unlink()
    with pytest.raises(ModelError, match=r"has a card but no model\.safetensors"):
        load_model(model_folder)


def test_weights_that_the_card_does_not_describe(model_folder: Path) -> None:
    content = bytearray((model_folder / WEIGHTS).read_bytes())
    content[-1] ^= 1
    (model_folder / WEIGHTS).write_bytes(content)
    with pytest.raises(ModelError, match="sha256 differs"):
        load_model(model_folder)


def damage(folder: Path, *keys: str | int, value: object, sealed: bool = True) -> None:
    """Replace one value in a card, or take it out where the value is None; `sealed` seals the card again."""
    card = json.loads((folder / CARD).read_text())
    del card["seal"]
    place = card
    for key in keys[:-1]:
        place = place[key]
    if value is None:
        del place[keys[-1]]
    else:
        place[keys[-1]] = value
    text = json.dumps(card)
    (folder / CARD).write_text(add_seal(text) if sealed else text)


POINTS_CROSSED = [{"sensitivity": 0.9, "threshold": 0.2}, {"sensitivity": 0.95, "threshold": 0.3}]


@pytest.mark.parametrize(
    ("keys", "value", "named"),
    [
        (("role",), "oracle", "role: Input"),
        (("role",), None, "role: Field required"),
        (("architecture",), "vgg16", "architecture: Input"),
        (("heads", 0, "temperature"), 0, r"heads\.0\.temperature"),
        (("preprocessing", "input_px"), 999, "preprocessing: .*input_px"),
        (("preprocessing", "input_px"), 20000, r"preprocessing\.input_px: .* 1024"),
        (("preprocessing", "std"), [0.2, 0, 0.2], "preprocessing: .*std must be"),
        (("preprocessing", "mean"), [0.5, float("nan"), 0.5], r"preprocessing\.mean\.1: .*finite"),
        (("heads", 0, "temperature"), 1e-9, r"heads\.0\.temperature"),
        (("heads", 0, "offsets"), [0, 0, 0], r"heads\.0: .*offsets holds 3 numbers, but there are 2"),
        (("heads", 0, "offsets"), [-1e6, 0], r"heads\.0: .*an offset is beyond 100"),
        (("heads", 0, "shares"), [0.9, 0.9], r"heads\.0: .*shares must be"),
        (("heads",), [], "the whole file: .*needs the heads malignancy, not none"),
        (("role",), "both", "the whole file: .*needs the heads lesion_type, malignancy, not malignancy"),
        (("operating_points",), POINTS_CROSSED, "the whole file: .*must not have a higher threshold"),
        (("data", "train", "photos"), "many", r"data\.train\.photos"),
        (("weights_dtype",), "float64", "weights_dtype"),
        (("secret",), 1, "secret: Extra"),
        (("heads", 0, "offsets"), "none", r"heads\.0\.offsets"),
        (("operating_points",), [{"sensitivity": 0.95, "threshold": 1.5}], r"operating_points\.0\.threshold"),
        (("operating_points",), [{"sensitivity": 0, "threshold": 0.5}], r"operating_points\.0\.sensitivity"),
        (("figures",), [{"figure": "accuracy"}], r"figures\.0\.task: Field required"),
    ],
)
def test_a_damaged_card_names_the_key(
    model_folder: Path, keys: tuple[str | int, ...], value: object, named: str
) -> None:
    damage(model_folder, *keys, value=value)
    with pytest.raises(ModelError, match=rf"card\.json is not a model card: {named}"):
        load_model(model_folder)


def test_a_card_of_before_has_no_offsets_points_or_figures(model_folder: Path) -> None:
    for key in ("rounding", "operating_points", "figures"):
        damage(model_folder, key, value=None)
    for key in ("offsets", "shares"):
        damage(model_folder, "heads", 0, key, value=None)
    card = load_model(model_folder).card
    assert (card.rounding, card.operating_points, card.figures) == (None, (), ())
    assert (card.heads[0].offsets, card.heads[0].shares) == ((), ())


def test_offsets_points_and_figures_come_back(tmp_path: Path, make_model: MakeModel) -> None:
    head = Head(name="malignancy", classes=("malignant", "benign"), offsets=(-0.5, 0.0), shares=(0.2, 0.8))
    points = (OperatingPoint(sensitivity=0.95, threshold=0.12),)
    shown = CardFigure(task="malignancy", run="a", split="test", metric="brier", value=None, photos=3, lesions=2)
    make_model(tmp_path / "m", heads=(head,), operating_points=points, figures=(shown,), rounding=0.002)
    card = load_model(tmp_path / "m").card
    assert (card.heads, card.operating_points, card.figures, card.rounding) == ((head,), points, (shown,), 0.002)


@pytest.mark.parametrize("content", [b"", b"{", b"[1, 2]", b"\xff\xfe\x00"])
def test_a_card_that_is_no_card_at_all(model_folder: Path, content: bytes) -> None:
    (model_folder / CARD).write_bytes(content)
    with pytest.raises(ModelError, match="not a model card: the whole file: "):
        load_model(model_folder)


def test_weights_of_another_architecture(model_folder: Path) -> None:
    damage(model_folder, "architecture", value="resnet34")
    with pytest.raises(ModelError, match="saved with architecture resnet18, but the card says resnet34"):
        load_model(model_folder)
    take_meaning_out(model_folder)
    with pytest.raises(ModelError, match="does not fit the resnet34 of its card"):
        load_model(model_folder)


def take_meaning_out(folder: Path) -> None:
    """Save the weights without metadata, as before there were any."""
    save_file(load_file(folder / WEIGHTS), folder / WEIGHTS)
    damage(folder, "weights_sha256", value=compute_sha256(folder / WEIGHTS))


CHANGES: tuple[tuple[tuple[str | int, ...], object], ...] = (
    (("heads", 0, "classes"), [*reversed(CODES)]),
    (("heads", 0, "temperature"), 3.0),
    (("preprocessing", "std"), [0.3, 0.3, 0.3]),
    (("preprocessing", "resize_px"), 64),
    (("licence",), "free"),
    (("training", "best_value"), 0.99),
)


def test_a_card_that_was_changed_by_hand_does_not_load(tmp_path: Path, make_model: MakeModel) -> None:
    folder = make_model(tmp_path / "m", role="lesion_type")
    text = (folder / CARD).read_text()
    seal = json.loads(text)["seal"]
    for keys, value in CHANGES:
        (folder / CARD).write_text(text)
        damage(folder, *keys, value=value, sealed=False)
        with pytest.raises(ModelError, match=r"card\.json has no seal.* `skinapp calibrate"):
            load_model(folder)
        changed = json.loads((folder / CARD).read_text())
        (folder / CARD).write_text(json.dumps(changed | {"seal": seal}))
        with pytest.raises(ModelError, match=r"card\.json was changed by hand: its seal does not match\. Restore it"):
            load_model(folder)
    (folder / CARD).write_text(json.dumps(json.loads(text), sort_keys=True))  # another layout says the same
    assert load_model(folder).card.id == "m"


def test_classes_in_another_order_than_the_weights_were_saved_with(tmp_path: Path, make_model: MakeModel) -> None:
    folder = make_model(tmp_path / "m", role="lesion_type")
    damage(folder, "heads", 0, "classes", value=[*reversed(CODES)])
    with pytest.raises(ModelError, match=r"saved with heads .*'akiec', 'bcc'.*but the card says .*'vasc', 'scc'"):
        load_model(folder)
    damage(folder, "heads", 0, "classes", value=list(CODES))
    damage(folder, "preprocessing", "std", value=[0.3, 0.3, 0.3])
    with pytest.raises(ModelError, match="saved with preprocessing"):
        load_model(folder)
    take_meaning_out(folder)
    assert load_model(folder).card.preprocessing.std == (0.3, 0.3, 0.3), "of before, the seal alone holds"


@pytest.mark.parametrize(
    ("classes", "named"),
    [
        (["benign", "malignant"], "must be malignant, benign, in this order"),
        (["malignant", "malignant"], "malignant comes twice"),
        (["malignant"], "two classes or more"),
        (["Malignant", "Benign"], "must be malignant, benign"),
        (list(CODES), "must be malignant, benign"),
    ],
)
def test_malignancy_has_its_two_classes_in_order(model_folder: Path, classes: list[str], named: str) -> None:
    damage(model_folder, "heads", 0, "classes", value=classes)
    with pytest.raises(ModelError, match=rf"not a model card: heads\.0: .*{named}"):
        read_card(model_folder)


@pytest.mark.parametrize(
    ("classes", "named"), [(["nv", "nv", "mel"], "nv comes twice"), (["nv", "wart"], "none of .*wart")]
)
def test_lesion_types_are_known_and_come_once(
    tmp_path: Path, make_model: MakeModel, classes: list[str], named: str
) -> None:
    folder = make_model(tmp_path / "m", role="lesion_type")
    damage(folder, "heads", 0, "classes", value=classes)
    with pytest.raises(ModelError, match=named):
        read_card(folder)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e5])
def test_weights_that_are_no_numbers_are_neither_saved_nor_loaded(
    tmp_path: Path, make_card: Callable[..., Card], make_network: Callable[..., HeadedResNet], value: float
) -> None:
    card = make_card()
    state = dict(make_network(card).state_dict())
    save_model(tmp_path, card, state, "")
    state["trunk.bn1.weight"] = state["trunk.bn1.weight"].clone().fill_(value)
    with pytest.raises(ModelError, match=r"The weights of a-model .*trunk\.bn1\.weight.*learning_rate"):
        save_model(tmp_path, card, state, "")
    load_model(tmp_path)  # the old one is whole
    save_file(to_half(state), tmp_path / WEIGHTS)
    damage(tmp_path, "weights_sha256", value=compute_sha256(tmp_path / WEIGHTS))
    with pytest.raises(ModelError, match=r"no numbers, in trunk\.bn1\.weight"):
        load_model(tmp_path)


def test_a_file_or_a_folder_in_the_wrong_place_is_named(model_folder: Path) -> None:
    with pytest.raises(ModelError, match=r"model\.safetensors is a file\. Name the model's folder"):
        load_model(model_folder / WEIGHTS)
    (model_folder / CARD).unlink()
    (model_folder / CARD).mkdir()
    with pytest.raises(ModelError, match=r"card\.json cannot be read \(Is a directory\)"):
        load_model(model_folder)


def test_damaged_cards_are_refused_by_name(model_folder: Path) -> None:
    rng, whole, unchanged = random.Random(30), json.loads((model_folder / CARD).read_text()), read_card(model_folder)
    read: list[Card] = []
    refused: list[str] = []
    values = [None, True, -1, 0, 1e308, 10**400, float("nan"), "", "\ud800", [], {}, ["nv", "nv"], [[[]]], "../.."]
    for number in range(300):
        card, text = json.loads(json.dumps(whole)), ""
        place = card
        while isinstance(place, dict | list) and place:
            key = rng.choice(list(place) if isinstance(place, dict) else range(len(place)))
            if not isinstance(place[key], dict | list) or rng.random() < 0.2:
                place[key] = rng.choice(values)
                break
            place = place[key]
        text = json.dumps(card)
        if number % 10 == 0:
            text = text[: rng.randrange(len(text))]
        (model_folder / CARD).write_text(text)
        try:
            read.append(read_card(model_folder))
        except ModelError as error:
            refused.append(str(error))
    assert all("card.json" in sentence for sentence in refused)
    assert all(card == unchanged for card in read)
    assert len(refused) > 200


def test_a_pickle_under_the_name_of_weights_is_refused(model_folder: Path) -> None:
    state = to_half(load_model(model_folder).network.state_dict())
    torch.save(state, model_folder / WEIGHTS)
    damage(model_folder, "weights_sha256", value=compute_sha256(model_folder / WEIGHTS))
    with pytest.raises(ModelError, match="not a complete safetensors file"):
        load_model(model_folder)


def test_a_kill_while_saving_leaves_the_old_model_or_the_new_one(
    tmp_path: Path, make_model: MakeModel, kill_at_each_step: KillAtEachStep
) -> None:
    folders = {name: make_model(tmp_path / name, seed=seed) for seed, name in enumerate(("old", "new"))}
    (folders["new"] / CURVES).write_text("new")
    expected = {name: answers(load_model(made))["malignancy"] for name, made in folders.items()}
    imports = (
        "from skinapp.networks.folder import save_model; from skinapp.models.card import read_card; "
        "from safetensors.torch import load_file"
    )
    new = f"Path({str(folders['new'])!r})"
    statement = f"save_model(folder, read_card({new}), load_file({new} / {WEIGHTS!r}), 'new')"
    copies = kill_at_each_step(folders["old"], imports, statement)
    states = []
    for copy in copies:
        now = answers(load_model(copy))["malignancy"]
        states.append(next(name for name, then in expected.items() if torch.equal(now, then)))
        assert (copy / CURVES).read_text() == (folders[states[-1]] / CURVES).read_text()
    assert len(copies) > 5
    assert states == sorted(states, reverse=True)
    assert set(states) == {"old", "new"}


def test_half_written_weights_leave_the_old_model(
    model_folder: Path, make_model: MakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = answers(load_model(model_folder))

    def break_off(tensors: dict[str, torch.Tensor], path: Path, metadata: dict[str, str]) -> None:
        path.write_bytes(b"half of the weights")
        raise OSError("the disk is full")

    monkeypatch.setattr(folder, "save_file", break_off)
    with pytest.raises(OSError, match="disk is full"):
        make_model(model_folder, seed=2)
    torch.testing.assert_close(answers(load_model(model_folder)), old, rtol=0, atol=0)


def test_models_are_found_by_their_cards(tmp_path: Path, make_model: MakeModel) -> None:
    for name in ("b", "a"):
        make_model(tmp_path / name)
    (tmp_path / "recipe-only").mkdir()
    assert find_models(tmp_path) == (tmp_path / "a", tmp_path / "b")
    assert find_models(tmp_path / "absent") == ()


def test_a_card_knows_its_heads(model_folder: Path) -> None:
    card = read_card(model_folder)
    assert card.head("malignancy").classes == ("malignant", "benign")
    with pytest.raises(ModelError, match="a-model has no lesion_type head; it has malignancy"):
        card.head("lesion_type")


@pytest.mark.parametrize("folder", find_models(MODELS), ids=lambda folder: folder.name)
def test_shipped_model_is_what_its_recipe_and_its_run_say(folder: Path) -> None:
    card = load_model(folder).card
    assert card.training.recipe_sha256 == compute_sha256(folder / RECIPE)
    assert card.data.table_sha256 == compute_sha256(TABLES / f"{card.data.table}.parquet")
    runs = [json.loads(file.read_text()) for file in folder.glob("runs/*/run.json")]
    tested = {
        tuple(run["classes"]) for run in runs if run["split"] == "test" and run["weights_sha256"] == card.weights_sha256
    }
    assert {head.classes for head in card.heads} <= tested


def test_both_tasks_ship() -> None:
    heads = [head.name for folder in find_models(MODELS) for head in read_card(folder).heads]
    assert set(heads) == {"malignancy", "lesion_type"}
