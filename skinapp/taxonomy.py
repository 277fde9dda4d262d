"""The eight diagnoses: the only copy of their codes, names, order, colours and what counts as malignant."""

from dataclasses import dataclass

MALIGNANT = "malignant"
BENIGN = "benign"

MELANOMA = "mel"
"""The code of the diagnosis that is asked for by itself, beside all malignant ones."""

MALIGNANCY_CLASSES = (MALIGNANT, BENIGN)
"""The classes of a malignancy model, in the order of its outputs."""

MALIGNANCY_COLOURS = {MALIGNANT: "#D55E00", BENIGN: "#0072B2"}
"""Orange and blue of Okabe and Ito (2008), told apart with every common colour-vision deficiency."""


@dataclass(frozen=True)
class Diagnosis:
    """One of the eight lesion types, with the words that pages use for it.

    `code` is the label in tables and models, `name` what a reader sees, `colour` a hex string for charts.
    `what` says what the lesion is, `covers` what the label holds in this data, `why` why it is
    counted as malignant or not. `short_name` fits beside a bar or in a legend on a phone.
    """

    code: str
    name: str
    short_name: str
    malignant: bool
    colour: str
    what: str
    covers: str
    why: str


DIAGNOSES = (
    Diagnosis(
        "akiec",
        "Actinic keratosis",
        "Actinic keratosis",
        True,
        "#E69F00",
        "A rough, scaly patch on skin damaged by years of sun: abnormal cells in the top layer of the skin.",
        "HAM10000 uses one label, akiec, for actinic keratosis and Bowen's disease (squamous cell carcinoma in "
        "situ). ISIC 2019 labels the same photos anew and calls a part of them squamous cell carcinoma; where "
        "its labels were joined, akiec holds the rest.",
        "A precursor of squamous cell carcinoma, not yet invasive. Counted as malignant here, because it is "
        "treated and followed up; others count it as benign, so compare figures with care.",
    ),
    Diagnosis(
        "bcc",
        "Basal cell carcinoma",
        "Basal cell carcinoma",
        True,
        "#CC4C1B",
        "The most common skin cancer. It grows slowly and destroys tissue where it is, but seldom spreads.",
        "All variants: flat, nodular, pigmented and cystic.",
        "A cancer.",
    ),
    Diagnosis(
        "bkl",
        "Benign keratosis",
        "Benign keratosis",
        False,
        "#56B4E9",
        "Harmless thickening or pigment of the top layer of the skin, very common with age.",
        "Seborrhoeic keratosis, solar lentigo and lichen-planus-like keratosis together. They look different "
        "from one another, and some look like melanoma.",
        "Harmless; treated only where it disturbs.",
    ),
    Diagnosis(
        "df",
        "Dermatofibroma",
        "Dermatofibroma",
        False,
        "#009E73",
        "A small firm knot in the deeper skin, often on the leg.",
        "Dermatofibroma alone. The rarest label of HAM10000: every figure for it stands on few lesions.",
        "Harmless.",
    ),
    Diagnosis(
        "mel",
        "Melanoma",
        "Melanoma",
        True,
        "#B2182B",
        "A cancer of the pigment cells. Found early it can be cut out and cured; late it spreads.",
        "All melanomas, invasive or in situ; melanoma of the eye and of mucous membranes is not in this data.",
        "A cancer, and the one that a triage must not miss.",
    ),
    Diagnosis(
        "nv",
        "Melanocytic nevus",
        "Nevus (mole)",
        False,
        "#0072B2",
        "A mole: a harmless growth of pigment cells.",
        "All kinds of nevi, those that look unusual among them. Two thirds of HAM10000 are nevi.",
        "Harmless, though a melanoma can grow in one.",
    ),
    Diagnosis(
        "scc",
        "Squamous cell carcinoma",
        "Squamous cell carcinoma",
        True,
        "#8C510A",
        "The second most common skin cancer, on skin that has seen much sun. It can spread.",
        "Photos that ISIC 2019 labels SCC. Those of them in HAM10000 are labelled akiec there, which by its "
        "paper means Bowen's disease: early, in situ disease rather than invasive carcinoma.",
        "A cancer.",
    ),
    Diagnosis(
        "vasc",
        "Vascular lesion",
        "Vascular lesion",
        False,
        "#7B5EA7",
        "A growth or knot of blood vessels, red to black.",
        "Cherry angioma, angiokeratoma, pyogenic granuloma and haemorrhage together.",
        "Harmless, though it may bleed.",
    ),
)

CODES = tuple(d.code for d in DIAGNOSES)
"""The eight codes in the order of every table, chart and model output."""

BY_CODE = {d.code: d for d in DIAGNOSES}

MALIGNANT_CODES = tuple(d.code for d in DIAGNOSES if d.malignant)


def is_malignant(code: str) -> bool:
    """Tell whether a diagnosis code counts as malignant; KeyError for a code that is not one of the eight."""
    return BY_CODE[code].malignant


def class_name(label: str) -> str:
    """Return the name in words of a diagnosis code or of "malignant"/"benign"; other labels stay as they are."""
    if label in BY_CODE:
        return BY_CODE[label].name
    return label.capitalize() if label in MALIGNANCY_CLASSES else label


def class_colour(label: str) -> str:
    """Return the colour (hex) of a diagnosis code or of "malignant"/"benign"; grey for any other label."""
    if label in BY_CODE:
        return BY_CODE[label].colour
    return MALIGNANCY_COLOURS.get(label, "#888888")
