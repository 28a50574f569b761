"""Which elements a parser would have open after each tag: the HTML standard's rules of nesting, without a tree.

Faithful where depth is at stake (what an end tag ends, what a start tag ends by itself), coarse elsewhere.
"""

from __future__ import annotations

from typing import Final

_VOID: Final = frozenset(
    b"area base basefont bgsound br col embed frame hr img input keygen link meta param source track wbr".split()
)
_IGNORED: Final = frozenset(b"html head body tbody thead tfoot colgroup frameset".split())
_FORMATTING: Final = frozenset(b"a b big code em font i nobr s small strike strong tt u".split())
_HEADINGS: Final = frozenset(b"h1 h2 h3 h4 h5 h6".split())
_BLOCKS: Final = frozenset(
    b"address article aside blockquote button center details dialog dir div dl fieldset figcaption figure footer form"
    b" header hgroup listing main menu nav ol pre search section summary ul".split()
)
_MARKERS: Final = frozenset(b"applet caption marquee object td template th".split())
"""Formatting from outside of them is not opened anew in them."""
_INTEGRATION: Final = frozenset(b"annotation-xml desc foreignobject mi mn mo ms mtext title".split())
"""Within SVG and MathML: HTML begins again."""
_SCOPE: Final = _MARKERS | _INTEGRATION | {b"select", b"table"}
"""What an end tag cannot reach beyond."""
_ENDS_PARAGRAPH: Final = (
    (_BLOCKS - {b"button"}) | _HEADINGS | {b"p", b"table", b"xmp", b"plaintext", b"hr", b"li", b"dd", b"dt"}
)
_ITEMS: Final = {b"li": frozenset({b"li"}), b"dd": frozenset({b"dd", b"dt"}), b"dt": frozenset({b"dd", b"dt"})}
_SPECIAL: Final = _BLOCKS | _HEADINGS | _SCOPE | {b"p", b"li", b"dd", b"dt", b"tr", b"iframe", b"noscript", b"noembed"}
_SCOPED: Final = _BLOCKS | _MARKERS | {b"dd", b"dt", b"select"}
"""Their end tags reach beyond other blocks; those of all others end nothing where a block is open in them."""
_ITEM_STOPS: Final = _SPECIAL - {b"address", b"div", b"p"}
_BUTTON_STOPS: Final = _SCOPE | {b"button"}
_LIST_STOPS: Final = _SCOPE | {b"ol", b"ul"}
_CELLS: Final = frozenset({b"td", b"th", b"caption"})
_TABLE_STOPS: Final = frozenset({b"table", b"template"})
_TEMPLATE: Final = frozenset({b"template"})
_RUBY: Final = frozenset(b"rb rp rt rtc".split())
_OPTIONS: Final = frozenset({b"option", b"optgroup"})
_IMPLIED: Final = _RUBY | _OPTIONS | {b"dd", b"dt", b"li", b"p"}
_FOREIGN: Final = frozenset({b"svg", b"math"})
_ODD: Final = (
    _VOID
    | _IGNORED
    | _FORMATTING
    | _MARKERS
    | _ENDS_PARAGRAPH
    | _FOREIGN
    | _RUBY
    | _OPTIONS
    | {b"button", b"tr", b"form"}
)
"""Their start tags do more than to open an element."""
_STATEFUL: Final = _FORMATTING | _MARKERS
_LEAVES_FOREIGN: Final = _HEADINGS | frozenset(
    b"b big blockquote body br center code dd div dl dt em embed head hr i img li listing menu meta nobr ol p pre ruby"
    b" s small span strike strong sub sup table tt u ul var".split()
)


class Nesting:
    """The stack of open elements."""

    def __init__(self) -> None:
        self.stack: list[bytes] = []
        self.steps = 0
        """Open elements that were looked at so far."""
        self.formatting = 0
        """Formatting elements that are to be open here: opened since the last marker and never closed by name."""
        self.reopened = 0
        """Formatting elements that a parser opened anew so far, at most."""
        self._active: dict[bytes, int] = {}
        """The same by name."""
        self._open_formatting = 0
        self._saved: list[tuple[dict[bytes, int], int]] = []
        self._counts: dict[bytes, int] = {}
        self._foreign = 0
        """Open `svg` and `math` elements."""

    def is_foreign(self) -> bool:
        """Whether a tag here is SVG's or MathML's."""
        return bool(self._foreign) and self._nearest(_FOREIGN, _INTEGRATION) >= 0

    def open(self, name: bytes, *, empty: bool) -> None:
        """Read a start tag; *empty*: it ends in `/>`."""
        if not self._foreign and name not in _ODD:  # most of them
            self.stack.append(name)
            self._counts[name] = self._counts.get(name, 0) + 1
            return
        if self.is_foreign():
            if name not in _LEAVES_FOREIGN:
                if not empty:
                    self._push(name if name in _FOREIGN | _INTEGRATION else b":" + name)
                return
            while self.is_foreign():
                self._pop_to(self._nearest(_FOREIGN, _INTEGRATION))
        if name in _ENDS_PARAGRAPH:
            self._end_paragraph()
        if name in _VOID or name in _IGNORED:
            return
        if self._make_room(name):
            self._push(name)

    def _push(self, name: bytes) -> None:
        self.stack.append(name)
        self._counts[name] = self._counts.get(name, 0) + 1
        if name in _FORMATTING:
            self._active[name] = self._active.get(name, 0) + 1
            self.formatting += 1
            self._open_formatting += 1
        elif name in _MARKERS:
            self._saved.append((self._active, self._open_formatting))
            self._active = {}
            self.formatting = self._open_formatting = 0
        elif name in _FOREIGN:
            self._foreign += 1

    def close(self, name: bytes) -> None:
        """Read an end tag."""
        if not self._foreign and self.stack and self.stack[-1] == name and name not in _STATEFUL:  # most of them
            self.stack.pop()
            self._counts[name] -= 1
            self.steps += 1
            self._note_reopening(name)
            return
        if self._counts.get(b":" + name) and self.is_foreign():
            self._pop_to(self._nearest({b":" + name}, _FOREIGN | _INTEGRATION))
        elif name in _HEADINGS:
            self._pop_to(self._nearest(_HEADINGS, _SCOPE))
        elif name in _FORMATTING:
            self._end_formatting(name)
        elif not self._counts.get(name):
            pass
        elif name == b"form" and not self._counts.get(b"template"):
            self._take_out(self._nearest({name}, _SCOPE))
        else:
            self._pop_to(self._nearest({name}, _stops(name)))
        self._note_reopening(name)

    def _end_paragraph(self) -> None:
        if self._counts.get(b"p"):
            self._pop_to(self._nearest({b"p"}, _BUTTON_STOPS))
        self.reopened += self.formatting - self._open_formatting

    def _note_reopening(self, name: bytes) -> None:
        if name in _SPECIAL:
            self.reopened += self.formatting - self._open_formatting

    def _make_room(self, name: bytes) -> bool:
        """End what a start tag *name* ends; tell whether it opens anything."""
        top = self.stack[-1] if self.stack else b""
        if name in _ITEMS:
            self._pop_to(self._nearest(_ITEMS[name], _ITEM_STOPS))
        elif name in _CELLS or name == b"tr":
            table = self._nearest({b"table"}, _TEMPLATE)
            if table >= 0:
                row = -1 if name == b"tr" else self._nearest({b"tr"}, _TABLE_STOPS)
                self._pop_to(max(table, row) + 1)
            return table >= 0
        elif name == b"table":
            self._pop_to(self._nearest({b"table"}, _CELLS | {b"template"}))
        elif (name in _HEADINGS and top in _HEADINGS) or (name in _OPTIONS and top == b"option"):
            self._pop_to(len(self.stack) - 1)
        elif name in _RUBY and self._counts.get(b"ruby"):
            self._end_tops(_IMPLIED)
        elif name == b"optgroup" and self._counts.get(b"select"):
            self._end_tops(_OPTIONS)
        elif name in {b"a", b"nobr"}:
            self._end_formatting(name)
        elif name == b"button" and self._counts.get(name):
            self._pop_to(self._nearest({name}, _SCOPE))
        elif name == b"form":
            return not self._counts.get(name) or bool(self._counts.get(b"template"))
        return True

    def _end_tops(self, names: frozenset[bytes]) -> None:
        while self.stack and self.stack[-1] in names:
            self._pop_to(len(self.stack) - 1)

    def _end_formatting(self, name: bytes) -> None:
        """End the last *name*; blocks that were opened in it stay open."""
        if not self._active.get(name):
            return
        at = self._nearest({name}, _SCOPE) if self._counts.get(name) else -1
        if at < 0 and self._counts.get(name) and self._open_formatting == self.formatting:
            return  # it is open, but out of reach
        self._active[name] -= 1
        self.formatting -= 1
        if at < 0:
            return
        if any(above in _SPECIAL for above in self.stack[at + 1 :]):
            self.steps += 8 * (len(self.stack) - at)
            self._open_formatting -= 1
            self._take_out(at)
        else:
            self._pop_to(at)

    def _take_out(self, at: int) -> None:
        """Take only the element at *at* off the stack; nothing if *at* is negative."""
        if at >= 0:
            self._counts[self.stack[at]] -= 1
            self._foreign -= self.stack[at] in _FOREIGN
            del self.stack[at]

    def _nearest(self, names: frozenset[bytes] | set[bytes], stops: frozenset[bytes]) -> int:
        """Return the place of the last open element of *names* with none of *stops* above it, or -1."""
        stack = self.stack
        for at in range(len(stack) - 1, -1, -1):
            if stack[at] in names:
                self.steps += len(stack) - at
                return at
            if stack[at] in stops:
                self.steps += len(stack) - at
                return -1
        self.steps += len(stack)
        return -1

    def _pop_to(self, at: int) -> None:
        """Take the element at *at*, and all above it, off the stack; nothing if *at* is negative."""
        if at < 0:
            return
        for name in reversed(self.stack[at:]):
            self._counts[name] -= 1
            if name in _FORMATTING:
                self._open_formatting -= 1
            elif name in _MARKERS:
                self._active, self._open_formatting = self._saved.pop()
                self.formatting = sum(self._active.values())
            elif name in _FOREIGN:
                self._foreign -= 1
        del self.stack[at:]


def _stops(name: bytes) -> frozenset[bytes]:
    """Return what the end tag *name* cannot reach beyond."""
    if name in _CELLS or name == b"tr":
        return _TABLE_STOPS
    if name in {b"table", b"template"}:
        return _TEMPLATE
    if name == b"p":
        return _BUTTON_STOPS
    if name == b"li":
        return _LIST_STOPS
    return _SCOPE if name in _SCOPED else _SPECIAL
