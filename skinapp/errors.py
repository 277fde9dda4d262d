"""Every error that a user of skinapp can meet and act on.

SkinAppError
├── PhotoError      a photo that cannot be read or is refused
├── DatasetError    a folder or table of photos with wrong or missing content
├── RecipeError     a training recipe with a wrong or missing key
├── ModelError      a model folder that is missing, incomplete or does not match its card
├── RunError        a stored run that is missing or inconsistent
└── ExampleError    a showcase photo that is not available at the moment

Each message says what happened, to what, and what to do now.
"""


class SkinAppError(Exception):
    """The base of all errors with a message for the user."""


class PhotoError(SkinAppError):
    """A photo that cannot be read or is refused."""


class DatasetError(SkinAppError):
    """A folder or table of photos with wrong or missing content."""


class RecipeError(SkinAppError):
    """A training recipe with a wrong or missing key."""


class ModelError(SkinAppError):
    """A model folder that is missing, incomplete or does not match its card."""


class RunError(SkinAppError):
    """A stored run that is missing or inconsistent."""


class ExampleError(SkinAppError):
    """A showcase photo that is not available at the moment."""
