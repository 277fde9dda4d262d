"""The words of other data sets for lesions, in one table: what each means here, however it is spelt.

`find_meaning(word)` answers for a word of any published table or folder: "Seborrhoeic keratoses", "SEK" and
"4. Seborrheic_Keratosis (SK) 1.2k" all mean bkl; "melanoma?" and "suspected melanoma" say that nothing was decided.
Case, other punctuation, plurals, British spelling and counts are ignored.
To add a word, add it to the right list below.

Sources: HAM10000 and the ISIC challenges of 2016 to 2020; the ISIC Archive's list of diagnoses, old (`diagnosis`) and
new (`diagnosis_1` to `_5`, ISIC-DX); MILK10k, PAD-UFES-20, Fitzpatrick17k and its partitions, the seven-point data
set; the nine and ten folders of lesions on Kaggle.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from skinapp.taxonomy import BENIGN, DIAGNOSES, MALIGNANCY_CLASSES, MALIGNANT, MALIGNANT_CODES


@dataclass(frozen=True)
class Meaning:
    """What a word says: a label that is known here, if one fits, and whether the lesion is malignant, if it says so.

    Both are None for a word that says that nothing was decided, for example "indeterminate".
    """

    label: str | None
    malignant: bool | None


_SAME: dict[str, str] = {
    "akiec": """
        ak; ack; aks; akiec; bod; actinic keratosis; solar keratosis; solar or actinic keratosis; pigmented actinic
        keratosis; bowen disease; morbus bowen; bowen; intraepithelial carcinoma; actinic keratosis and
        intraepithelial carcinoma; actinic keratosis intraepithelial carcinoma; actinic keratosis bowen disease;
        actinic keratosis and bowen disease; in situ squamous cell carcinoma; actinic keratosis and intraepithelial
        carcinoma bowen disease; intraepidermal carcinoma; scc in situ; actinic keratosis bowen disease
        intraepithelial carcinoma; squamous cell carcinoma in situ; sccis; actinic keratosis and intraepithelial
        carcinoma/bowen disease; actinic keratosis intraepidermal carcinoma; squamous cell carcinoma in situ bowen
        disease
    """,
    "bcc": """
        bcc; basal cell carcinoma; basalioma; basal cell cancer; basal cell; rodent ulcer; basaloma; superficial basal
        cell carcinoma; nodular basal cell carcinoma; pigmented basal cell carcinoma; basal cell carcinoma
        superficial; basal cell carcinoma nodular; basal cell carcinoma pigmented; basal cell carcinoma morpheiform;
        basal cell carcinoma nos; solid cystic basal cell carcinoma; basal cell carcinoma infiltrating; basal cell
        carcinoma sclerosing; morpheaform basal cell carcinoma
    """,
    "bkl": """
        bkl; sk; sek; pbk; lplk; benign keratosis; benign keratosis like; benign keratosis like lesion; seborrheic
        keratosis; seborrheic keratosis irritated; irritated seborrheic keratosis; seb k; seb ker; seborrheic
        keratosis clonal; pigmented benign keratosis; solar lentigo; senile lentigo; lentigo senilis; actinic lentigo;
        lentigo solaris; sun spot; lichen planus like keratosis; lichenoid keratosis; benign lichenoid keratosis;
        solar lentigo seborrheic keratosis lichen planus like keratosis; benign keratosis solar lentigo seborrheic
        keratosis lichen planus like keratosis; benign keratinocytic lesion; seborrheic wart; verruca seborrheica;
        keratosis seborrheica; dermatosis papulosa nigra
    """,
    "df": """
        df; dermatofibroma; histiocytoma; fibrous histiocytoma; benign fibrous histiocytoma; dermatofibroma
        aneurysmal; dermatofibroma atypical; dermatofibroma cellular; dermatofibroma epithelioid; dermatofibroma
        hemosiderotic
    """,
    "mel": """
        mel; melanoma; malignant melanoma; cutaneous melanoma; melanoma nos; melanoma invasive; invasive melanoma;
        melanoma in situ; in situ melanoma; melanoma metastasis; metastatic melanoma; superficial spreading melanoma;
        superficial spreading melanoma ssm; nodular melanoma; lentigo maligna; lentigo maligna melanoma; acral
        lentiginous melanoma; amelanotic melanoma; acral melanoma; ssm; lmm; melanoma less than 0.76 mm; melanoma 0.76
        to 1.5 mm; melanoma more than 1.5 mm; desmoplastic melanoma; malignant melanocytic proliferation melanoma;
        subungual melanoma; nodular melanoma nm; recurrent persistent melanoma in situ; recurrent persistent melanoma
        invasive; nevoid melanoma
    """,
    "nv": """
        nv; nev; nevus; mole; melanocytic nevus; nevocytic nevus; nevus nos; common nevus; benign nevus; dysplastic
        nevus; atypical nevus; atypical mole; dysplastic mole; clark nevus; blue nevus; congenital nevus; congenital
        melanocytic nevus; dermal nevus; intradermal nevus; compound nevus; junctional nevus; halo nevus; spitz nevus;
        reed nevus; reed or spitz nevus; spitz reed nevus; combined nevus; recurrent nevus; nevus spilus; acral nevus;
        lentiginous nevus; persistent nevus; agminated nevus; balloon cell nevus; deep penetrating nevus; meyerson
        nevus; nevus pigmentosus; pigmented spindle cell nevus; pigmented spindle cell nevus of reed; pigmented nevus;
        unna nevus; nevus acral; nevus agminated; nevus atypical dysplastic or clark; nevus bap 1 deficient; miescher
        nevus; nevus balloon cell; nevus combined; nevus congenital; nevus deep penetrating; nevus halo; nevus
        lentiginous; nevus meyerson; nevus nos compound; nevus nos dermal; nevus nos junctional; nevus of special
        anatomic site; nevus recurrent or persistent; nevus reed; nevus spilus; nevus spitz; dysplastic melanocytic
        nevus; atypical melanocytic nevus; melanocytic nevus dysplastic; banal nevus
    """,
    "scc": """
        scc; sccka; cscc; squamous cell carcinoma; squamous cell carcinoma nos; squamous cell cancer; squamous cell
        carcinoma invasive; invasive squamous cell carcinoma; cutaneous squamous cell carcinoma; squamous cell
        carcinoma keratoacanthoma; squamous cell carcinoma ka type; squamous carcinoma; spinalioma; squamous cell
        carcinoma or keratoacanthoma; squamous cell carcinoma and keratoacanthoma; squamous cell
    """,
    "vasc": """
        vasc; vascular lesion; vascular; angioma; hemangioma; cherry angioma; cherry hemangioma; senile angioma;
        senile hemangioma; angiokeratoma; pyogenic granuloma; hemorrhage; venous lake; vascular skin lesion;
        subcorneal hemorrhage; subungual hematoma; subungual hemorrhage; hematoma; vascular lesion and hemorrhage;
        lymphangioma; spider angioma; vascular spider; telangiectasia; capillary hemangioma; granuloma pyogenic;
        hemorrhagic lesion; lobular capillary hemangioma; benign soft tissue proliferation vascular
    """,
    MALIGNANT: """
        malignant; cancer; cancerous; malignant lesion; malignant tumor; skin cancer; malign; malignancy
    """,
    BENIGN: """
        benign; non malignant; not malignant; nonmalignant; non cancer; non cancerous; noncancerous; benign lesion;
        not cancer; no cancer; benign tumor
    """,
}
"""Labels that are known here -> the words for them, separated by semicolons."""

_OTHER_MALIGNANT = """
    mal oth; other malignant; malignant other; other malignant proliferation; merkel cell carcinoma; mcc; kaposi
    sarcoma; angiosarcoma; angiosarcoma cutaneous; dermatofibrosarcoma protuberans; dfsp; mycosis fungoides;
    cutaneous lymphoma; malignant cutaneous lymphoma; cutaneous t cell lymphoma; lymphoma; sezary syndrome;
    sebaceous carcinoma; atypical fibroxanthoma; porocarcinoma; paget disease; microcystic adnexal carcinoma;
    keratoacanthoma; verrucous carcinoma; basosquamous carcinoma; baso squamous carcinoma; extramammary paget
    disease; metastasis; metastatic carcinoma; leiomyosarcoma; malignant dermal; malignant epidermal; malignant
    epidermal proliferation; malignant adnexal tumor; collision at least one malignant proliferation; non melanoma
    skin cancer; nmsc; carcinoma; sarcoma; other malignant proliferation including collision tumor; apocrine
    carcinoma; bowenoid papulosis; merkel cell proliferation; malignant melanocytic proliferation; actinic
    keratosis basal cell carcinoma and other malignant lesion
"""
_OTHER_BENIGN = """
    ben oth; other benign; benign other; inf; inflammatory; inflammatory and infectious condition; inflammatory or
    infectious disease; genodermatosis; benign dermal; benign epidermal; benign melanocyte; lentigo; lentigo nos;
    lentigo simplex; ephelis; freckle; cafe au lait macule; mucosal melanosis; ink spot lentigo; melanotic macule;
    melanosis; labial melanotic macule; mucosal melanotic macule; acrochordon; skin tag; fibroepithelial polyp;
    angiofibroma; angiofibroma or fibrous papule; fibrous papule; neurofibroma; scar; keloid; sebaceous adenoma;
    sebaceous hyperplasia; verruca; verruca vulgaris; epidermal nevus; lipoma; nevus sebaceus; sebaceous nevus;
    nevus anemicus; nevus comedonicus; becker nevus; nevus of ota; epidermal cyst; epidermoid cyst; cyst; milium;
    clear cell acanthoma; trichoepithelioma; syringoma; pilomatricoma; porokeratosis; other benign proliferation;
    other benign proliferation including collision tumor; milia; benign melanocytic proliferation; benign
    epidermal proliferation; large cell acanthoma; melanoacanthoma; infundibular or epidermal cyst; seborrheic
    keratosis and other benign tumor; benign soft tissue proliferation; collision only benign proliferation;
    dilated pore; non neoplastic
"""
_UNDECIDED = """
    indeterminate; indeterminate benign; indeterminate malignant; indeterminable; uncertain; undecided; equivocal;
    borderline; suspicious; suspicious of malignancy; not sure; undetermined; inconclusive; nevus or melanoma;
    melanoma or nevus; benign or malignant; no diagnosis
"""
_DOUBT = {
    *("suspected", "suspicious", "suspect", "suspicion", "possible", "possibly", "probable", "probably", "presumed"),
    *("likely", "unlikely", "query", "questionable", "rule", "ruled", "exclude", "excluded", "out", "ddx"),
}
"""Words beside the name of a lesion that say that it was not decided."""

_DENIAL = {"no", "not"}


@lru_cache(maxsize=65_536)
def find_meaning(word: str) -> Meaning | None:
    """Return what a word of another data set means; None for one that is not in the table ("atypical Spitz tumor").

    Of a path of words, for example "Benign:Benign melanocytic proliferations:Nevus", the last known one counts.
    """
    if len(word) > 300:
        return None
    for part in reversed([part for part in word.split(":") if part.strip()]):
        meaning = _look_up(part)
        if meaning is not None:
            return meaning
    return None


def _look_up(word: str) -> Meaning | None:
    whole = _MEANINGS.get(_normalise(word))
    if whole is not None and "?" in word:
        return _OPEN
    if whole is not None:
        return whole
    if _is_doubted(word):
        return _OPEN
    if "(" not in word:
        return None
    outside, inside = re.sub(r"\([^)]*\)?", " ", word), " ".join(re.findall(r"\(([^)]*)\)?", word))
    first, second = (_MEANINGS.get(_normalise(part)) for part in (outside, inside))
    # An abbreviation in brackets must not say something else.
    if first and second and first.malignant == second.malignant:  # "Nevus (benign)" and "benign (nevus)"
        general = (None, *MALIGNANCY_CLASSES)
        return second if first.label in general else first if second.label in (first.label, *general) else None
    return first if first is None or second is None or second.label is None else None


def _is_doubted(word: str) -> bool:
    """Tell whether a word names a known lesion and says that it was not decided: "suspected melanoma", "BCC (no)"."""
    plain = re.sub(r"\br/o\b", "rule out", word, flags=re.IGNORECASE)
    outside, _, inside = plain.partition("(")
    if inside and not (_DOUBT | _DENIAL).isdisjoint(_normalise(inside).split()):
        return _normalise(outside) in _MEANINGS
    tokens = _normalise(plain).split()
    rest = [token for token in tokens if token not in _DOUBT]
    return len(rest) < len(tokens) and " ".join(rest) in _MEANINGS


def _normalise(word: str) -> str:
    """Write a word in lower case without punctuation, plurals, British spelling, and numbers that count photos."""
    plain = re.sub(r"['’`´]", "", word.casefold())
    plain = plain.replace("ae", "e").replace("oe", "e").replace("æ", "e").replace("œ", "e").replace("tumour", "tumor")
    tokens = re.findall(r"[^\W_]+", plain)
    return " ".join(_singular(token) for token in tokens if not re.fullmatch(r"\d+k?", token) or "mm" in tokens)


def _singular(token: str) -> str:
    for ending, single in (("oses", "osis"), ("omata", "oma"), ("nevi", "nevus"), ("nevuses", "nevus"), ("ies", "y")):
        if token.endswith(ending) and len(token) >= len(ending):
            return token[: -len(ending)] + single
    if len(token) > 3 and token.endswith("s") and not token.endswith(("ss", "us", "is")):
        return token[:-1]
    return token


def _split(words: str) -> list[str]:
    return [_normalise(word) for word in words.split(";")]


def _build() -> dict[str, Meaning]:
    meanings: dict[str, Meaning] = {}
    for words, meaning in (
        (_UNDECIDED, Meaning(None, None)),
        (_OTHER_BENIGN, Meaning(None, False)),
        (_OTHER_MALIGNANT, Meaning(None, True)),
    ):
        meanings |= dict.fromkeys(_split(words), meaning)
    names = {d.code: (d.code, d.name, d.short_name) for d in DIAGNOSES} | {
        label: (label,) for label in MALIGNANCY_CLASSES
    }
    for label, words in _SAME.items():
        meaning = Meaning(label, label in (MALIGNANT, *MALIGNANT_CODES))
        meanings |= dict.fromkeys((*_split(words), *map(_normalise, names[label])), meaning)
    return meanings


_OPEN = Meaning(None, None)
_MEANINGS = _build()
