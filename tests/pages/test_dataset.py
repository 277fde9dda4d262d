from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from skinapp.datasets.summary import count_classes
from skinapp.datasets.table import TABLES, read_table, write_table
from skinapp.taxonomy import get_class_name
from skinapp.ui import loaders
from skinapp.ui.dataset.page import SECTIONS

DrawPicture = Callable[..., None]

GOOD = b"image_id,dx,age,sex\na,nv,40,male\nb,nv,50,female\nc,mel,60,female\nd,wart,,\n"
BAD = b"image_id,age,sex,split\na,old,alien,later\nb,40,male,train\n"


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin without what the machine that runs the tests may have set."""
    for name in ("SKINAPP_LOCAL", "SKINAPP_DATA", "SKINAPP_TABLES"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def ham10000() -> pd.DataFrame:
    return read_table(TABLES / "ham10000.parquet")


def open_dataset(app: AppTest, **address: str | list[str]) -> AppTest:
    page = app.switch_page("pages/dataset.py")
    for name, values in address.items():
        page.query_params[name] = values
    page = page.run()
    assert not page.exception
    return page


def read_metrics(page: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in page.metric}


def read_words(page: AppTest) -> str:
    return "\n".join(element.value for part in (page.markdown, page.caption, page.info) for element in part)


def test_headline_is_counted_from_the_table(app: AppTest, ham10000: pd.DataFrame) -> None:
    counts = count_classes(ham10000)
    shown = read_metrics(open_dataset(app))
    assert shown["Photos"] == f"{len(ham10000):,}"
    assert shown["Lesions"] == f"{ham10000['lesion_id'].nunique():,}"
    assert shown["Classes"] == str(len(counts))
    assert shown["Largest to smallest"] == f"{counts['photos'].max() / counts['photos'].min():.0f} : 1"
    assert shown["Share of the top three classes"] == f"{counts['share'].head(3).sum():.0%}"


@pytest.mark.parametrize("table", [path.stem for path in loaders.list_tables()])
@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_of_every_table_opens(app: AppTest, table: str, section: str) -> None:
    page = open_dataset(app, table=table, section=section)
    assert not page.error
    assert page.selectbox(key="table").value == table
    assert bool(page.get("plotly_chart")) == (section not in ("Photos", "Audit", "Export"))


def test_a_filter_narrows_everything_and_can_be_cleared(app: AppTest, ham10000: pd.DataFrame) -> None:
    page = open_dataset(app)
    page.multiselect(key="diagnosis").select("mel")
    page.multiselect(key="sex").select("female").run()
    kept = ham10000[(ham10000["diagnosis"] == "mel") & (ham10000["sex"] == "female")]
    assert read_metrics(page)["Photos"] == f"{len(kept):,}"
    assert read_metrics(page)["Lesions"] == f"{kept['lesion_id'].nunique():,}"
    assert f"{len(kept):,} of {len(ham10000):,} photos" in read_words(page)
    next(button for button in page.button if button.label == "Clear filters").click().run()
    assert read_metrics(page)["Photos"] == f"{len(ham10000):,}"


@pytest.mark.parametrize("diagnosis", ["mel", get_class_name("mel")])
def test_a_link_opens_what_it_says(app: AppTest, ham10000: pd.DataFrame, diagnosis: str) -> None:
    page = open_dataset(app, diagnosis=diagnosis, age=["40", "60"], section="Export")
    kept = ham10000[(ham10000["diagnosis"] == "mel") & ham10000["age"].between(40, 60)]
    assert read_metrics(page)["Photos"] == f"{len(kept):,}"
    assert not page.info
    assert page.pills(key="section").value == "Export"


def test_what_a_link_asks_in_vain_is_said_and_left_out(app: AppTest, ham10000: pd.DataFrame) -> None:
    page = open_dataset(
        app, table="no such", diagnosis=["[x](http://y)"], camera="unheard of", age=["9", "x"], section="Nope"
    )
    assert read_metrics(page)["Photos"] == f"{len(ham10000):,}"
    said = read_words(page)
    for part in ("a table that does not exist here", "'?x??http://y?'", "'unheard of'", "'9 to x'"):
        assert part in said


def test_no_match_is_said_and_clearing_is_offered(app: AppTest, ham10000: pd.DataFrame) -> None:
    page = open_dataset(app, diagnosis="vasc", age=["1", "2"])
    assert "No photo matches" in read_words(page)
    assert not page.metric
    next(button for button in page.button if button.label == "Clear filters").click().run()
    assert read_metrics(page)["Photos"] == f"{len(ham10000):,}"


def test_cap_slider_says_what_a_cap_would_leave(app: AppTest, ham10000: pd.DataFrame) -> None:
    page = open_dataset(app)
    counts = count_classes(ham10000)["photos"]
    for cap in (2_000, 500):
        page.slider(key="cap").set_value(cap).run()
        assert f"{counts.clip(upper=cap).sum():,} of {counts.sum():,} photos would be kept" in read_words(page)


def test_a_bad_upload_is_refused_in_a_sentence_and_the_page_stays(app: AppTest, ham10000: pd.DataFrame) -> None:
    page = open_dataset(app)
    page.file_uploader(key="own-upload").set_value(("bad.csv", b"age,sex\n40,f\n", "text/csv")).run()
    assert not page.exception
    for part in ("bad.csv", "lacks the column image_id", "It has age, sex."):
        assert part in page.error[0].value
    assert read_metrics(page)["Photos"] == f"{len(ham10000):,}"
    page.file_uploader(key="own-upload").set_value(("good.csv", GOOD, "text/csv")).run()
    assert not page.error
    assert read_metrics(page)["Photos"] == "4"


def test_bad_cells_of_an_upload_are_named_and_the_rest_is_used(app: AppTest) -> None:
    page = open_dataset(app)
    page.file_uploader(key="own-upload").set_value(("bad.csv", BAD, "text/csv")).run()
    assert not page.error
    assert read_metrics(page)["Photos"] == "2"
    shown = " ".join(caption.value for caption in page.caption)
    for part in ("1 age that is not a number of years", "1 sex that is not female or male", "1 split that is not"):
        assert part in shown
    assert "in row 1" in shown


@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_of_an_uploaded_table_opens(app: AppTest, section: str) -> None:
    page = open_dataset(app, section=section)
    page.file_uploader(key="own-upload").set_value(("good.csv", GOOD, "text/csv")).run()
    assert not page.exception
    assert not page.error
    assert page.selectbox(key="table").value == "good.csv"
    assert read_metrics(page)["Classes"] == "3"


def test_a_table_without_any_label_can_be_looked_at(app: AppTest) -> None:
    page = open_dataset(app)
    page.file_uploader(key="own-upload").set_value(("bare.csv", b"image_id\na\nb\n", "text/csv")).run()
    for section in SECTIONS:
        page.pills(key="section").set_value(section).run()
        assert not page.exception
        assert not page.error
    assert read_metrics(page)["Classes"] == "0"


def test_an_uploaded_table_is_audited_when_asked(app: AppTest) -> None:
    page = open_dataset(app, section="Audit")
    rows = b"image_id,lesion_id,split,sha256\na,l,train," + b"0" * 64 + b"\nb,l,test," + b"0" * 64 + b"\n"
    page.file_uploader(key="own-upload").set_value(("leaky.csv", rows, "text/csv")).run()
    assert read_metrics(page)["Leaks found"] == "–"
    next(button for button in page.button if button.label == "Audit this table").click().run()
    assert not page.exception
    assert read_metrics(page)["Leaks found"] == "2"
    counts = page.dataframe[0].value.set_index("finding")["found"]
    assert counts["same file"] == 1
    assert counts["lesion crosses a split"] == 1


def test_a_visitors_table_is_hers_alone(app: AppTest) -> None:
    page = open_dataset(app)
    page.file_uploader(key="own-upload").set_value(("good.csv", GOOD, "text/csv")).run()
    other = open_dataset(AppTest.from_file(Path(__file__).parents[2] / "streamlit_app.py", default_timeout=60))
    assert "good.csv" in page.selectbox(key="table").options
    assert "good.csv" not in other.selectbox(key="table").options


def test_a_public_server_offers_no_folder(app: AppTest) -> None:
    assert not open_dataset(app).text_input


def test_a_folder_of_ones_own_is_indexed_and_shown(
    app: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, draw_picture: DrawPicture
) -> None:
    for number in range(3):
        draw_picture(tmp_path / "mine" / "wart" / f"{number}.png", number)
    draw_picture(tmp_path / "mine" / "mel" / "9.png", 9)
    monkeypatch.setenv("SKINAPP_LOCAL", "1")
    page = open_dataset(app, section="Photos")
    page.text_input(key="own-folder").set_value(str(tmp_path / "mine")).run()
    next(button for button in page.button if button.label == "Index the folder").click().run()
    assert not page.exception
    assert not page.error
    assert read_metrics(page)["Photos"] == "4"
    assert len(page.get("image")) == 4
    page.text_input(key="own-folder").set_value(str(tmp_path / "no such")).run()
    next(button for button in page.button if button.label == "Index the folder").click().run()
    assert "There is no folder" in page.error[0].value


def test_without_photos_ids_link_to_the_archive(app: AppTest, ham10000: pd.DataFrame) -> None:
    page = open_dataset(app, section="Photos")
    shown = page.dataframe[0].value
    assert len(shown) == 1_000
    assert shown["image_id"].tolist() == ham10000["image_id"].head(1_000).tolist()
    assert shown["page"].str.startswith("https://api.isic-archive.com/images/ISIC_").all()


def test_the_shortcut_probe_is_shown_with_its_interval(app: AppTest) -> None:
    page = open_dataset(app, table="malignant-vs-benign", section="Audit")
    probe = page.dataframe[-1].value.set_index("name")
    assert probe.loc["Malignant", "auroc_low"] < probe.loc["Malignant", "auroc"] < probe.loc["Malignant", "auroc_high"]
    assert "colour" in probe.loc["Malignant", "carried_by"]
    assert f"{probe.loc['Malignant', 'auroc']:.2f} (" in read_words(page)


def test_the_shipped_audit_is_counted_and_looked_through(app: AppTest) -> None:
    page = open_dataset(app, table="malignant-vs-benign", section="Audit", finding="same picture")
    counts = page.dataframe[0].value.set_index("finding")
    listed = page.dataframe[1].value
    assert counts.loc["same picture", "found"] > 1_000
    assert len(listed) == 1_000
    assert (listed["table_a"].eq("malignant-vs-benign") | listed["table_b"].eq("malignant-vs-benign")).all()


def test_split_preview_counts_every_photo(app: AppTest, ham10000: pd.DataFrame) -> None:
    page = open_dataset(app, section="Splits")
    assert "Patients are not recorded" in read_words(page)
    page.toggle(key="preview").set_value(True).run()
    assert not page.exception
    preview = page.dataframe[1].value
    assert preview["photos"].sum() == len(ham10000)
    assert set(preview["split"]) == {"train", "validation", "test"}


def test_the_folder_of_tables_can_be_another(
    app: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data_root: Path
) -> None:
    (tmp_path / "made-up.parquet").write_bytes((data_root / "table.parquet").read_bytes())
    monkeypatch.setenv("SKINAPP_TABLES", str(tmp_path))
    page = open_dataset(app)
    assert page.selectbox(key="table").options == ["made-up"]
    assert read_metrics(page)["Photos"] == "40"


def test_a_table_that_is_made_anew_is_read_anew(app: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKINAPP_TABLES", str(tmp_path))
    table = read_table(TABLES / "ham10000.parquet").head(30)
    for photos in (20, 30):
        write_table(table.head(photos), tmp_path / "mine.parquet")
        assert read_metrics(open_dataset(app))["Photos"] == str(photos)
