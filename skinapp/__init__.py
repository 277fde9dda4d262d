"""Skinapp: triage of skin lesions from dermoscopy photos, with figures that say how far to trust them."""

__version__ = "0.1.0"
