"""How sure a model's answers are: conformal sets of lesion types, and how far photos of one lesion differ."""

from pydantic import Field

from skinapp.models.strict import Measured, Strict


class ClassSet(Strict):
    """When a lesion type is in the set of types that an answer is among, and how often it rightly is."""

    label: str
    threshold: float = Field(ge=0, le=1, description="a type with at least this score is in the set; 0: it always is")
    photos: int = Field(ge=0, description="validation photos of the type that the threshold stands on")
    coverage: Measured | None = Field(None, description="share of its test photos whose set holds it")


class ConformalFacts(Strict):
    """Sets of lesion types that hold the true one with a chosen frequency, calibrated class by class."""

    level: float = Field(gt=0, lt=1, description="how often the set should hold the true type, of each type")
    fitted_on: str = Field(description="name of the validation run")
    measured_on: str = Field(description="name of the test run")
    classes: tuple[ClassSet, ...]
    coverage: Measured = Field(description="share of all test photos whose set holds the true type")
    size: Measured = Field(description="mean number of types in the sets of the test photos")


class RepeatFacts(Strict):
    """How far the answers to several photos of one lesion differ; its lesions are those with several photos."""

    quantile: float = Field(gt=0, lt=1, description="share of the validation lesions within the limit")
    limit: float = Field(ge=0, le=1, description="range of malignancy scores of one lesion beyond which it is wide")
    lesions: int = Field(ge=0, description="validation lesions that the limit stands on")
    fitted_on: str = Field(description="name of the validation run of malignancy")
    measured_on: str = Field(description="name of the test run of malignancy")
    wide: Measured = Field(description="share of test lesions beyond the limit")
    changes_type: Measured | None = Field(description="share of test lesions with photos of different likeliest type")
    changes_side: Measured | None = Field(
        description="share of test lesions with photos on both sides of the 95% threshold"
    )
