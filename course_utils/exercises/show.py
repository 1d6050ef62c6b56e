"""How an exercise speaks: a word in bold, then a text, in the theme's own colours. Colour is a border only."""

from __future__ import annotations


class Card:
    """A framed piece of Markdown (formulas and code blocks included) that begins with `word` in bold.

    Args:
        word: what kind of card it is: "Right", "Hint 1 of 2", …
        text: Markdown; "" where the word says it all.
        tone: the colour of the border, one of the palette's.
    """

    def __init__(self, word: str, text: str = "", *, tone: str):
        self.word, self.text, self.tone = word, text, tone

    def __repr__(self) -> str:
        return f"{self.word}.{self._gap}{self.text}".rstrip()

    def _repr_markdown_(self) -> str:
        frame = f'<div style="border-left: 4px solid {self.tone}; padding: 8px 0 1px 12px; margin: 4px 0">'
        return f"{frame}\n\n**{self.word}.**{self._gap}{self.text}\n\n</div>"

    @property
    def _gap(self) -> str:
        return "\n\n" if self.text.startswith("```") else " "


class Shown:
    """Something that a cell shows as its `card`."""

    @property
    def card(self) -> Card:
        raise NotImplementedError

    def __repr__(self) -> str:
        return repr(self.card)

    def _repr_markdown_(self) -> str:
        return self.card._repr_markdown_()


def as_code(text: object, limit: int = 160) -> str:
    """`text` as inline code of one line and at most `limit` characters, whatever characters it holds; "" for none."""
    line = " ".join(str(text).split()).replace("`", "'")
    return f"`{line if len(line) <= limit else line[: limit - 1] + '…'}`" if line else ""
