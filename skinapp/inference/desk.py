"""What lies on a visitor's desk on Classify: photos that wait for their frame, and answers. Pure, one noun a step."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from skinapp.datasets.showcase import Example, ExamplePhoto
from skinapp.inference.answer import Answer, add_answer
from skinapp.inference.your_call import Call
from skinapp.photo import Square


class PhotoFile(Protocol):
    """An uploaded file in the server's memory."""

    name: str
    size: int

    def getvalue(self) -> bytes:
        """Return its bytes; none once it was let go."""


@dataclass(frozen=True, eq=False)
class ChosenPhoto:
    """A photo that was chosen: an uploaded file, or an example that was fetched. `id` names the choice."""

    id: str
    source: str
    file: PhotoFile | None = None
    example: Example | None = None
    fetched: ExamplePhoto | None = None

    @property
    def name(self) -> str:
        """The name of an uploaded file, or the id of an example."""
        return self.example.image_id if self.example else self.file.name if self.file else ""

    @property
    def attribution(self) -> str:
        """Whose photo an example is; "" for an upload."""
        return self.fetched.attribution if self.fetched else ""

    @property
    def size_bytes(self) -> int:
        """The size of an uploaded file; 0 for an example."""
        return self.file.size if self.file else 0

    def read(self) -> bytes:
        """Return the photo's bytes."""
        if self.fetched:
            return self.fetched.data
        return self.file.getvalue() if self.file else b""


@dataclass(frozen=True, eq=False)
class Draft:
    """A photo that waits for its frame: `square` is the part that will be assessed, `proposed` what it began with.

    `width` and `height` are the photo's, in pixels. `preview` and `thumbnail` are data URLs of reduced JPEGs.
    """

    chosen: ChosenPhoto
    width: int
    height: int
    proposed: Square
    square: Square
    preview: str
    thumbnail: str

    @property
    def id(self) -> str:
        """The id of the choice."""
        return self.chosen.id


@dataclass(frozen=True)
class Again:
    """A photo that the visitor's browser should hand over once more, and the frame that it had; `number` is unique."""

    number: int
    name: str
    size_bytes: int
    square: Square


@dataclass(frozen=True)
class Choices:
    """What a visitor chose for every answer; it stays when answers are forgotten.

    `prevalence` is in malignant lesions per 100, None for the model's own. `sensitivity` is that of the operating
    point, 0 to 1, None for the one that is shown first. With `call_first` the visitor says first what they would do.
    """

    prevalence: float | None = None
    sensitivity: float | None = None
    call_first: bool = False


@dataclass(frozen=True, eq=False)
class Desk:
    """The drafts, the answers from the oldest to the newest, and which of each is open.

    `refusals` are sentences on photos that could not be used. `count` numbers answers. `emptied` counts how often the
    choosers were emptied; it is part of their keys. `lesions` are the ids of answers to photos of one lesion, and
    `joining` is the answer whose lesion the next photos show, or None. `calls` are the visitor's own, by the ids of
    answers; None where an answer was opened without one.
    """

    drafts: tuple[Draft, ...] = ()
    framing: str | None = None
    answers: tuple[Answer, ...] = ()
    opened: int | None = None
    refusals: tuple[str, ...] = ()
    again: Again | None = None
    count: int = 0
    emptied: int = 0
    lesions: tuple[frozenset[int], ...] = ()
    joining: int | None = None
    calls: Mapping[int, Call | None] = field(default_factory=dict)

    @property
    def answer(self) -> Answer | None:
        """The answer that is open, or None."""
        return next((answer for answer in self.answers if answer.id == self.opened), None)

    @property
    def draft(self) -> Draft | None:
        """The draft whose frame is open, or None."""
        return next((draft for draft in self.drafts if draft.id == self.framing), None)

    def put_drafts(self, drafts: tuple[Draft, ...], refusals: tuple[str, ...]) -> "Desk":
        """Put new drafts in place of those before and empty the choosers; one alone is opened."""
        return replace(
            self,
            drafts=drafts,
            framing=drafts[0].id if len(drafts) == 1 else None,
            opened=None,
            refusals=refusals,
            again=None,
            emptied=self.emptied + 1,
        )

    def move_frame(self, draft_id: str, square: Square) -> "Desk":
        """Give a draft another frame."""
        moved = (replace(draft, square=square) if draft.id == draft_id else draft for draft in self.drafts)
        return replace(self, drafts=tuple(moved))

    def put_answer(self, draft_id: str, answer: Answer | None, refusal: str = "") -> "Desk":
        """Put the answer to a draft, or why it has none, in its place; the answer is not opened."""
        joined = self if answer is None or self.joining is None else self.extend(self.joining, self.count + 1)
        return replace(
            joined,
            drafts=tuple(draft for draft in self.drafts if draft.id != draft_id),
            framing=None if self.framing == draft_id else self.framing,
            answers=self.answers if answer is None else add_answer(self.answers, replace(answer, id=self.count + 1)),
            count=self.count if answer is None else self.count + 1,
            refusals=(*self.refusals, refusal) if refusal else self.refusals,
        )

    def clear(self) -> "Desk":
        """Close what is open and forget the drafts; the answers stay."""
        emptied = self.emptied + 1
        return replace(
            self, drafts=(), framing=None, opened=None, refusals=(), again=None, joining=None, emptied=emptied
        )

    def join(self, *answer_ids: int) -> "Desk":
        """Keep answers as those to photos of one lesion, in place of what was said of them before."""
        lesion = frozenset(answer_ids)
        known = [before - lesion for before in self.lesions]
        kept = tuple(before for before in (*known, lesion) if len(before) > 1)
        return replace(self, lesions=kept)

    def extend(self, answer_id: int, new_id: int) -> "Desk":
        """Add an answer to those of the lesion of another one."""
        return self.join(*(answer.id for answer in self.find_lesion(answer_id)), answer_id, new_id)

    def find_lesion(self, answer_id: int) -> tuple[Answer, ...]:
        """Return the answers to photos of the lesion of an answer, the oldest first; at least the answer itself."""
        lesion = next((ids for ids in self.lesions if answer_id in ids), frozenset({answer_id}))
        return tuple(answer for answer in self.answers if answer.id in lesion)

    def ask_again(self, answer: Answer) -> "Desk":
        """Clear the desk and ask the browser for the photo of an answer once more, to change its frame."""
        cleared = self.clear()
        if answer.frame is None:
            return cleared
        return replace(cleared, again=Again(cleared.emptied, answer.name, answer.size_bytes, answer.frame))
