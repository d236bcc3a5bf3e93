"""SVG: the few shapes that pictures are drawn with; every text in them is escaped, every colour comes from the page."""

from collections.abc import Iterable

from markupsafe import Markup

_FIGURE = Markup(
    '<svg class="chart {name}" viewBox="0 0 {width} {height}" role="img" aria-labelledby="{name}-t {name}-d">'
    '<title id="{name}-t">{title}</title><desc id="{name}-d">{told}</desc>{parts}</svg>'
)
_BAR = Markup('<rect class="{look}" x="{x}" y="{y}" width="{width}" height="{height}" rx="{round}">{title}</rect>')
_TEXT = Markup('<text class="{look}" x="{x}" y="{y}">{words}</text>')
_LINE = Markup('<path class="{look}" d="{path}"/>')
# A picture within a picture cuts off what does not fit, however wide its letters are.
_WINDOW = Markup('<svg x="{x}" y="{y}" width="{width}" height="{height}">{part}</svg>')
_TITLE = Markup("<title>{}</title>")


def figure(name: str, title: str, told: str, size: tuple[int, int], parts: Iterable[Markup]) -> Markup:
    """A picture with a title and a description for those who hear it."""
    width, height = size
    joined = Markup("").join(parts)
    return _FIGURE.format(name=name, title=title, told=told, width=width, height=height, parts=joined)


def bar(look: str, at: tuple[float, float], size: tuple[float, float], title: str = "", *, corner: int = 1) -> Markup:
    """A rectangle, which says its title when it is pointed at."""
    named = _TITLE.format(title) if title else Markup("")
    (x, y), (width, height) = at, size
    return _BAR.format(look=look, x=_n(x), y=_n(y), width=_n(width), height=_n(height), round=corner, title=named)


def text(look: str, at: tuple[float, float], words: str) -> Markup:
    """Words on one line."""
    return _TEXT.format(look=look, x=_n(at[0]), y=_n(at[1]), words=words)


def line(look: str, path: str) -> Markup:
    """A line along a path of our own making."""
    return _LINE.format(look=look, path=path)


def window(at: tuple[float, float], size: tuple[float, float], part: Markup) -> Markup:
    """A part of which only so much is seen."""
    return _WINDOW.format(x=_n(at[0]), y=_n(at[1]), width=_n(size[0]), height=_n(size[1]), part=part)


def _n(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")
