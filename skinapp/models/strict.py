"""What the parts of a card are made of: models that take no unknown key, and measured values."""

from pydantic import BaseModel, ConfigDict, Field


class Strict(BaseModel):
    """A part of a card: frozen, without unknown keys, and without numbers that are none."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Measured(Strict):
    """A measured value with its 95% interval, and what it stands on; None where undefined."""

    value: float | None
    low: float | None = None
    high: float | None = None
    photos: int = Field(ge=0)
    lesions: int | None = Field(None, ge=0, description="None where the photos' lesions are not known")
