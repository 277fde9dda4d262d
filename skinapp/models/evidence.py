"""What was measured of the evidence beside an answer: where activation maps lie, how alike the nearest cases are."""

from pydantic import Field

from skinapp.models.strict import Measured, Strict


class ActivationShare(Strict):
    """How much of the positive evidence for a class lies inside the outlines of lesions, on the photos of a split."""

    label: str | None = Field(
        description="the class, on the photos of that class; None: on every photo, the type that is likeliest there"
    )
    inside: Measured = Field(description="mean share of the evidence inside the outline, 0 to 1")
    area: float = Field(ge=0, le=1, description="mean share of the picture inside the outline: an even map's share")


class ActivationFacts(Strict):
    """Where the activation maps of a network lie, compared with outlines of the lesions."""

    network: str = Field(description="the evidence network")
    weights_sha256: str = Field(description="of the evidence network")
    table: str
    split: str
    shares: tuple[ActivationShare, ...]


class NearestRight(Strict):
    """How often the nearest reference case has the label of a photo; shares are 0 to 1."""

    cases: int = Field(ge=1, description="reference photos that are compared with")
    type_right: Measured = Field(description="its type is that of the photo")
    type_by_chance: float = Field(ge=0, le=1, description="the same for a reference case drawn at random")
    of_malignant: Measured = Field(description="it is malignant, of photos of malignant lesions")
    of_benign: Measured = Field(description="it is benign, of photos of benign lesions")


class SimilarFacts(Strict):
    """How alike the nearest cases of a reference bank are to the photos of a split."""

    reference_sha256: str = Field(description="of the reference bank")
    table: str
    split: str
    nearest: NearestRight
