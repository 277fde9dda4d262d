import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from skinapp.cards.formats.hugging_face import format_hub_card
from skinapp.cards.formats.monai import NOT_RECORDED, build_monai_metadata
from skinapp.cards.formats.yaml import build_front_matter, format_yaml
from skinapp.cards.selection import (
    build_forest_rows,
    find_figure_of_all_photos,
    list_calibration,
    list_headline_figures,
    list_points_on_test,
    list_recounted_figures,
    list_subgroup_figures,
)
from skinapp.cards.wording import (
    SEEDS,
    describe_threshold_transfer,
    format_range,
    group_unseen_results,
    name_figure,
)
from skinapp.formatting import format_estimate
from skinapp.models.card import (
    Card,
    CardFigure,
    InitialWeights,
    OperatingPoint,
    SeedFigures,
    UnseenCameraResult,
    read_card,
)

REQUIRED = (
    "schema",
    "version",
    "monai_version",
    "pytorch_version",
    "numpy_version",
    "required_packages_version",
    "task",
    "description",
    "authors",
    "copyright",
    "network_data_format",
)
"""Of MONAI's bundle schema of 2024-07-25, as is what a tensor needs."""
REQUIRED_OF_TENSOR = ("type", "format", "num_channels", "spatial_shape", "dtype", "value_range")


def figure(name: str, value: float | None = 0.5, **changes: Any) -> CardFigure:
    """Make a figure of a malignancy run on test; keywords replace its fields."""
    given = {
        "task": "malignancy",
        "run": "small-test-malignancy",
        "split": "test",
        "low": None if value is None else value - 0.0625,
        "high": None if value is None else value + 0.0625,
        "photos": 60,
        "lesions": 30,
    }
    return CardFigure(metric=name, value=value, **(given | changes))


FIGURES = (
    figure("malignant_auroc", 0.875),
    figure("malignant_auroc", 0.25, split="validation"),
    figure("macro_auroc", 1e-05, low=None, high=None),
    figure("macro_f1", None),
    figure("ece", 0.125),
    figure("ece", 0.375, stage="before calibration"),
    figure("sensitivity", 0.9375, sensitivity=0.95),
    figure("specificity", 0.75, sensitivity=0.95),
    figure("specificity", 0.8125, sensitivity=0.95, stage="threshold read from these photos"),
    figure("recall", 0.625, task="lesion_type", run="small-test-lesion-type", label="mel", photos=8),
    figure("contradictions", 0.0625, task="lesion_type", run="small-test-lesion-type"),
    figure("benign_first", 0.25, sensitivity=0.95, task="lesion_type", run="small-test-lesion-type"),
    figure("malignant_auroc", 0.625, grouped_by="camera", group="rosendahl"),
    figure("malignant_auroc", None, grouped_by="camera", group="vidir"),
    figure("malignant_auroc", 0.6875, group="akiec left out"),
    figure("malignant_auroc", 0.75, split="outside", run="far", photos=90, lesions=45),
    figure("ece", 0.25, split="outside", run="far"),
    figure("specificity", 0.5, sensitivity=0.95, split="outside", run="far", photos=90, lesions=45),
)


@pytest.fixture
def card(make_card: Callable[..., Card]) -> Card:
    points = (OperatingPoint(sensitivity=0.95, threshold=0.123456), OperatingPoint(sensitivity=0.9, threshold=0.25))
    return make_card(
        "both",
        figures=FIGURES,
        operating_points=points,
        left_out=(
            UnseenCameraResult(recipe="kept-away", network="resnet34", whose=("rosendahl", "MSK"), figure=FIGURES[0]),
        ),
        licence="CC BY-NC 4.0: not for commercial use",
        weights_sha256="ab" * 32,
        teachers=(InitialWeights(name="a-teacher", sha256="cd" * 32, licence="not to be sold"),),
    )


def test_words_name_a_figure() -> None:
    read_here = figure("specificity", sensitivity=0.9, stage="threshold read from these photos")
    before = figure("slope", label="malignant", stage="before calibration")
    assert name_figure(figure("malignant_auroc")) == "Malignant AUROC"
    assert name_figure(figure("recall", label="mel")) == "Recall of melanoma"
    assert name_figure(before) == "Slope of malignant before calibration"
    assert name_figure(figure("sensitivity", sensitivity=0.95)) == "Sensitivity at the 95% operating point"
    assert name_figure(read_here) == "Specificity at 90% sensitivity, read from test"
    assert name_figure(figure("ece_if_perfect")) == "Calibration error if perfect"


def test_undefined_is_a_dash_and_no_interval_is_none() -> None:
    assert format_estimate(figure("accuracy", None)) == format_estimate(None) == "–"
    assert format_estimate(figure("accuracy", 0.5, low=None, high=None)) == "0.500"
    assert format_estimate(figure("accuracy", 0.5), ".1%") == "50.0% (43.8% to 56.2%)"


def test_rows_are_those_of_test(card: Card) -> None:
    assert [found.value for found in list_headline_figures(card, "malignancy")] == [0.875, None]
    assert [found.value for found in list_recounted_figures(card, "malignancy")] == [0.6875]
    whole = find_figure_of_all_photos(card)
    assert whole is not None
    assert whole.photos == 60
    (error,) = list_calibration(card, "malignancy")
    assert error.before is not None
    assert (error.before.value, error.after.value) == (0.375, 0.125)


def test_operating_points_stand_beside_what_they_reached(card: Card) -> None:
    early, late = list_points_on_test(card)
    assert (early.point.sensitivity, early.sensitivity, early.specificity) == (0.9, None, None)
    assert late.sensitivity is not None
    assert late.specificity is not None
    assert (late.sensitivity.value, late.specificity.value) == (0.9375, 0.75)


def test_subgroups_are_parted_from_other_ways_of_counting(card: Card) -> None:
    found = list_subgroup_figures(card)
    assert [(one.grouped_by, one.group) for one in found] == [("camera", "rosendahl"), ("camera", "vidir")]
    rows = build_forest_rows(found)
    assert rows["value"].isna().tolist() == [False, True]
    assert rows["note"].iloc[0].replace("\u00a0", " ") == "60 photos, 30 lesions"


def test_front_matter_holds_the_figures_of_the_whole_test_split(card: Card) -> None:
    top = build_front_matter(card)
    assert top["license"] == "cc-by-nc-4.0"
    assert top["datasets"] == ["made up"]
    first, second = top["model-index"][0]["results"]
    expected = [each.value for each in FIGURES if each.split == "test" and each.group is None and each.value]
    assert [metric["value"] for result in (first, second) for metric in result["metrics"]] == expected
    assert first["dataset"]["split"] == "test"
    assert first["metrics"][0]["type"] == "roc_auc"
    assert first["metrics"][0]["name"] == "Malignant AUROC (95% interval 0.812 to 0.938)"
    assert (second["task"]["name"], second["metrics"][0]["type"]) == ("Which of 8 lesion types", "recall")


def test_front_matter_without_figures_has_no_index_and_names_a_strange_licence(make_card: Callable[..., Card]) -> None:
    top = build_front_matter(make_card(licence="Ask first"))
    assert not {"model-index", "metrics"} & set(top)
    assert (top["license"], top["license_name"]) == ("other", "Ask first")


def test_initial_weights_with_terms_of_their_own_are_part_of_the_licence(make_card: Callable[..., Card]) -> None:
    initial = InitialWeights(name="a.safetensors", sha256=None, licence="none stated")
    card = make_card(licence="CC BY-NC 4.0: not for commercial use", initial=initial)
    said = "CC BY-NC 4.0: not for commercial use; its initial weights have terms of their own"
    top = build_front_matter(card)
    assert (top["license"], top["license_name"]) == ("other", said)
    assert f"## Licence\n\n{said}.\n" in format_hub_card(card)
    assert build_monai_metadata(card)["copyright"] == said


def test_trainings_that_were_kept_from_the_same_photos_are_one_group(make_card: Callable[..., Card]) -> None:
    def row(value: float | None, whose: str = "MSK", photos: int = 60) -> UnseenCameraResult:
        return UnseenCameraResult(
            recipe="r", network="resnet18", whose=(whose,), figure=figure("a", value, photos=photos)
        )

    first, second, fewer, other = row(0.25), row(0.75), row(0.5, photos=50), row(0.5, "BCN")
    found = group_unseen_results(make_card(left_out=(first, second, fewer, other)))
    assert found == {"BCN (60)": (other,), "MSK (60)": (first, second), "MSK (50)": (fewer,)}
    assert format_range((first, second)) == "lowest 0.250, highest 0.750 of 2 recipes"
    assert format_range((first, row(None))) == format_range((first,)) == "0.250 (0.188 to 0.312)"
    assert format_range((row(None),)) == "–"


def test_what_thresholds_did_among_photos_kept_away_is_said_from_least_to_most(
    make_card: Callable[..., Card],
) -> None:
    def row(*rates: float | None) -> UnseenCameraResult:
        names = ("sensitivity", "specificity")
        figures = tuple(figure(name, value, sensitivity=0.95) for name, value in zip(names, rates, strict=True))
        return UnseenCameraResult(recipe="r", network="resnet18", whose=("MSK",), figure=FIGURES[0], rates=figures)

    card = make_card(left_out=(row(0.5625, 0.75), row(0.9375, 0.125), row(None, 0.5)))
    said = describe_threshold_transfer(card)
    assert "56.2% to 93.8%" in said
    assert "12.5% to 75.0%" in said
    assert said in format_hub_card(card)
    assert not describe_threshold_transfer(make_card(left_out=(row(None, 0.5),)))
    assert not describe_threshold_transfer(make_card())


def test_yaml_reads_back(card: Card) -> None:
    yaml = pytest.importorskip("yaml")
    assert yaml.safe_load(format_yaml(build_front_matter(card))) == build_front_matter(card)
    awkward = {"a": [], "b": [[1, 2], {"c": None}], "d": {"e": 'no: "#', "f": "é\n- 1"}, "g": 1e-05, "h": True}
    assert yaml.safe_load(format_yaml(awkward)) == awkward


def test_yaml_is_a_line_a_key() -> None:
    assert format_yaml({"a": {"b": [{"c": 1, "d": "x"}, "y"]}, "e": 1e-05}) == (
        'a:\n  b:\n    - c: 1\n      d: "x"\n    - "y"\ne: 1.0e-05\n'
    )


def test_hub_card_has_a_section_for_all_that_the_card_holds(card: Card) -> None:
    text = format_hub_card(card)
    assert text.startswith("---\n")
    assert text.split("---\n")[1] == format_yaml(build_front_matter(card))
    for line in (
        card.intended_use,
        card.not_for,
        card.data.limits[0],
        "- Learned from the answers of: a-teacher, its licence: not to be sold.",
        "| Malignant AUROC | 0.875 (0.812 to 0.938) | 60 | 30 |",
        "| Malignant AUROC, akiec left out | 0.688 (0.625 to 0.750) | 60 | 30 |",
        "| 95% | 0.123456 | 93.8% (87.5% to 100.0%) | 75.0% (68.8% to 81.2%) |",
        "| camera: rosendahl | Malignant AUROC | 0.625 (0.562 to 0.688) | 60 | 30 |",
        "| far | Malignant AUROC | 0.750 (0.688 to 0.812) | 90 | 45 |",
        "| far | Specificity at the 95% operating point | 0.500 (0.438 to 0.562) | 90 | 45 |",
        "| rosendahl; MSK | kept-away | 0.875 (0.812 to 0.938) | 60 | 30 |",
        "In 6.2% (0.0% to 12.5%) of the photos melanoma is the likeliest type",
        "In 25.0% (18.8% to 31.2%) of the photos a benign type is the likeliest",
        "| Malignant or benign | Calibration error | 0.375 (0.312 to 0.438) | 0.125 (0.062 to 0.188) |",
    ):
        assert line in text


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("resnet18_imagenet_hybrid.safetensors", "resnet18_imagenet_hybrid.safetensors"),
        ("../../trained/deeper/model.safetensors", "those of deeper, a model trained before"),
        ("../model.safetensors", "model.safetensors"),
        ("model.safetensors", "model.safetensors"),
        ("somewhere/else.safetensors", "else.safetensors"),
        ("ResNet18_Weights.IMAGENET1K_V1", "ResNet18_Weights.IMAGENET1K_V1"),
    ],
)
def test_initial_weights_are_named_without_the_way_to_them(
    make_card: Callable[..., Card], name: str, said: str
) -> None:
    initial = InitialWeights(name=name, sha256=None, licence="free")
    assert f"- Initial weights: {said}.\n" in format_hub_card(make_card(initial=initial))


def test_hub_card_sets_seeds_side_by_side(make_card: Callable[..., Card]) -> None:
    plain = make_card("both")
    assert SEEDS not in format_hub_card(plain)
    first = SeedFigures(network=plain.id, recipe=plain.id, seed=4, figures={"macro_auroc": 0.9375, "recall": 0.5})
    second = SeedFigures(network=plain.id, recipe="again", seed=6, figures={"macro_auroc": 0.875})
    other = SeedFigures(network="other", recipe="other", seed=9, figures={"macro_auroc": 0.125})
    text = format_hub_card(plain.model_copy(update={"seeds": (first, second, other)}))
    rows = ("| Figure | Seed 4 | Seed 6 |", "| Macro AUROC | 0.938 | 0.875 |", "| Recall of melanoma | 0.500 | – |")
    assert SEEDS in text
    assert all(row in text for row in rows)
    assert "0.125" not in text


def test_hub_card_without_figures_says_so_and_has_no_empty_section(make_card: Callable[..., Card]) -> None:
    text = format_hub_card(make_card())
    assert "No figures yet" in text
    for title in ("Operating points", "Subgroups", "Calibration", "Other clinics"):
        assert f"## {title}" not in text


def test_monai_metadata_has_what_the_schema_requires(card: Card) -> None:
    found = build_monai_metadata(card)
    assert set(REQUIRED) <= set(found)
    assert json.loads(json.dumps(found)) == found
    assert found["pytorch_version"] == card.training.versions[1]
    assert found["numpy_version"] == NOT_RECORDED
    io = found["network_data_format"]
    for tensor in (io["inputs"]["image"], *io["outputs"].values(), *io["post_processed_outputs"].values()):
        assert set(REQUIRED_OF_TENSOR) <= set(tensor)
    assert io["inputs"]["image"]["spatial_shape"] == [32, 32]
    assert {name: tensor["num_channels"] for name, tensor in io["outputs"].items()} == {
        "malignancy": 2,
        "lesion_type": 8,
    }


def test_monai_figures_are_those_of_the_card(card: Card) -> None:
    found = build_monai_metadata(card)["eval_metrics"]
    assert found["malignancy Malignant AUROC"] == 0.875
    assert found["lesion_type Recall of melanoma"] == 0.625
    assert "malignancy Macro F1" not in found


def test_an_average_s_hub_card_tells_of_each_network(tmp_path: Path, make_average: Callable[[Path], Path]) -> None:
    card = read_card(make_average(tmp_path / "pair"))
    text = format_hub_card(card)
    assert "2 x ResNet-18, averaged, for one dermoscopy photo." in text
    assert "An average of networks, each trained and calibrated by itself" in text
    assert "### deep, a ResNet-18 that sees 24 px\n" in text
    for network in card.networks:
        assert f"- {network.name}: weights: `{network.weights_sha256}`" in text
    assert build_front_matter(card)["tags"].count("resnet18") == 1
    assert build_monai_metadata(card)["version"].endswith(card.weights_sha256[:12])
    (said,) = build_monai_metadata(card)["changelog"].values()
    assert said.startswith("averaged ")
