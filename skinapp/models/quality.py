"""What a card says of the checks of a photo's quality: their limits, their false alarms and what they find."""

from pydantic import Field

from skinapp.models.strict import Measured, Strict


class QualityLimit(Strict):
    """The limit of one check. What it measures grows as the photo gets worse."""

    code: str = Field(description='of the finding, as "blurred"')
    share: float = Field(gt=0, lt=1, description="share of the training photos beyond warns_beyond")
    warns_beyond: float
    refuses_beyond: float | None = Field(description="no training photo is beyond it; None for a check that only warns")


class CopyFacts(Strict):
    """How often a check finds a flaw that was made by hand in copies of validation photos."""

    kind: str = Field(description='what was done to the copies, as "out of focus"')
    code: str = Field(description="of the finding that should result")
    found: Measured


class BoxFacts(Strict):
    """How well the lesion is located by its contrast, against the lesion masks of the validation photos."""

    overlap: Measured = Field(description="mean intersection over union of the box with that of the mask")
    centred: Measured = Field(description="share of photos where the centre of the box lies in the lesion")


class QualityFigures(Strict):
    """What the checks find in validation photos, where it is a false alarm, and in copies with a flaw."""

    false_alarms: dict[str, Measured] = Field(description="share of the photos with a finding, by its code")
    any_finding: Measured = Field(description="share of the photos with a finding of any kind")
    refused: Measured = Field(description="share of the photos that are refused")
    copies: tuple[CopyFacts, ...]
    box: BoxFacts | None = Field(description="None where the data root has no lesion masks")


class QualityFacts(Strict):
    """The limits of the checks of what a network sees, fitted on training photos, and their figures."""

    table: str
    input_px: int = Field(gt=0, description="side of the views that the limits were fitted on")
    photos: int = Field(gt=0, description="training photos that the limits were fitted on")
    colour: tuple[float, float] = Field(description="mean a* and b* of the training photos (CIELAB)")
    colour_spread: tuple[float, float, float] = Field(description="variance of a*, of b*, and their covariance")
    smallest_px: int = Field(ge=0, description="a photo with a shorter side is blurred by being enlarged")
    limits: tuple[QualityLimit, ...]
    figures: QualityFigures | None = None
