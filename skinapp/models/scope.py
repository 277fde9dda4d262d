"""What a card says of the scope gate: on which pictures it was fitted, and how many of each kind it refuses."""

from pydantic import Field

from skinapp.models.strict import Strict


class Refusals(Strict):
    """How many pictures of a kind the gate refuses; for kinds inside its scope each is a false alarm."""

    kind: str = Field(description='as "MSK" or "vehicle"')
    inside: bool = Field(description="whether it is dermoscopy of lesions")
    photos: int = Field(gt=0)
    refused: int = Field(ge=0)
    low: float = Field(ge=0, le=1, description="of the 95% interval of the share that is refused (Wilson 1927)")
    high: float = Field(ge=0, le=1)
    fitted: bool = Field(
        False, description="the gate that ships was also fitted on this kind; the figure is of one fitted without it"
    )

    @property
    def value(self) -> float:
        """The share of the pictures that is refused, 0 to 1."""
        return self.refused / self.photos


class ScopeFacts(Strict):
    """The gate of a model: the file it lies in, the network it belongs to, and its refusals by kind."""

    sha256: str = Field(description="of scope.safetensors")
    network_sha256: str = Field(description="of the weights of the evidence network; for no other does the gate hold")
    false_alarms: float = Field(gt=0, lt=1, description="share of each kind inside, at most, that the limit allows")
    fitted_inside: dict[str, int] = Field(description="photos fitted on, by source")
    fitted_outside: dict[str, int] = Field(description="pictures fitted on, by kind")
    refusals: tuple[Refusals, ...]
