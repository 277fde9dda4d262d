import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, roc_auc_score

from skinapp.errors import RunError
from skinapp.runs.intervals import compute_intervals, get_figure
from skinapp.runs.own import table
from skinapp.runs.own.classes import describe_unknown_classes, find_unknown_classes, state_classes
from skinapp.runs.own.read import read_predictions
from skinapp.runs.predictions import Predictions
from skinapp.runs.stored import StoredRun
from skinapp.runs.summary import compute_headline
from skinapp.runs.views.curves import select_positives
from skinapp.taxonomy import CODES
from skinapp.text_tables.write import encode_csv

DOCS = Path(__file__).parents[3] / "docs" / "predictions-csv.md"

ISIC = "image,MEL,NV,BCC,AKIEC,BKL,DF,VASC\n"
TRUTHS = ISIC + "a,1,0,0,0,0,0,0\nb,0,1,0,0,0,0,0\nc,0,0,0,1,0,0,0\n"


def csv(*rows: str, header: str = "image_id,truth,p_x,p_y") -> bytes:
    return "\n".join([header, *rows, ""]).encode()


GOOD = csv("a,x,0.7,0.3", "b,y,0.4,0.6")


def refused(data: bytes, truth: bytes | None = None) -> str:
    with pytest.raises(RunError) as caught:
        read_predictions(data, "mine.csv", truth)
    return str(caught.value)


def test_a_stored_run_comes_back_as_it_was(make_run: object) -> None:
    run: StoredRun = make_run()  # type: ignore[operator]
    wide = run.frame.astype({f"p_{code}": float for code in CODES})
    own = read_predictions(encode_csv(wide), "stored.csv")
    assert own.notes == ()
    assert own.predictions.classes == run.classes
    pd.testing.assert_frame_equal(own.predictions.frame, wide, check_dtype=False)
    assert compute_headline(own.predictions) == compute_headline(run)
    pd.testing.assert_frame_equal(compute_intervals(own.predictions, 20), compute_intervals(run, 20))
    assert own.facts.shape == (len(wide), 0)


def test_an_upload_is_predictions_without_an_invented_origin() -> None:
    own = read_predictions(GOOD, "a/[b] mine.csv")
    assert type(own.predictions) is Predictions
    assert own.predictions.name == "?b? mine"
    assert own.predictions.frame["truth"].tolist() == ["x", "y"]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_spreadsheets_of_all_countries_are_read(separator: str, ending: str) -> None:
    number = "0,25" if separator == ";" else "0.25"
    lines = [["TRUTH", "P_MEL ", "p_nv"], ["nv", number, "0.75"], [" mel", "1", "0"], []]
    text = ending.join(separator.join(line) for line in lines)
    if separator == ";":
        text = text.replace("0.75", "0,75")
    own = read_predictions(b"\xef\xbb\xbf" + text.encode(), "mine.csv")
    assert own.predictions.classes == ("mel", "nv")
    assert own.predictions.frame["truth"].tolist() == ["nv", "mel"]
    assert own.predictions.frame["image_id"].tolist() == ["1", "2"]
    np.testing.assert_array_equal(own.predictions.probabilities(), [[0.25, 0.75], [1, 0]])


def test_a_decimal_point_between_semicolons_stays_one() -> None:
    own = read_predictions(csv("a;x;0.7;0.3", header="image_id;truth;p_x;p_y"), "mine.csv")
    np.testing.assert_array_equal(own.predictions.probabilities(), [[0.7, 0.3]])


def test_classes_of_the_taxonomy_come_first_in_its_order_and_others_as_they_stand() -> None:
    own = read_predictions(csv("Zebra,0.1,0.2,0.3,0.4", header="truth,p_Zebra,p_VASC,p_ape,p_BCC"), "mine.csv")
    assert own.predictions.classes == ("bcc", "vasc", "Zebra", "ape")
    np.testing.assert_array_equal(own.predictions.probabilities(), [[0.4, 0.2, 0.1, 0.3]])
    assert own.predictions.frame["truth"].tolist() == ["Zebra"]


def test_two_classes_of_malignancy_have_its_figures() -> None:
    rows = csv("malignant,.9,.1", "benign,.2,.8", header="truth,p_Malignant,p_benign")
    assert compute_headline(read_predictions(rows, "mine.csv").predictions).malignant_auroc == 1


def test_groups_are_kept_together_and_a_photo_without_one_is_its_own() -> None:
    header = "image_id,group,lesion_id,truth,p_x,p_y"
    own = read_predictions(csv("a,g,l1,x,1,0", "b,g,l2,y,1,0", "c,,l3,y,0,1", "d,NA,l4,y,0,1", header=header), "m.csv")
    assert own.predictions.frame["lesion_id"].tolist() == ["g", "g", "photo c", "photo d"]
    assert own.facts["lesion_id"].tolist() == ["l1", "l2", "l3", "l4"]
    assert own.notes == ()
    by_lesion = read_predictions(csv("a,g,x,1,0", "b,g,y,1,0", header="image_id,lesion_id,truth,p_x,p_y"), "m.csv")
    assert by_lesion.predictions.frame["lesion_id"].tolist() == ["g", "g"]
    alone = read_predictions(GOOD, "m.csv")
    assert alone.predictions.frame["lesion_id"].tolist() == ["a", "b"]
    assert any("too narrow" in note for note in alone.notes)


def test_other_columns_become_subgroups_unless_they_hold_too_many_words() -> None:
    rows = [f"{number % 2},{number},{number},unknown,x,1,0" for number in range(60)]
    own = read_predictions(csv(*rows, header="Ward,note,age,sex,truth,p_x,p_y"), "mine.csv")
    assert list(own.facts) == ["Ward", "age_band", "sex"]
    assert own.facts["Ward"].tolist() == ["0", "1"] * 30
    assert own.facts["age_band"].tolist() == ["under 20"] * 20 + ["20 to 39"] * 20 + ["40 to 59"] * 20
    assert own.facts["sex"].isna().all()
    assert any("'note'" in note and "50" in note for note in own.notes)


def test_ages_that_are_none_stay_words_and_odd_names_are_left_out() -> None:
    own = read_predictions(csv("old,1,x,1,0", "7,2,y,0,1", header="age,<b>,truth,p_x,p_y"), "mine.csv")
    assert own.facts["age"].tolist() == ["old", "7"]
    assert any("'?b?'" in note for note in own.notes)


def test_rounded_probabilities_are_made_to_add_up_and_it_is_said() -> None:
    own = read_predictions(csv("a,x,0.67,0.34", "b,y,0.4,0.6"), "mine.csv")
    np.testing.assert_allclose(own.predictions.probabilities(), [[0.67 / 1.01, 0.34 / 1.01], [0.4, 0.6]], rtol=1e-12)
    assert any(note.startswith("In 1 rows") for note in own.notes)
    assert not any("rounding" in note for note in read_predictions(csv("a,x,0.6995,0.3"), "m.csv").notes)


def test_one_class_alone_in_the_truth_is_said() -> None:
    assert any("Every photo is 'x'" in note for note in read_predictions(csv("a,x,1,0"), "mine.csv").notes)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "has no row of names"),
        (b"\n", "has no row of names"),
        (b"PK\x03\x04\x00\x00", "is a workbook (Excel or LibreOffice) or a ZIP archive"),
        (b"\x00\x01\x02" * 9, "is not a text table"),
        (csv(), "no row"),
        (csv("a,x,1,0", header=",".join(f"c{n}" for n in range(301))), "301 columns, more than 300"),
        (csv("a,x,1,0", header="image_id,truth,p_x,P_X"), "two columns named 'P_X'"),
        (csv("a,x,1,0", header="image_id,truth,p_x,p_ x"), "2 columns for the class 'x'"),
        (csv("a,x,1", header="image_id,truth,p_x"), "fewer than two classes ('p_x')"),
        (csv("a,x,1,0", header="image_id,label,p_x,p_y"), "lacks the column truth"),
        (csv("a,x,1,0", header="image_id,label,p_x,p_y"), "If it is 'label', rename that."),
        (csv("a,x,1,0", header="image_id,truth,x,y"), "no columns of probabilities"),
        (csv("a,x,1,0", header="image_id,truth,p_x,p_<b>"), "class '?b?'"),
        (csv("a,x,1,0", header="image_id,truth,p_x,p_" + "y" * 61), "at most 60"),
        (csv("x", header="truth," + ",".join(f"p_{n}" for n in range(51))), "51 classes, more than 50"),
        (csv("a,x,1,0", "b,x,1,0,0"), "more cells than its header has names in row 2 below the header"),
        (csv("a,x,1,0", "b,x,0,5,0,5"), "more cells than its header has names in row 2 below the header"),
        (csv("a,x,1,0", "b,x,1"), "lacks a number in the column 'p_y', row 2"),
        (csv("a,x,1,0", 'b,"x,1,0'), "quotation mark"),
        (csv("a,x,1,0", "b,y,0.2,much"), "'much' in the column 'p_y', row 2 below the header"),
        (csv("a,x,1,0", "b,y,0.2,"), "lacks a number in the column 'p_y', row 2 below the header"),
        (csv("a,x,NaN,1"), "lacks a number in the column 'p_x', row 1 below the header"),
        (csv("a,x,inf,0"), "not in 0 to 1 in the column 'p_x', row 1 below the header"),
        (csv("a,x,1,0", "b,y,-0.1,1.1", "c,y,2,0"), "not in 0 to 1 in the column 'p_x', rows 2, 3 below the header"),
        (csv("a,x,70,30"), "Divide percentages by 100"),
        (csv("a,x,0.7,0.2"), "add up to 0.900, not 1, in row 1 below the header"),
        (csv("a,x,1,0", "b,z,1,0"), "none of the classes (x, y): 'z', in row 2 below the header"),
        (csv("a,,1,0"), "no photo with both an answer and a truth"),
        (csv("a,x,1,0", "b,x,1,0", "a,x,1,0"), "names the photo 'a' again in row 3"),
        (csv("a,x,1,0", " ,x,1,0"), "no 'image_id' in row 2"),
        (csv("a,x,1,0", "b" * 301 + ",x,1,0"), "more than 300 characters in 'image_id', row 2"),
        (csv("a,mel,1,0", header="image,diagnosis,MEL,NV"), "or a file of truths. If it is 'diagnosis', rename that."),
    ],
)
def test_what_cannot_be_taken_is_refused_with_its_place(data: bytes, sentence: str) -> None:
    said = refused(data)
    assert sentence in said
    assert "mine.csv" in said
    assert said.endswith((".", ";%'", "%'"))


def test_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "MAX_ROWS", 2)
    read_predictions(GOOD, "mine.csv")
    assert "more than 2 rows" in refused(csv("a,x,1,0", "b,x,1,0", "c,x,1,0"))
    monkeypatch.setattr(table, "MAX_BYTES", len(GOOD) - 1)
    assert "is larger than" in refused(GOOD)


def test_formulas_and_markup_are_words_and_leave_as_words() -> None:
    own = read_predictions(csv('"=1+1",x,1,0', "@b,y,0,1"), "mine.csv")
    assert own.predictions.frame["image_id"].tolist() == ["=1+1", "@b"]
    assert b"\n'=1+1," in encode_csv(own.predictions.frame)


def test_the_isic_format_is_read_with_its_truths() -> None:
    scores = ISIC + "c.JPG,0,0,0,0.9,0.1,0,0\na,0.8,0.8,0,0,0,0,0\n"
    own = read_predictions(scores.encode(), "mine.csv", TRUTHS.encode())
    assert own.predictions.classes == ("akiec", "bcc", "bkl", "df", "mel", "nv", "vasc")
    assert own.predictions.frame[["image_id", "truth"]].to_numpy().tolist() == [["c", "akiec"], ["a", "mel"]]
    np.testing.assert_allclose(own.predictions.probabilities()[:, [0, 4, 5]], [[0.9, 0, 0], [0, 0.5, 0.5]])
    assert any(note.startswith("In 1 rows the scores did not add up") for note in own.notes)
    assert any(note.startswith("1 photos of the file of truths have no prediction") for note in own.notes)


def test_isic_2019_has_nine_classes_and_columns_may_stand_in_either_file() -> None:
    header = "image,mel,nv,bcc,ak,bkl,df,vasc,scc,unk"
    scores = csv("a,0,0,0,1,0,0,0,0,0,back", "b,0,0,0,0,0,0,0,0.5,0.5,", header=header + ",site")
    truth = csv("b,0,0,0,0,0,0,0,0,1,of b,0", "a,0,0,0,1,0,0,0,0,0,of a,1", header=header + ",lesion_id,score_weight")
    own = read_predictions(scores, "mine.csv", truth)
    assert own.predictions.classes == (*CODES, "unk")
    assert own.predictions.frame["truth"].tolist() == ["akiec", "unk"]
    assert own.predictions.frame["lesion_id"].tolist() == ["of a", "of b"]
    assert own.facts["score_weight"].tolist() == ["1", "0"]
    assert own.facts["site"].fillna("-").tolist() == ["back", "-"]


@pytest.mark.parametrize(
    ("scores", "truth", "sentence"),
    [
        (
            "z,1,0,0,0,0,0,0\n",
            TRUTHS,
            "names none of the photos of mine.csv. The first are 'a' in its 'image', and 'z'",
        ),
        ("a,0,0,0,0,0,0,0\n", TRUTHS, "has 0 for every class in row 1"),
        ("a,0,0,0,0,0,1.5,0\n", TRUTHS, "not in 0 to 1 in the column 'DF', row 1 below the header"),
        ("a,1,0,0,0,0,0,0\n", ISIC + "a,1,1,0,0,0,0,0\n", "does not give one class in row 1"),
        ("a,1,0,0,0,0,0,0\n", ISIC + "a,0.9,0.1,0,0,0,0,0\n", "does not give one class in row 1"),
        ("a,1,0,0,0,0,0,0\n", "image,site\na,back\n", "The file of truths of mine.csv has no column of truths"),
        (
            "a,1,0,0,0,0,0,0\n",
            "image,NV,UNK\na,0,1\n",
            "none of the classes (akiec, bcc, bkl, df, mel, nv, vasc): 'UNK'",
        ),
        ("a,1,0,0,0,0,0,0\n", "", "The file of truths of mine.csv has no row of names"),
        (
            "a,1,0,0,0,0,0,0\n",
            TRUTHS.replace("image", "row"),
            "The file of truths of mine.csv has no column that names",
        ),
    ],
)
def test_the_two_files_of_the_isic_format_must_fit(scores: str, truth: str, sentence: str) -> None:
    assert sentence in refused((ISIC + scores).encode(), truth.encode())


def test_a_file_of_truths_that_is_not_needed_is_said() -> None:
    own = read_predictions(GOOD, "mine.csv", TRUTHS.encode())
    assert any("file of truths was not used" in note for note in own.notes)


def test_the_documented_example_is_read() -> None:
    ours, isic = re.findall(r"```\n((?:image_id|image,).*?)```", DOCS.read_text(encoding="utf-8"), flags=re.DOTALL)
    own = read_predictions(ours.encode(), "example.csv")
    assert own.predictions.classes == ("bkl", "mel", "nv")
    assert own.predictions.frame["lesion_id"].nunique() == 2
    assert own.facts["sex"].tolist() == ["female", "female", "male"]
    truth = ISIC + "ISIC_0034524,0,1,0,0,0,0,0\n"
    assert compute_headline(read_predictions(isic.encode(), "example.csv", truth.encode()).predictions).accuracy == 1


# Rows are never taken for photos.


def perfect(column: str, spell: str = "{}") -> tuple[bytes, bytes]:
    """Write the predictions of a perfect model and their truths in another order, with ids spelt in another way."""
    truth = pd.Series([("MEL", "NV", "BCC")[n * n % 3] for n in range(40)])
    ids = pd.Series([f"ISIC_{n * 7919 % 100_000:07d}" for n in range(40)])
    frame = pd.get_dummies(truth, dtype=float)
    frame.insert(0, column, ids)
    truths = frame.assign(**{column: [spell.format(name) for name in ids]}).sample(frac=1, random_state=1)
    return frame.to_csv(index=False).encode(), truths.to_csv(index=False).encode()


@pytest.mark.parametrize("column", ["image_name", "id", "filename", "Image ID", "isic_id", "img_id", "bcn_filename"])
def test_truths_in_another_order_are_joined_by_the_ids(column: str) -> None:
    own = read_predictions(*_named(perfect(column)))
    assert compute_headline(own.predictions).accuracy == 1
    assert own.predictions.frame["image_id"].iloc[3] == f"ISIC_{3 * 7919:07d}"


def _named(files: tuple[bytes, bytes]) -> tuple[bytes, str, bytes]:
    return files[0], "mine.csv", files[1]


@pytest.mark.parametrize("spell", ["{}.jpg", "photos/{}.JPG", "C:\\photos\\{}.png", "{}_downsampled", "{}.jpeg"])
def test_ids_that_differ_in_folder_suffix_or_capitals_match_and_it_is_said(spell: str) -> None:
    own = read_predictions(*_named(perfect("image", spell)))
    assert compute_headline(own.predictions).accuracy == 1
    assert any("matched by their ids" in note for note in own.notes) == (spell != "{}.jpg")


def test_ids_that_would_be_the_same_without_their_folder_are_not_guessed() -> None:
    truth = "image,MEL,NV\nmel/1.png,1,0\nnv/1.png,0,1\n"
    assert "differ only in their folder" in refused(b"image,MEL,NV\n1,1,0\n", truth.encode())


def test_rows_without_ids_are_not_joined() -> None:
    predictions, truths = (file.replace(b"image", b"row") for file in perfect("image"))
    assert "has no column that names its photos" in refused(predictions, truths)


def test_an_id_that_a_patient_repeats_names_no_photo() -> None:
    own = read_predictions(csv("1,x,1,0", "1,y,0,1", header="id,truth,p_x,p_y"), "mine.csv")
    assert own.predictions.numbered
    assert any("numbered by row" in note for note in own.notes)


def test_our_format_takes_truths_from_another_file_in_words_of_other_data_sets() -> None:
    scores = csv("b,0.2,0.8", "a,0.9,0.1", "c,0.6,0.4", header="image_name,p_mel,p_nv")
    truth = b"isic_id;diagnosis;patient_id\na;melanoma;p1\nb;nevus;p1\nc;indeterminate;p2\nd;nevus;p3\n"
    own = read_predictions(scores, "mine.csv", truth)
    assert own.predictions.frame["truth"].tolist() == ["nv", "mel"]
    assert own.predictions.frame["patient_id"].tolist() == ["p1", "p1"]
    assert own.predictions.frame["lesion_id"].tolist() == ["b", "a"]
    assert any(note.startswith("1 photos have no truth and are not scored: row 3 below") for note in own.notes)
    assert any(note.startswith("1 photos of the file of truths have no prediction") for note in own.notes)


def test_a_column_of_labels_beside_the_scores_may_hold_answers_and_is_not_taken_for_the_truth() -> None:
    scores = csv("a,nv,0.1,0.9", "b,mel,0.9,0.1", header="image,label,p_mel,p_nv")
    own = read_predictions(scores, "mine.csv", b"image,label\na,mel\nb,mel\n")
    assert own.predictions.frame["truth"].tolist() == ["mel", "mel"]


# Unknown classes.

MILK10K = ("AKIEC", "BCC", "BEN_OTH", "BKL", "DF", "INF", "MAL_OTH", "MEL", "NV", "SCCKA", "VASC")
MALIGNANT_IN_MILK10K = {"AKIEC", "BCC", "MAL_OTH", "MEL", "SCCKA"}


def eleven(names: dict[str, str] | None = None) -> tuple[bytes, bytes, float, float]:
    """Write predictions of the 11 classes of MILK10k and their truths; return them with accuracy and AUROC."""
    random = np.random.default_rng(4)
    truth = random.integers(11, size=90)
    scores = random.dirichlet(np.ones(11), 90) + 0.2 * np.eye(11)[truth]
    scores /= scores.sum(axis=1, keepdims=True)
    frames = [
        pd.DataFrame(values, columns=list(MILK10K)).rename(columns=names or {})
        for values in (scores, np.eye(11)[truth])
    ]
    predictions, truths = (
        frame.assign(image=[f"i{n}" for n in range(90)]).to_csv(index=False).encode() for frame in frames
    )
    malignant = np.isin(MILK10K, list(MALIGNANT_IN_MILK10K))
    area = roc_auc_score(malignant[truth], scores[:, malignant].sum(axis=1))
    return predictions, truths, accuracy_score(truth, scores.argmax(axis=1)), area


def test_all_published_classes_are_read_and_counted_as_their_data_set_does() -> None:
    predictions, truths, accuracy, area = eleven()
    own = read_predictions(predictions, "mine.csv", truths)
    assert len(own.predictions.classes) == 11
    found = compute_headline(own.predictions)
    assert (found.accuracy, found.malignant_auroc) == (pytest.approx(accuracy), pytest.approx(area))
    assert not any("divided by their sum" in note for note in own.notes)
    intervals = compute_intervals(own.predictions, 20)
    assert get_figure(intervals, "malignant_auroc").value == pytest.approx(area)
    assert get_figure(intervals, "malignant_auroc").low < area


def test_without_a_word_on_an_unknown_class_there_is_no_figure_of_malignancy() -> None:
    predictions, truths, accuracy, area = eleven({"INF": "Blob", "SCCKA": "Zed"})
    run = read_predictions(predictions, "mine.csv", truths).predictions
    assert find_unknown_classes(run) == ("Blob", "Zed")
    assert "'Blob', 'Zed' are malignant" in describe_unknown_classes(run)
    assert compute_headline(run).accuracy == pytest.approx(accuracy)
    assert np.isnan(compute_headline(run).malignant_auroc)
    assert np.isnan(get_figure(compute_intervals(run, 20), "malignant_auroc").low)
    with pytest.raises(RunError, match="of Blob, Zed it is not known"):
        select_positives(run)

    said = read_predictions(predictions, "mine.csv", truths, {"blob": "benign", "zed": "scc"}).predictions
    assert find_unknown_classes(said) == ()
    assert "scc" in said.classes
    assert compute_headline(said).malignant_auroc == pytest.approx(area)
    assert compute_headline(
        state_classes(run, {"blob": "benign", "zed": "malignant"})
    ).malignant_auroc == pytest.approx(area)


def test_our_format_knows_published_words_and_counts_no_other_class_as_benign() -> None:
    rows = ["ACK,.6,.1,.1,.2", "mal_oth,.1,.6,.1,.2", "nevus,.1,.1,.6,.2", "thing,.1,.2,.1,.6"]
    own = read_predictions(csv(*rows, header="truth,p_ACK,p_MAL_OTH,p_nevus,p_thing"), "mine.csv")
    assert own.predictions.classes == ("akiec", "nv", "MAL_OTH", "thing")
    assert own.predictions.stated == {"MAL_OTH": True}
    assert np.isnan(compute_headline(own.predictions).malignant_auroc)
    assert any("ACK as akiec" in note for note in own.notes)


def test_a_class_that_is_mapped_into_another_is_added_to_it() -> None:
    rows = csv("odd,.5,.2,.3", "mel,.3,.1,.6", "nv,.1,.7,.2", header="truth,p_mel,p_nv,p_odd")
    run = read_predictions(rows, "mine.csv", None, {"odd": "mel"}).predictions
    assert run.classes == ("mel", "nv")
    np.testing.assert_allclose(run.probabilities(), [[0.8, 0.2], [0.9, 0.1], [0.3, 0.7]])
    assert run.frame["truth"].tolist() == ["mel", "mel", "nv"]
    with pytest.raises(RunError, match="'od'"):
        read_predictions(rows, "mine.csv", None, {"od": "mel"})


def test_two_words_for_one_label_stay_two_classes() -> None:
    header = "truth,p_seborrheic keratosis,p_pigmented benign keratosis,p_nevus"
    run = read_predictions(csv("nv,.2,.3,.5", "seborrheic keratosis,.5,.3,.2", header=header), "mine.csv").predictions
    assert run.classes == ("nv", "seborrheic keratosis", "pigmented benign keratosis")
    assert run.frame["truth"].tolist() == ["nv", "seborrheic keratosis"]
    assert find_unknown_classes(run) == ()


def test_an_unknown_class_that_is_0_throughout_stands_in_no_one_s_way() -> None:
    own = read_predictions(csv("mel,.9,.1,0", "nv,.2,.8,0", header="truth,p_mel,p_nv,p_UNK"), "mine.csv")
    assert own.predictions.classes == ("mel", "nv")
    assert compute_headline(own.predictions).malignant_auroc == 1
    assert any("Left out 'UNK'" in note for note in own.notes)


def test_a_column_of_numbers_without_which_rows_add_up_is_no_class() -> None:
    scores = "image,MEL,NV,doubt\na,0.7,0.3,0.2\nb,0.2,0.8,0.1\n"
    own = read_predictions(scores.encode(), "mine.csv", b"image,MEL,NV\na,1,0\nb,0,1\n")
    assert own.predictions.classes == ("mel", "nv")
    assert any("Not read as classes: 'doubt'" in note for note in own.notes)


# Tables as people have them.


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_predictions_are_read_in_every_encoding(encoding: str, separator: str) -> None:
    decimal = "," if separator == ";" else "."
    rows = [
        ["image_id", "truth", "p_mel", "p_nv", "ward"],
        ["a", "mel", "0.75", "0.25", "Köln"],
        ["b", "nv", "0.5", "0.5", "-"],
    ]
    text = "\r\n".join(separator.join(cell.replace("0.", f"0{decimal}") for cell in row) for row in rows)
    own = read_predictions(text.encode(encoding), "mine.csv")
    np.testing.assert_array_equal(own.predictions.probabilities(), [[0.75, 0.25], [0.5, 0.5]])
    assert own.facts["ward"].fillna("NA").tolist() == ["Köln", "NA"]


def test_all_that_is_wrong_is_listed_at_once() -> None:
    said = refused(csv("a,x,1,0", "a,z,0.9,0.4", "c,x,,1", "d,y,much,2"))
    for part in ("'a' again in row 2", "'z', in row 2", "'p_x', row 3", "'much'", "'p_y', row 4", "add up to 1.300"):
        assert part in said
    assert said.count("\n- It ") == 6


def test_photos_without_an_answer_or_a_truth_are_left_out_by_name_of_their_rows() -> None:
    own = read_predictions(csv("a,x,1,0", "b,?,1,0", "c,x,,", "d,#N/A,0,1", "e,y,0,1"), "mine.csv")
    assert own.predictions.frame["image_id"].tolist() == ["a", "e"]
    assert "2 photos have no truth and are not scored: rows 2, 4 below the header." in own.notes
    assert "1 photos have no probabilities and are not scored: row 3 below the header." in own.notes


def test_one_column_of_scores_for_malignancy_is_read_with_0_and_1_or_words() -> None:
    scores = b"image_name,target\nISIC_1,0.9\nISIC_2,0.2\nISIC_3,0.6\n"
    for truth in (
        b"image_name,target\nISIC_2,0\nISIC_1,1\nISIC_3,0\n",
        b"isic_id,diagnosis\nISIC_3,nevus\nISIC_1,BCC\nISIC_2,NV\n",
    ):
        own = read_predictions(scores, "mine.csv", truth)
        assert own.predictions.classes == ("malignant", "benign")
        assert own.predictions.frame["truth"].tolist() == ["malignant", "benign", "benign"]
        assert compute_headline(own.predictions).malignant_auroc == 1


def test_malignant_and_benign_beside_lesion_types_are_a_second_answer() -> None:
    scores = b"file,malignant,benign,mel,nv\nx/a.jpg,.7,.3,.7,.3\nx/b.jpg,.2,.8,.2,.8\n"
    own = read_predictions(scores, "mine.csv", b"image_id,dx\na,mel\nb,nv\n")
    assert own.predictions.classes == ("mel", "nv")
    np.testing.assert_allclose(own.predictions.probabilities(), [[0.7, 0.3], [0.2, 0.8]])
    assert any("second answer" in note for note in own.notes)


def test_a_column_of_row_numbers_without_a_name_is_neither_an_id_nor_a_subgroup() -> None:
    own = read_predictions(csv("0,mel,.6,.4", "1,nv,.3,.7", header=",truth,p_mel,p_nv"), "mine.csv")
    assert own.predictions.numbered
    assert own.facts.shape == (2, 0)


@pytest.mark.parametrize("name", ["pred", "prediction", "y_prob"])
def test_a_column_of_truths_beside_the_scores_is_not_taken_for_them(name: str) -> None:
    table = f"image_name,target,{name}\na,1,0.3\nb,0,0.9\nc,1,0.8\nd,0,0.1\n".encode()
    truth = b"image_name,target\na,1\nb,0\nc,1\nd,0\n"
    own = read_predictions(table, "mine.csv", truth)
    assert own.predictions.probabilities()[:, 0].tolist() == [0.3, 0.9, 0.8, 0.1]
    assert compute_headline(own.predictions).malignant_auroc == 0.5
    assert "Not read as scores: 'target'." in own.notes


@pytest.mark.parametrize(
    ("header", "named"), [("target,fold_1", "'target', 'fold_1'"), ("score,probability", "'score', 'probability'")]
)
def test_two_columns_that_may_be_the_score_are_not_guessed_between(header: str, named: str) -> None:
    second = "1" if header.startswith("target") else "0.4"
    table = f"image,{header}\na,{second},0.3\nb,0,0.9\n".encode()
    with pytest.raises(RunError, match=f"several columns that may be the score for malignant: {named}. Name the right"):
        read_predictions(table, "mine.csv", b"image,target\na,1\nb,0\n")


def test_percentages_with_their_sign_are_read() -> None:
    for rows in (["a,x,85 %,15%", "b,y,7.5%,92.5%"], ["a,x,0.85,0.15", "b,y,7.5%,0.925"]):
        own = read_predictions(csv(*rows), "mine.csv")
        np.testing.assert_allclose(own.predictions.probabilities(), [[0.85, 0.15], [0.075, 0.925]])
    assert "Divide percentages by 100" in refused(csv("a,x,85,15"))


def test_ids_that_a_program_wrote_as_decimals_are_joined() -> None:
    own = read_predictions(
        b"id,MEL,NV\n1.0,.9,.1\n2.0,.2,.8\n", "mine.csv", b"id,diagnosis,patient_id\n2,nv,8.0\n1,mel,7.0\n"
    )
    assert own.predictions.frame[["image_id", "truth", "patient_id"]].to_numpy().tolist() == [
        ["1", "mel", "7"],
        ["2", "nv", "8"],
    ]


def test_tables_of_one_row_per_lesion_are_joined_by_the_lesions() -> None:
    scores, truth = b"lesion_id,MEL,NV\nIL_1,.9,.1\nIL_2,.2,.8\n", b"lesion_id,MEL,NV\nIL_2,0,1\nIL_1,1,0\n"
    own = read_predictions(scores, "mine.csv", truth)
    assert own.predictions.frame["image_id"].tolist() == own.predictions.frame["lesion_id"].tolist() == ["IL_1", "IL_2"]
    assert own.predictions.frame["truth"].tolist() == ["mel", "nv"]
    repeated = scores + b"IL_2,.3,.7\n"
    with pytest.raises(RunError, match="no column that names its photos"):
        read_predictions(repeated, "mine.csv", truth)


def test_true_and_false_of_other_languages_are_truths() -> None:
    own = read_predictions(csv("a,WAHR,.9,.1", "b,Faux,.2,.8", header="id,truth,p_malignant,p_benign"), "mine.csv")
    assert own.predictions.frame["truth"].tolist() == ["malignant", "benign"]
