"""The eight diagnoses: the only place for their codes, names, order, colours, and which ones are malignant.

To add a label, add it to DIAGNOSES; every table, chart and page follows.
"""

from dataclasses import dataclass

MALIGNANT = "malignant"
BENIGN = "benign"

MELANOMA = "mel"
"""The code of the diagnosis that is also reported alone, beside all malignant ones."""

MALIGNANCY_CLASSES = (MALIGNANT, BENIGN)
"""The classes of a malignancy model, in the order of its outputs."""

MALIGNANCY_COLOURS = {MALIGNANT: "#D55E00", BENIGN: "#0072B2"}
"""Orange and blue of Okabe and Ito (2008), distinguishable with every common colour-vision deficiency."""


@dataclass(frozen=True)
class Diagnosis:
    """One of the eight lesion types, with its texts for the pages.

    `code` is the label in tables and models, `name` the name on pages, `short_name` one that fits beside a bar or in a
    legend on a phone, `colour` a hex string for charts. `what` describes the lesion, `covers` the photos that have this
    label here, `why` explains why it counts as malignant or benign.
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
        "situ). ISIC 2019 labels some of the same photos as squamous cell carcinoma. Where its labels were joined, "
        "akiec holds the others.",
        "A precursor of squamous cell carcinoma, not yet invasive. It counts as malignant here because it is "
        "treated and followed up. Others count it as benign, so compare figures with care.",
    ),
    Diagnosis(
        "bcc",
        "Basal cell carcinoma",
        "Basal cell carcinoma",
        True,
        "#CC4C1B",
        "The most common skin cancer. It grows slowly and destroys the tissue around it, but rarely spreads.",
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
        "from each other, and some look like melanoma.",
        "Harmless; treated only if it is bothersome.",
    ),
    Diagnosis(
        "df",
        "Dermatofibroma",
        "Dermatofibroma",
        False,
        "#009E73",
        "A small firm nodule in the deeper skin, often on the leg.",
        "Only dermatofibroma. It is the rarest label of HAM10000, so every figure for it is based on few lesions.",
        "Harmless.",
    ),
    Diagnosis(
        "mel",
        "Melanoma",
        "Melanoma",
        True,
        "#B2182B",
        "A cancer of the pigment cells. Found early, it can be removed and cured; found late, it has often spread.",
        "All melanomas, invasive or in situ; melanomas of the eye and of mucous membranes are not in this data.",
        "A cancer, and the one that triage must not miss.",
    ),
    Diagnosis(
        "nv",
        "Melanocytic nevus",
        "Nevus (mole)",
        False,
        "#0072B2",
        "A mole: a harmless growth of pigment cells.",
        "All kinds of nevi, including those that look unusual. Two thirds of HAM10000 are nevi.",
        "Harmless, though a melanoma can grow in one.",
    ),
    Diagnosis(
        "scc",
        "Squamous cell carcinoma",
        "Squamous cell carcinoma",
        True,
        "#8C510A",
        "The second most common skin cancer, on skin with much sun exposure. It can spread.",
        "Photos that ISIC 2019 labels SCC. HAM10000 labels its photos of them akiec. According to its paper that label "
        "covers actinic keratosis and Bowen's disease, which are early and in situ, not invasive carcinoma.",
        "A cancer.",
    ),
    Diagnosis(
        "vasc",
        "Vascular lesion",
        "Vascular lesion",
        False,
        "#7B5EA7",
        "A growth or cluster of blood vessels, red to black.",
        "Cherry angioma, angiokeratoma, pyogenic granuloma and haemorrhage together.",
        "Harmless, though it may bleed.",
    ),
)

CODES = tuple(d.code for d in DIAGNOSES)
"""The eight codes in the order of every table, chart and model output."""

BY_CODE = {d.code: d for d in DIAGNOSES}

MALIGNANT_CODES = tuple(d.code for d in DIAGNOSES if d.malignant)


def is_malignant(code: str) -> bool:
    """Tell whether a diagnosis code counts as malignant; KeyError if it is not one of the eight."""
    return BY_CODE[code].malignant


def get_class_name(label: str) -> str:
    """Return the name of a diagnosis code or of "malignant"/"benign"; any other label is returned unchanged."""
    if label in BY_CODE:
        return BY_CODE[label].name
    return label.capitalize() if label in MALIGNANCY_CLASSES else label


def get_class_colour(label: str) -> str:
    """Return the colour (hex) of a diagnosis code or of "malignant"/"benign"; grey for any other label."""
    if label in BY_CODE:
        return BY_CODE[label].colour
    return MALIGNANCY_COLOURS.get(label, "#888888")
