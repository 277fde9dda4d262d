import json
from collections.abc import Callable
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from skinapp.cards.figures import EQUAL_SHARES
from skinapp.cards.groups import NO_BENIGN_CAMERAS
from skinapp.models.card import (
    CARD,
    CardFigure,
    InitialWeights,
    OperatingPoint,
    SeedFigures,
    UnseenCameraResult,
    read_card,
    write_card,
)
from skinapp.models.folder import get_member_folder
from skinapp.models.seal import add_seal

APP = Path(__file__).parents[2] / "streamlit_app.py"
MakeModel = Callable[..., Path]


def figure(name: str, value: float, **changes: object) -> CardFigure:
    """Make a figure of a pair's malignancy run on test; keywords replace its fields."""
    given = {
        "task": "malignancy",
        "run": "small-test-malignancy",
        "split": "test",
        "low": value - 0.0625,
        "high": value + 0.0625,
        "photos": 60,
        "lesions": 40,
    }
    return CardFigure(metric=name, value=value, **(given | changes))


FIGURES = (
    figure("malignant_auroc", 0.875),
    figure("ece", 0.125),
    figure("ece", 0.375, stage="before calibration"),
    figure("sensitivity", 0.9375, sensitivity=0.95),
    figure("specificity", 0.75, sensitivity=0.95),
    figure("specificity", 0.8125, sensitivity=0.95, stage="threshold read from these photos"),
    figure("malignant_auroc", 0.6875, group="akiec left out"),
    figure("specificity", 0.375, sensitivity=0.95, group="histology-confirmed photos only"),
    figure("malignant_auroc", 0.3125, group=NO_BENIGN_CAMERAS),
    figure("specificity", 0.125, sensitivity=0.95, group=NO_BENIGN_CAMERAS),
    figure("malignant_auroc", 0.625, grouped_by="camera", group="rosendahl"),
    figure("malignant_auroc", 0.5625, grouped_by="sex", group="female"),
    figure("sensitivity", 0.625, sensitivity=0.95, grouped_by="diagnosis", group="Melanoma"),
    figure("malignant_auroc", 0.5, split="outside", run="far", photos=90, lesions=45),
    figure("sensitivity", 0.5625, sensitivity=0.95, split="outside", run="far", photos=90, lesions=45),
    figure("balanced_accuracy", 0.5, task="lesion_type", run="small-test-lesion-type"),
    figure("contradictions", 0.0625, task="lesion_type", run="small-test-lesion-type"),
    figure("benign_first", 0.25, sensitivity=0.95, task="lesion_type", run="small-test-lesion-type"),
)
POINTS = (OperatingPoint(sensitivity=0.95, threshold=0.123456),)
LEFT_OUT = (
    UnseenCameraResult(
        recipe="kept-away",
        network="resnet34",
        whose=("rosendahl", "vienna_dias"),
        figure=figure("malignant_auroc", 0.5625, split="outside", run="outside-malignancy", photos=1234),
        rates=(figure("sensitivity", 0.5625, sensitivity=0.95), figure("specificity", 0.75, sensitivity=0.95)),
    ),
)


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Use a folder of models of this test's own."""
    monkeypatch.setenv("SKINAPP_MODELS", str(tmp_path))
    monkeypatch.setenv("SKINAPP_EXPERIMENTS", str(tmp_path / "experiments"))
    st.cache_resource.clear()
    return tmp_path


def opened(**query: str) -> AppTest:
    page = AppTest.from_file(APP, default_timeout=120)
    for key, value in query.items():
        page.query_params[key] = value
    page = page.switch_page("pages/models.py").run()
    assert not page.exception
    return page


def said(page: AppTest) -> str:
    kinds = (page.subheader, page.markdown, page.caption, page.info, page.error, page.code)
    return "\n".join(element.value for kind in kinds for element in kind)


def tables(page: AppTest) -> str:
    return "\n".join(table.value.to_csv() for table in page.table)


@pytest.mark.parametrize("role", ["malignancy", "lesion_type", "both"])
def test_a_model_without_figures_is_shown_calmly(folders: Path, make_model: MakeModel, role: str) -> None:
    make_model(folders / "a-model", role)
    page = opened()
    text = said(page)
    assert not page.error
    assert not page.metric
    assert text.count("No figures yet") == 1
    for part in ("Tests.", "All else.", "Made up.", "not kept", "was not measured", "No runs are stored yet", "0" * 64):
        assert part in text
    assert ("**Malignant or benign**" in text) == (role != "lesion_type")
    assert ("**Which of 8 lesion types**" in text) == (role != "malignancy")


def test_use_and_misuse_stand_first(folders: Path, make_model: MakeModel) -> None:
    make_model(folders / "a-model")
    first, second, *_ = [element.value for element in opened().markdown]
    assert first.endswith("Tests.")
    assert second.endswith("All else.")


def test_figures_of_a_pair_are_those_of_its_card(folders: Path, make_model: MakeModel) -> None:
    teacher = InitialWeights(name="a-teacher", sha256="cd" * 32, licence="not to be sold")
    facts = {
        "figures": FIGURES,
        "operating_points": POINTS,
        "rounding": 0.0012,
        "teachers": (teacher,),
        "left_out": LEFT_OUT,
        "seeds": tuple(SeedFigures(network="a-model", recipe="r", seed=s, figures={"ece": s / 8}) for s in (1, 2)),
    }
    make_model(folders / "a-model", "both", **facts)
    page = opened()
    shown = {metric.label: (metric.value, metric.delta) for metric in page.metric}
    assert shown["Malignant AUROC"] == ("0.875", "0.812 to 0.938")
    assert shown["Balanced accuracy"] == ("0.500", "0.438 to 0.562")
    rows = tables(page)
    rates = "93.8% (87.5% to 100.0%),75.0% (68.8% to 81.2%),37.5% (31.2% to 43.8%)"
    assert f"95%,12.3%,{rates}" in rows
    assert "Calibration error,0.375 (0.312 to 0.438),0.125 (0.062 to 0.188)" in rows
    assert "akiec left out (60 photos),Malignant AUROC,0.688 (0.625 to 0.750)" in rows
    assert (
        "Malignant AUROC,0.500 (0.438 to 0.562)\nSensitivity at the 95% operating point,0.562 (0.500 to 0.625)" in rows
    )
    assert '"rosendahl; vienna_dias (1,234)",0.562 (0.500 to 0.625)' in rows
    assert "kept-away (ResNet-34),0.562 (0.500 to 0.625)" in rows
    assert "Calibration error,0.125,0.250" in rows
    text = said(page).replace("\u00a0", " ")
    assert "differ by chance in the training alone" in text
    assert "from recipes that were tried for this model" in text
    assert "90 photos, 45 lesions. The model was not trained on these photos." in text
    assert "60 photos, 40 lesions." in text
    assert "The 95% threshold finds 62.5% (56.2% to 68.8%) of the melanomas." in text
    assert "81.2% (75.0% to 87.5%) at 95% sensitivity" in text
    assert "In 6.2% (0.0% to 12.5%) of the photos melanoma is the likeliest type" in text
    assert "In 25.0% (18.8% to 31.2%) of the photos a benign type is the likeliest" in text
    assert (
        "Without cameras of under 1% malignant photos: malignant AUROC **0.312 (0.250 to 0.375)**; "
        "specificity at the 95% operating point 12.5% (6.2% to 18.8%)." in text
    )
    assert "by 0.0012 at most" in text
    assert "**Learned from the answers of:** a-teacher, its licence: not to be sold" in text
    assert f"teacher a-teacher: {'cd' * 32}" in text


def test_recipes_kept_away_from_the_same_photos_are_one_row(folders: Path, make_model: MakeModel) -> None:
    (first,) = LEFT_OUT
    worse = first.figure.model_copy(update={"value": 0.4375})
    again = first.model_copy(update={"recipe": "again", "figure": worse})
    elsewhere = first.model_copy(update={"whose": ("BCN",)})
    make_model(folders / "a-model", "both", figures=FIGURES, left_out=(first, again, elsewhere))
    page = opened()
    summary, bcn, others = [table.value for table in page.table if "Malignant AUROC" in table.value][-3:]
    assert summary["Malignant AUROC"].to_dict() == {
        "BCN (1,234)": "0.562 (0.500 to 0.625)",
        "rosendahl; vienna_dias (1,234)": "lowest 0.438, highest 0.562 of 2 recipes",
    }
    assert list(bcn.index) == ["kept-away (ResNet-34)"]
    assert list(others.index) == ["kept-away (ResNet-34)", "again (ResNet-34)"]
    assert list(bcn["Sensitivity at 95%"]) == ["56.2% (50.0% to 62.5%)"]
    assert list(bcn["Specificity at 95%"]) == ["75.0% (68.8% to 81.2%)"]
    assert "A threshold does not carry over to another camera" in said(page)


def test_what_equally_frequent_means_is_said_where_it_is_counted(folders: Path, make_model: MakeModel) -> None:
    restated = figure("balanced_accuracy", 0.75, task="lesion_type", group=EQUAL_SHARES)
    make_model(folders / "a-model", "both", figures=(*FIGURES, restated))
    make_model(folders / "b-model", "both", figures=FIGURES)
    page = opened()
    assert f'"{EQUAL_SHARES} (60 photos)",Balanced accuracy,0.750 (0.688 to 0.812)' in tables(page)
    assert "the scores are restated" in said(page)
    assert "the scores are restated" not in said(opened(model="b-model"))


def test_subgroups_are_chosen_by_what_parts_them(folders: Path, make_model: MakeModel) -> None:
    make_model(folders / "a-model", "both", figures=FIGURES, operating_points=POINTS)
    page = opened()
    assert page.selectbox(key="group-by").options == ["Camera or clinic", "Sex", "Diagnosis"]
    assert len(page.get("vega_lite_chart") or page.get("arrow_vega_lite_chart")) == 1
    page.selectbox(key="group-by").select("Sex").run()
    assert not page.exception
    assert not page.error


def test_shares_are_those_the_scores_are_meant_for(folders: Path, make_model: MakeModel) -> None:
    folder = make_model(folders / "a-model")
    card = json.loads((folder / CARD).read_text())
    card["heads"][0]["shares"] = [0.125, 0.875]
    del card["seal"]
    (folder / CARD).write_text(add_seal(json.dumps(card)))
    assert "- Malignant: 12.5%\n- Benign: 87.5%" in said(opened())


def test_the_address_chooses_a_model(models: Path, app: AppTest) -> None:
    assert opened(model="malignancy").selectbox(key="model").value == "malignancy"
    assert "a model that does not exist here" in said(opened(model="gone"))


def test_a_changed_recipe_is_said_and_its_seed_shown(folders: Path, make_model: MakeModel) -> None:
    folder = make_model(folders / "a-model")
    assert "The recipe of this model is missing." in said(opened())
    (folder / "recipe.toml").write_text("seed = 41\n")
    text = said(opened())
    assert "**Seed:** 41" in text
    assert "seed = 41\n" in text
    assert "changed after the training" in text


def test_its_runs_are_linked_and_its_card_can_be_taken(folders: Path, make_model: MakeModel) -> None:
    folder = make_model(folders / "a-model")
    run = folder / "runs" / "small-test"
    run.mkdir(parents=True)
    (run / "run.json").write_text("{}")
    page = opened()
    (link,) = page.get("page_link")
    assert (link.proto.page, link.proto.label) == ("evaluation", "a-model · small-test")
    assert "run=a-model" in link.proto.query_string
    assert [button.proto.label for button in page.get("download_button")] == ["card.json", "README.md", "metadata.json"]


def test_a_damaged_card_is_a_sentence_and_the_others_stay(folders: Path, make_model: MakeModel) -> None:
    make_model(folders / "whole")
    broken = make_model(folders / "broken")
    (broken / CARD).write_text('{"id": 3')
    assert "is not a model card" in opened(model="broken").error[0].value
    assert not opened(model="whole").error


def test_without_a_model_a_sentence_says_so(folders: Path) -> None:
    assert f"no model in {folders}" in opened().error[0].value


def test_an_average_names_its_networks_and_how_each_was_trained(
    folders: Path, make_average: Callable[[Path], Path]
) -> None:
    folder = make_average(folders / "pair")
    page = opened()
    text = said(page)
    assert "2 x ResNet-18, averaged · Malignant or benign · Which of 8 lesion types" in text
    assert "**Averaged:** 2 networks, each trained and calibrated by itself" in text
    closed = [expander.label for expander in page.expander]
    assert "deep, a ResNet-18 that sees 24 px" in closed
    assert "fine, a ResNet-18 that sees 32 px" in closed
    assert "the central 32 px square" in text
    assert "some of its networks see it at 24 px" in text
    assert text.count("**Epochs:**") == 2
    assert f"deep: weights: {read_card(get_member_folder(folder, 'deep')).weights_sha256}" in text
    assert {expander.label for expander in page.expander} >= {"Recipe", "Recipe of deep", "Recipe of fine"}
    assert 'members = ["deep", "fine"]' in text
    assert text.count("**Learned from:**") == 2
    assert text.count("**Answers:** malignant or benign and which lesion type") == 2
    assert "networks and their calibration, together: " in text
    assert "Trained again" not in text


def test_seeds_of_an_average_stand_below_the_network_that_they_are_of(
    folders: Path, make_average: Callable[[Path], Path]
) -> None:
    folder = make_average(folders / "pair")
    rows = tuple(SeedFigures(network="fine", recipe="r", seed=s, figures={"ece": s / 8}) for s in (1, 2))
    write_card(folder, read_card(folder).model_copy(update={"seeds": rows, "figures": FIGURES}))
    page = opened()
    assert "Trained again from other seeds" in said(page)
    assert "**fine, a ResNet-18 that sees 32 px**" in said(page)
    assert "**deep, a ResNet-18 that sees 24 px**" not in said(page)
    assert "Calibration error,0.125,0.250" in tables(page)
