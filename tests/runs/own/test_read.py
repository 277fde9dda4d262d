import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from skinapp.datasets.export import encode_csv
from skinapp.errors import RunError
from skinapp.runs.intervals import compute_intervals
from skinapp.runs.own import sheet
from skinapp.runs.own.read import read_predictions
from skinapp.runs.predictions import Predictions
from skinapp.runs.stored import StoredRun
from skinapp.runs.summary import compute_headline
from skinapp.taxonomy import CODES

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
        (b"", "has no header"),
        (b"\n", "has no header"),
        (b"PK\x03\x04\x00\x00", "not a CSV in UTF-8"),
        (GOOD.decode().encode("utf-16"), "not a CSV in UTF-8"),
        (b"x" * 200_000, "not a CSV in UTF-8"),
        ("tr\u00fcth,p_x,p_y\n".encode("latin-1"), "first line that is not text in UTF-8"),
        (csv("K\u00e4se,x,1,0").decode().encode("latin-1"), "not in UTF-8 in the column 'image_id'"),
        (csv(), "no row"),
        (csv("a,x,1,0", header=",".join(f"c{n}" for n in range(301))), "301 columns, more than 300"),
        (csv("a,x,1,0", header="image_id,truth,p_x,P_X"), "two columns named 'p_x'"),
        (csv("a,x,1,0", header="image_id,truth,p_x,p_ x"), "'p_x' and 'p_ x'"),
        (csv("a,x,1", header="image_id,truth,p_x"), "fewer than two classes ('p_x')"),
        (csv("a,x,1,0", header="image_id,label,p_x,p_y"), "lacks the column truth"),
        (csv("a,x,1,0", header="image_id,truth,x,y"), "no columns of probabilities"),
        (csv("a,x,1,0", header="image_id,truth,p_x,p_<b>"), "class '?b?'"),
        (csv("a,x,1,0", header="image_id,truth,p_x,p_" + "y" * 61), "at most 60"),
        (csv("x", header="truth," + ",".join(f"p_{n}" for n in range(51))), "51 classes, more than 50"),
        (csv("a,x,1,0", "b,x,1,0,0"), "5 cells in row 2 below the header, which names 4"),
        (csv("a,x,1,0", "b,x"), "2 cells in row 2 below the header"),
        (csv("a,x,1,0", 'b,"x,1,0'), "row 2 below the header"),
        (csv("a,x,1,0", "b,y,0.2,much"), "'much' in the column 'p_y', row 2 below the header"),
        (csv("a,x,1,0", "b,y,0.2,"), "the column 'p_y' in row 2 below the header is empty or NaN"),
        (csv("a,x,NaN,1"), "the column 'p_x' in row 1 below the header is empty or NaN"),
        (csv("a,x,inf,0"), "the column 'p_x' in row 1 below the header is not in 0 to 1"),
        (csv("a,x,1,0", "b,y,-0.1,1.1", "c,y,2,0"), "'p_x' in row 2 below the header (and 1 more) is not in 0 to 1"),
        (csv("a,x,70,30"), "Divide percentages by 100"),
        (csv("a,x,0.7,0.2"), "row 1 below the header add up to 0.900, not 1"),
        (csv("a,x,1,0", "b,z,1,0"), "truth 'z' in row 2 below the header is none of its classes (x, y)"),
        (csv("a,,1,0"), "truth '' in row 1"),
        (csv("a,x,1,0", "b,x,1,0", "a,x,1,0"), "names the photo 'a' again in row 3"),
        (csv("a,x,1,0", " ,x,1,0"), "no 'image_id' in row 2"),
        (csv("a,x,1,0", "b" * 301 + ",x,1,0"), "more than 300 characters in the column 'image_id', row 2"),
        (csv("b" * 20_000_000 + ",x,1,0"), "cannot be read as a CSV"),
        (csv("a,mel,1,0", header="image,truth,MEL,NV"), "file of truths"),
    ],
)
def test_what_cannot_be_taken_is_refused_with_its_place(data: bytes, sentence: str) -> None:
    said = refused(data)
    assert sentence in said
    assert "mine.csv" in said
    assert said.endswith((".", ";%'", "%'"))


def test_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheet, "MAX_ROWS", 2)
    read_predictions(GOOD, "mine.csv")
    assert "more than 2 rows" in refused(csv("a,x,1,0", "b,x,1,0", "c,x,1,0"))
    monkeypatch.setattr(sheet, "MAX_BYTES", len(GOOD) - 1)
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
    assert own.predictions.classes == (*CODES, "UNK")
    assert own.predictions.frame["truth"].tolist() == ["akiec", "UNK"]
    assert own.predictions.frame["lesion_id"].tolist() == ["of a", "of b"]
    assert own.facts["score_weight"].tolist() == ["1", "0"]
    assert own.facts["site"].fillna("-").tolist() == ["back", "-"]


@pytest.mark.parametrize(
    ("scores", "truth", "sentence"),
    [
        ("z,1,0,0,0,0,0,0\n", TRUTHS, "lacks the photo 'z', which mine.csv has in row 1"),
        ("a,0,0,0,0,0,0,0\n", TRUTHS, "every class has 0 in row 1"),
        ("a,0,0,0,0,0,1.5,0\n", TRUTHS, "the column 'DF' in row 1 below the header is not in 0 to 1"),
        ("a,1,0,0,0,0,0,0\n", ISIC + "a,1,1,0,0,0,0,0\n", "does not give 'a' one class, in row 1"),
        ("a,1,0,0,0,0,0,0\n", ISIC + "a,0.9,0.1,0,0,0,0,0\n", "does not give 'a' one class"),
        (
            "a,1,0,0,0,0,0,0\n",
            "image,truth\na,mel\n",
            "The file of truths of mine.csv has columns of numbers for fewer",
        ),
        ("a,1,0,0,0,0,0,0\n", "image,NV,UNK\na,0,1\n", "truth 'UNK' in row 1 below the header is none of its classes"),
        ("a,1,0,0,0,0,0,0\n", "", "The file of truths of mine.csv has no header"),
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
