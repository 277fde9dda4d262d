"""Skinapp: triage of skin lesions from dermoscopy photos, with figures that say how far to trust them."""

from importlib.metadata import version

__version__ = version("skinapp")
