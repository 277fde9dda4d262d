"""How skewed data fools a score: earlier claims, measured again."""

from skinapp.ui import frame, story

with frame.page("How skewed data fools a score", story.describe_claims()):
    story.show()
