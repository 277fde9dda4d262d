import pandas as pd
import pytest

from skinapp.datasets.labels import derive_malignancy, is_undecided, translate_label
from skinapp.taxonomy import CODES, DIAGNOSES, is_malignant
from skinapp.text_tables.label_words import Meaning, find_meaning


@pytest.mark.parametrize("code", CODES)
def test_codes_and_names_mean_themselves(code: str) -> None:
    for word in (code, code.upper(), next(d.name for d in DIAGNOSES if d.code == code)):
        assert find_meaning(word) == Meaning(code, is_malignant(code))


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("akiec", "AK|ACK|BOD|AKIEC|actinic keratosis|Actinic keratoses|Solar or actinic keratosis|Bowen's disease"),
        ("akiec", "Actinic keratoses and intraepithelial carcinoma / Bowen's disease|Squamous cell carcinoma in situ"),
        ("bcc", "BCC|basal cell carcinoma|basal_cell_carcinoma|4. Basal Cell Carcinoma (BCC) 3323"),
        ("bkl", "BKL|SEK|SK|seborrheic keratosis|Seborrhoeic keratoses|pigmented benign keratosis|solar lentigo"),
        ("bkl", "6. Benign Keratosis-like Lesions (BKL) 2624|lichen planus-like keratosis|lichenoid keratosis"),
        ("df", "DF|dermatofibromas|Dermatofibroma, Cellular"),
        ("mel", "MEL|melanoma|2. Melanoma 15.75k|Melanoma, NOS|melanoma in situ|superficial spreading melanoma ssm"),
        ("mel", "lentigo maligna|Melanoma Invasive|melanoma (less than 0.76 mm)|malignant melanoma"),
        (
            "nv",
            "NV|NEV|nevus|naevi|Melanocytic-Nevi|5. Melanocytic Nevi (NV) - 7970|Nevus, Atypical, Dysplastic, or Clark",
        ),
        ("nv", "blue naevus|reed or spitz nevus|Benign:Benign melanocytic proliferations:Nevus|moles"),
        ("scc", "SCC|SCCKA|squamous cell carcinoma|Squamous cell carcinoma, Invasive"),
        ("nv", "Nevus (benign)|benign (nevus)|Naevus (mole)"),
        ("mel", "Melanoma (malignant)|malignant (melanoma)|malignant (MEL)"),
        ("vasc", "VASC|vascular lesion|vascular_lesions|haemangioma|angiokeratoma|pyogenic granuloma"),
    ],
)
def test_words_of_published_tables_and_folders(code: str, words: str) -> None:
    for word in words.split("|"):
        assert translate_label(word, {}) == code, word


@pytest.mark.parametrize("word", ["MAL_OTH", "merkel cell carcinoma", "malignant dermal", "kaposi sarcoma"])
def test_other_malignant_words_keep_their_name_and_count_as_malignant(word: str) -> None:
    assert find_meaning(word) == Meaning(None, True)
    assert translate_label(word, {}) == word


@pytest.mark.parametrize("word", ["BEN_OTH", "INF", "verruca", "lentigo NOS", "non-neoplastic", "epidermal nevus"])
def test_other_benign_words(word: str) -> None:
    assert find_meaning(word) == Meaning(None, False)


@pytest.mark.parametrize("word", ["indeterminate", "indeterminate/benign", "Indeterminate/malignant", "suspicious"])
def test_undecided_words(word: str) -> None:
    assert is_undecided(word)


@pytest.mark.parametrize(
    "words",
    [
        "melanoma?|?melanoma|BCC ?|Melanoma (suspected)|melanoma (excluded)|Melanoma (rule out)|Melanoma (no)",
        "suspected melanoma|r/o melanoma|possible BCC|malignant?|suspicious nevus|nevus (r/o melanoma)|nevus, likely",
    ],
)
def test_a_word_that_doubts_its_lesion_is_undecided(words: str) -> None:
    for word in words.split("|"):
        assert is_undecided(word), word


@pytest.mark.parametrize(
    "word", ["0", "1", "wart of newt", "not melanoma", "nevus (bcc)", "atypical spitz tumor", "", "x" * 999]
)
def test_what_is_not_in_the_table_means_nothing(word: str) -> None:
    assert find_meaning(word) is None
    assert translate_label(word, {}) == word


def test_the_eleven_classes_of_milk10k() -> None:
    classes = ["AKIEC", "BCC", "BEN_OTH", "BKL", "DF", "INF", "MAL_OTH", "MEL", "NV", "SCCKA", "VASC"]
    malignant = derive_malignancy(pd.Series(classes, dtype="string"))
    assert malignant.tolist() == [True, True, False, False, False, False, True, True, False, True, False]
