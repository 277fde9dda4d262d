"""The story as a Markdown table, one row per claim."""

from collections.abc import Iterable

from skinapp.story.claims import CLAIMS, SYSTEMS
from skinapp.story.parts import NOT_YET, ClaimAnswer, Step

_HEAD = """# Two earlier systems, measured again

What {who} claimed
(A is the first, B the second), and what our stored runs show. `skinapp story -o docs/seed-experiments.md` writes this
page: none of our figures is typed in. Shares are in percent with their 95% interval, by bootstrap over lesions unless
the row says otherwise. Differences are in percentage points, with the same lesions drawn for both runs. The Story page
shows the same in seven steps; `experiments/README.md` says how each run is made.

| | claim | earlier value | ours | photos | what differs, and why |
|---|---|---|---|---|---|
"""


def format_markdown(steps: Iterable[Step]) -> str:
    """Return the table of all claims with their answers, in order; missing runs are listed below the table."""
    steps = list(steps)
    answers = {answer.claim: answer for step in steps for answer in step.answers}
    rows = [_format_row(answers.get(claim, ClaimAnswer(claim, NOT_YET, "", ""))) for claim in CLAIMS]
    missing = dict.fromkeys(sentence for step in steps for sentence in step.missing)
    end = "\n".join(["", *(f"- {sentence}" for sentence in missing), ""]) if missing else ""
    return _HEAD.format(who=" and ".join(SYSTEMS.values())) + "\n".join(rows) + "\n" + end


def _format_row(answer: ClaimAnswer) -> str:
    claim = CLAIMS[answer.claim]
    cells = (claim.id, claim.text, claim.reported, answer.result, answer.photos, answer.differences)
    return f"| {' | '.join(_escape(cell) for cell in cells)} |"


def _escape(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ") or "–"
