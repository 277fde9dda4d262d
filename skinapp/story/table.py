"""The story as a table in Markdown: a row a claim."""

from collections.abc import Iterable

from skinapp.story.claims import CLAIMS, WHO
from skinapp.story.parts import NOT_YET, ScoredPhoto, Step

_HEAD = """# Two earlier systems, measured again

What {who} claimed
(A is the first, B the second), and what our stored runs say. Written by
`skinapp story -o docs/seed-experiments.md`: no figure of ours is typed in. Shares are in percent with their
95% interval, by bootstrap over lesions where nothing else is said; differences are in points of a hundred, the same
lesions drawn for both. The Story page tells the same in seven steps; `experiments/README.md` says how each run is made.

| | claim | earlier value | ours | photos | what differs, and why |
|---|---|---|---|---|---|
"""


def as_markdown(steps: Iterable[Step]) -> str:
    """Write every claim with its answer, in the claims' order; runs that are missing are named below the table."""
    told = list(steps)
    answers = {answer.claim: answer for step in told for answer in step.answers}
    lines = [_line(answers.get(claim, ScoredPhoto(claim, NOT_YET, "", ""))) for claim in CLAIMS]
    missing = dict.fromkeys(sentence for step in told for sentence in step.missing)
    end = "\n".join(["", *(f"- {sentence}" for sentence in missing), ""]) if missing else ""
    return _HEAD.format(who=" and ".join(WHO.values())) + "\n".join(lines) + "\n" + end


def _line(answer: ScoredPhoto) -> str:
    claim = CLAIMS[answer.claim]
    cells = (claim.id, claim.says, claim.stated, answer.ours, answer.photos, answer.differs)
    return f"| {' | '.join(_cell(cell) for cell in cells)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ") or "–"
