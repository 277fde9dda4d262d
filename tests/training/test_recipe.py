import random
from collections.abc import Callable
from pathlib import Path

import pytest

from skinapp.errors import RecipeError
from skinapp.files import MODELS, read_toml
from skinapp.models.card import RECIPE
from skinapp.models.folder import MEMBERS
from skinapp.taxonomy import CODES, MALIGNANCY_CLASSES
from skinapp.training.average import AverageRecipe
from skinapp.training.recipe import parse_recipe, read_recipe

WriteRecipe = Callable[..., Path]


def test_reads_what_is_written_and_fills_in_the_rest(tmp_path: Path, write_recipe: WriteRecipe) -> None:
    recipe = read_recipe(write_recipe(tmp_path / "recipe.toml"))
    assert (recipe.role, recipe.seed, recipe.input.resize_px) == ("malignancy", 7, 36)
    assert recipe.network.initial_weights == "none"
    assert recipe.data.classes == CODES


def test_the_role_decides_the_classes(tmp_path: Path, write_recipe: WriteRecipe) -> None:
    assert read_recipe(write_recipe(tmp_path / "recipe.toml")).classes == MALIGNANCY_CLASSES
    types = write_recipe(tmp_path / "recipe.toml", ('"malignancy"', '"lesion_type"'))
    assert read_recipe(types).classes == CODES
    table_end = ('.parquet"', '.parquet"\nclasses = ["nv", "mel"]')
    two = write_recipe(tmp_path / "recipe.toml", ('"malignancy"', '"lesion_type"'), table_end)
    assert read_recipe(two).classes == ("nv", "mel")


EXTRA = '[[data.extra]]\ntable = "other.parquet"\n{}\n[network]'
"""Photos of another table, with a setting of theirs."""


def test_a_pair_has_malignancy_first_and_is_drawn_by_its_types(tmp_path: Path, write_recipe: WriteRecipe) -> None:
    for role, heads, task, classes in (
        ("malignancy", {"malignancy": MALIGNANCY_CLASSES}, "malignancy", MALIGNANCY_CLASSES),
        ("lesion_type", {"lesion_type": CODES}, "lesion_type", CODES),
        ("both", {"malignancy": MALIGNANCY_CLASSES, "lesion_type": CODES}, "lesion_type", CODES),
    ):
        recipe = read_recipe(write_recipe(tmp_path / "recipe.toml", ('"malignancy"', f'"{role}"')))
        assert list(recipe.heads.items()) == list(heads.items())
        assert (recipe.task, recipe.classes) == (task, classes)


def test_what_a_recipe_leaves_unsaid_changes_nothing(tmp_path: Path, write_recipe: WriteRecipe) -> None:
    recipe = read_recipe(write_recipe(tmp_path / "recipe.toml"))
    changes = recipe.augmentation.model_dump(include={"cast", "any_turn", "blur", "coarse", "jpeg", "dark_corners"})
    assert not any(changes.values())
    assert not recipe.augmentation.grey_world
    assert (recipe.data.extra, recipe.split.outside) == ((), None)
    assert (recipe.sampling.logit_adjustment, recipe.calibration.undo_sampling) == (0, 0)
    assert (recipe.schedule.mixup, recipe.schedule.cutmix) == (0, 0)


def test_extra_tables_are_learned_from_unless_it_is_said(tmp_path: Path, write_recipe: WriteRecipe) -> None:
    two = EXTRA.format("").replace("[network]", EXTRA.format('cameras = ["x"]\nsmallest_px = 300\nuse = "outside"'))
    first, second = read_recipe(write_recipe(tmp_path / "recipe.toml", ("[network]", two))).data.extra
    assert (first.table, first.cameras, first.smallest_px, first.use) == ("other.parquet", (), 1, "train")
    assert (second.cameras, second.smallest_px, second.use) == (("x",), 300, "outside")


@pytest.mark.parametrize("classes", ['["nv", "bkl"]', '["mel", "bcc"]', '["mel", "nv", "wart"]'])
def test_a_pair_needs_malignant_and_benign_types(tmp_path: Path, write_recipe: WriteRecipe, classes: str) -> None:
    changes = (('"malignancy"', '"both"'), ('.parquet"', f'.parquet"\nclasses = {classes}'))
    with pytest.raises(RecipeError, match='role "both" needs classes from the eight codes'):
        read_recipe(write_recipe(tmp_path / "recipe.toml", *changes))
    alone = write_recipe(tmp_path / "recipe.toml", ('"malignancy"', '"lesion_type"'), changes[1])
    assert len(read_recipe(alone).classes) >= 2


STAGE = "[[augmentation.stages]]\nfrom_epoch = {}\ncrop_px = 16\n"
ANSWERS = '[distillation]\nanswers = "a.parquet"\n'


@pytest.mark.parametrize("blend", ["mixup", "cutmix"])
def test_answers_on_whole_photos_do_not_fit_blended_ones(tmp_path: Path, write_recipe: WriteRecipe, blend: str) -> None:
    changes = (("[network]", f"{ANSWERS}[network]"), ("epochs = 3", f"epochs = 3\n{blend} = 0.4"))
    with pytest.raises(RecipeError, match="stored answers are of whole photos"):
        read_recipe(write_recipe(tmp_path / "recipe.toml", *changes))
    assert read_recipe(write_recipe(tmp_path / "recipe.toml", changes[0])).distillation is not None


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("seed = 7", 'seed = "often"', "seed: "),
        ("seed = 7", "", "seed: Field required"),
        ("seed = 7", "seed = 7\ncolour = 1", "colour: Extra"),
        ("hue = 0", "hue = 0\nglare = 1", r"augmentation\.glare: Extra"),
        ("hue = 0", "hue = 0.6", r"augmentation\.hue: "),
        ("batch_size = 8", "batch_size = 0", r"schedule\.batch_size: "),
        ("epochs = 3", "", r"schedule\.epochs: Field required"),
        ('"resnet18"', '"vgg16"', r"network\.architecture: "),
        ('"malignancy"', '"neither"', "role: "),
        ("input_px = 32", "input_px = 37", "input: .*input_px must not exceed resize_px"),
        ("crop_scale = [1.0, 1.0]", "crop_scale = [1.0]", r"augmentation\.crop_scale"),
        *(
            ("hue = 0", f"hue = 0\n{key} = {value}", rf"augmentation\.{key}: ")
            for key in ("cast", "blur", "coarse", "jpeg", "dark_corners", "grey_world")
            for value in (-0.1, 1.1)
        ),
        ("hue = 0", "hue = 0\nany_turn = 90", r"augmentation\.any_turn: "),
        ("balance_exponent = 0.5", "logit_adjustment = -1", r"sampling\.logit_adjustment: "),
        ("epochs = 3", "epochs = 3\nmixup = -0.2", r"schedule\.mixup: "),
        ("epochs = 3", "epochs = 3\ncutmix = -0.2", r"schedule\.cutmix: "),
        ("epochs = 3", "epochs = 3\nmixup = 0.2\ncutmix = 1", "schedule: .*mixup and cutmix"),
        ("[network]", "[calibration]\nundo_sampling = 1.1\n[network]", r"calibration\.undo_sampling: "),
        ("[network]", "[calibration]\nundo_sampling = -0.1\n[network]", r"calibration\.undo_sampling: "),
        ("[network]", "[[data.extra]]\n[network]", r"data\.extra\.0\.table: Field required"),
        ("[network]", EXTRA.format('use = "test"'), r"data\.extra\.0\.use: "),
        ("[network]", EXTRA.format("smallest_px = 0"), r"data\.extra\.0\.smallest_px: "),
        ("[network]", EXTRA.format('camera = "x"'), r"data\.extra\.0\.camera: Extra"),
        ("[network]", "[split]\noutside = 3\n[network]", r"split\.outside: "),
        ("[network]", EXTRA.format("untyped = true"), "recipe: .*photos without a type need two heads"),
        ("[network]", EXTRA.format('untyped = true\nuse = "outside"'), r"data\.extra\.0: .*can be trained on only"),
        ('"resnet18"', '"resnet18"\ninitial_heads = true', "network: .*initial_heads = true needs initial_weights"),
        ("hue = 0", f"hue = 0\n{STAGE.format(1)}", "augmentation: .*stages must begin after epoch 1"),
        ("hue = 0", f"hue = 0\n{STAGE.format(3)}{STAGE.format(3)}", "augmentation: .*each after the one before"),
        ("[network]", "[distillation]\n[network]", "distillation: .*name either teachers or answers"),
        ("[network]", f'{ANSWERS}teachers = ["b"]\n[network]', "distillation: .*name either teachers or answers"),
        ("[network]", f"{ANSWERS}weight = 0\n[network]", r"distillation\.weight: "),
        ('monitor = "loss"', 'monitor = "mean_auroc"', 'recipe: .*"mean_auroc" is the mean of two heads'),
        ("batch_size = 8", "batch_size = 1", r"schedule\.batch_size: .* 2"),
        ("seed = 7", "seed = -1", "seed: "),
        ("input_px = 32", "input_px = 20000", r"input\.input_px: .* 1024"),
        ("input_px = 32", "input_px = 32\nstd = [0.2, 0.0, 0.2]", "input: .*std must be"),
        ("input_px = 32", "input_px = 32\nmean = [123.7, 116.3, 103.5]", "input: .*mean must be .* pixels / 255"),
        ("learning_rate = 1e-3", "learning_rate = inf", r"schedule\.learning_rate: .*finite"),
        ("crop_ratio = [1.0, 1.0]", "crop_ratio = [1.3, 0.7]", "augmentation: .*crop_ratio must be the lower"),
        ('.parquet"\n', '.parquet"\nclasses = ["nv", "NV", "mel"]\n', "data: .*nv comes twice"),
    ],
)
def test_a_wrong_key_is_named(tmp_path: Path, write_recipe: WriteRecipe, old: str, new: str, named: str) -> None:
    with pytest.raises(RecipeError, match=rf"recipe\.toml: {named}"):
        read_recipe(write_recipe(tmp_path / "recipe.toml", (old, new)))


def test_all_wrong_keys_are_named_at_once(tmp_path: Path, write_recipe: WriteRecipe) -> None:
    path = write_recipe(tmp_path / "recipe.toml", ("seed = 7", ""), ("epochs = 3", "epochs = -1"))
    with pytest.raises(RecipeError, match=r"seed: .*schedule\.epochs: .*Correct these keys"):
        read_recipe(path)


@pytest.mark.parametrize(
    "content",
    [
        b"role = ",
        b"[data\n",
        b"role = 'a'\nrole = 'b'\n",
        b"\xff\xfex",
        b"\x89PNG\r\n",
        b"a = " + b"[" * 9999,
        b"a = " + b"1" * 9999,
    ],
)
def test_a_file_that_is_no_toml(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "recipe.toml").write_bytes(content)
    with pytest.raises(RecipeError, match=r"recipe\.toml is (not TOML|nested too deeply)"):
        read_recipe(tmp_path / "recipe.toml")


def test_no_recipe_or_a_folder_in_its_place(tmp_path: Path) -> None:
    for path, said in ((tmp_path / "absent.toml", "There is no recipe at"), (tmp_path, "is a folder. Name the recipe")):
        with pytest.raises(RecipeError, match=said):
            read_recipe(path)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_recipe_of_a_windows_editor_is_read(tmp_path: Path, write_recipe: WriteRecipe, encoding: str) -> None:
    path = write_recipe(tmp_path / "recipe.toml")
    plain = read_recipe(path)
    path.write_text(path.read_text().replace("\n", "\r\n"), encoding=encoding, newline="")
    assert read_recipe(path) == plain


def test_names_may_be_spelt_as_elsewhere(tmp_path: Path, write_recipe: WriteRecipe) -> None:
    recipe = read_recipe(
        write_recipe(
            tmp_path / "recipe.toml",
            ('role = "malignancy"', 'role = "Lesion-Type"'),
            (
                '.parquet"\n',
                '.parquet"\nclasses = ["MEL", " Nv", "bcc"]\nrelabel = { SCC = "AKIEC", BEN_OTH = "BKL" }\n',
            ),
            ('"resnet18"', '"ResNet-18"'),
        )
    )
    assert (recipe.role, recipe.data.classes, recipe.network.architecture) == (
        "lesion_type",
        ("mel", "nv", "bcc"),
        "resnet18",
    )
    assert recipe.data.relabel == {"scc": "akiec", "BEN_OTH": "bkl"}


def test_damaged_recipes_are_refused_by_name_or_read(tmp_path: Path, write_recipe: WriteRecipe) -> None:
    rng, path = random.Random(30), write_recipe(tmp_path / "recipe.toml")
    whole, values = (
        path.read_text(),
        ["nan", "-inf", "1e400", "-1", "0", '""', "[]", "{}", "true", "9" * 30, '"\\u0000"'],
    )
    refused: list[str] = []
    for _ in range(300):
        lines = whole.splitlines()
        place = rng.randrange(len(lines))
        key = lines[place].partition("=")[0]
        lines[place] = f"{key}= {rng.choice(values)}" if rng.random() < 0.8 else lines[place][: rng.randrange(20)]
        path.write_text("\n".join(lines))
        try:
            read_recipe(path)
        except RecipeError as error:
            refused.append(str(error))
    assert len(refused) > 150
    assert all("recipe.toml" in sentence for sentence in refused)


def test_the_student_s_recipe_in_the_docs_is_valid(tmp_path: Path) -> None:
    text = (MODELS.parent / "docs" / "student.md").read_text(encoding="utf-8")
    (tmp_path / "recipe.toml").write_text(text.partition("```toml\n")[2].partition("```")[0], encoding="utf-8")
    recipe = read_recipe(tmp_path / "recipe.toml")
    assert recipe.role == "both"
    assert recipe.distillation is not None
    assert recipe.distillation.answers == "answers.parquet"
    for path in (recipe.data.table, *recipe.extra_tables, recipe.network.initial_weights, recipe.split.twins):
        assert (MODELS.parent / path).is_file()


def test_the_shipped_recipes_are_valid() -> None:
    averages = sorted(folder.parent / RECIPE for folder in MODELS.rglob(MEMBERS))
    for path in averages:
        names = parse_recipe(AverageRecipe, path, read_toml(path)).members
        assert all((path.parent / MEMBERS / name / RECIPE).is_file() for name in names)
    recipes = [read_recipe(path) for path in sorted(set(MODELS.rglob(RECIPE)) - set(averages))]
    assert {task for recipe in recipes for task in recipe.heads} == {"malignancy", "lesion_type"}
