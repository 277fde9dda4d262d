"""Every error that a user of skinapp can cause or meet, and can do something about.

SkinAppError
├── PhotoError      a photo that cannot be read or is refused
├── DatasetError    a folder or table of photos that does not hold what it should
├── RecipeError     a training recipe with a wrong or missing key
├── ModelError      a model folder that is missing, incomplete or does not match its card
├── RunError        a stored run that is missing or does not hold together
└── ExampleError    a showcase photo that cannot be had at the moment

The message of each says what happened, to what, and what to do now.
"""


class SkinAppError(Exception):
    """A mistake or a lack that a sentence can explain; the message is written for the person who reads it."""


class PhotoError(SkinAppError):
    """A photo that cannot be read or is refused."""


class DatasetError(SkinAppError):
    """A folder or table of photos that does not hold what it should."""


class RecipeError(SkinAppError):
    """A training recipe with a wrong or missing key."""


class ModelError(SkinAppError):
    """A model folder that is missing, incomplete or does not match its card."""


class RunError(SkinAppError):
    """A stored run that is missing or does not hold together."""


class ExampleError(SkinAppError):
    """A showcase photo that cannot be had at the moment."""
