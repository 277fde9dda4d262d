"""The claims of two earlier systems. Their figures are quotations: the only ones of the story that are typed in."""

from dataclasses import dataclass

SYSTEMS = {
    "A": "an article about a website with two networks",
    "B": "the training page of a network in the browser",
}
"""The two systems, by the first letter of the ids of their claims."""


@dataclass(frozen=True)
class Claim:
    """A claim of an earlier system: its id, the claim in a sentence, and the figures or settings it reported."""

    id: str
    text: str
    reported: str


_ALL = (
    Claim(
        "A1",
        "HAM10000 has one photo size and very unequal classes.",
        "600 x 450 px; 6,705 nevi, 67%, against 115 dermatofibromas; seven classes, 10,015 photos",
    ),
    Claim(
        "A2",
        "Training on it unchanged gives a good loss.",
        "loss 0.117823, read as 89% accuracy (“but it is wrong”); a random 20% of photos for validation",
    ),
    Claim(
        "A3",
        "The average hides the classes.",
        "F1 of nevi 95%, dermatofibroma 65%, actinic keratosis 67%, melanoma 68%",
    ),
    Claim(
        "A4",
        "The network fails on unseen photos.",
        "17 of 28 called nevi with 95 to 99% certainty; the 4 nevi right; four photos of each of seven types",
    ),
    Claim(
        "A5",
        "The validation photos should be drawn from each class, not from the whole.",
        "20% of each class; not done there",
    ),
    Claim(
        "A6",
        "Merging “malignant” and “benign” with eight types is disastrous.",
        "loss 0.34532, F1 63.2%; basal cell carcinoma 34.8% of the photos and more than 50 times squamous cell "
        "carcinoma, the top three 73.2%; sizes from 275 to over 4,000 px; ten labels from four sets",
    ),
    Claim(
        "A7",
        "On a balanced set the network can tell malignant from benign.",
        "loss 0.075893; F1 of malignant 91%, of benign 93% (headline: 92%); 3,297 photos, their own split",
    ),
    Claim(
        "A8",
        "With eight types and at most 2,000 photos per class, good data were deleted.",
        "largest to median class 3 to 1; mean F1 0.52; squamous cell carcinoma worst; three sets merged",
    ),
    Claim(
        "A9",
        "The top three still always include the truth.",
        "all unseen photos, four of each of eight types (32); no false positive",
    ),
    Claim(
        "A10",
        "A model with lower loss and higher F1 is not always more useful.",
        "a lesson without a figure; choosing validation photos is hard",
    ),
    Claim("B1", "The photos are resized to 75 x 100 px, in colour and in grey.", "seven classes, 0 to 6; one-hot"),
    Claim(
        "B2",
        "The photos are split 60/40, stratified by class.",
        "random state 101; its text says stratified, its code does not stratify",
    ),
    Claim(
        "B3",
        "Augmentation doubles the training photos.",
        "each photo once more, flipped or zoomed to “33% of the centre”; its code reaches beyond the photo",
    ),
    Claim(
        "B4",
        "A small network is trained for 20 epochs.",
        "Glorot uniform; dropout 0.25, 0.25, 0.5; RMSprop 1e-4, decay 1e-6; batch 10; validation split 0.4",
    ),
    Claim("B5", "It is measured by accuracy, ROC AUC and a 7 x 7 confusion matrix.", "no figure is given"),
    Claim(
        "B6",
        "A MobileNet with a new head performs best.",
        "ImageNet features, 256 units, dropout, batch normalisation; no figure; not deployed",
    ),
    Claim(
        "B7",
        "The network runs in the browser: the photo never leaves the page.",
        "weights in 25 files of 4 MB, about 100 MB",
    ),
)

CLAIMS = {claim.id: claim for claim in _ALL}
"""All claims by id, A1 to B7 in order."""
