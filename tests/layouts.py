"""Made-up sites as mere URLs, of many layouts: what an article's looks like, and what stands beside articles."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

ENGLISH = [
    "council",
    "budget",
    "vote",
    "harbour",
    "storm",
    "market",
    "river",
    "school",
    "train",
    "strike",
    "minister",
    "court",
    "trial",
    "island",
    "bridge",
    "flood",
    "rain",
    "team",
    "final",
    "coach",
    "goal",
    "museum",
    "painter",
    "novel",
    "film",
    "award",
    "doctor",
    "clinic",
    "vaccine",
    "farm",
    "wheat",
    "price",
    "bank",
    "rate",
    "fund",
    "tax",
    "police",
    "fire",
    "rescue",
    "border",
    "treaty",
    "summit",
    "election",
    "mayor",
    "senate",
    "law",
    "reform",
    "energy",
    "wind",
    "solar",
    "grid",
    "gas",
    "oil",
    "pipeline",
]
ARABIC = [
    "مجلس",
    "الموازنة",
    "تصويت",
    "الميناء",
    "عاصفة",
    "السوق",
    "النهر",
    "مدرسة",
    "القطار",
    "إضراب",
    "الوزير",
    "محكمة",
    "جزيرة",
    "الجسر",
    "أمطار",
    "فريق",
    "مدرب",
]
RUSSIAN = [
    "совет",
    "бюджет",
    "порт",
    "шторм",
    "рынок",
    "река",
    "школа",
    "поезд",
    "забастовка",
    "министр",
    "суд",
    "остров",
    "мост",
    "дождь",
    "команда",
    "тренер",
]
CHINESE = "市议会预算投票港口风暴市场河流学校列车罢工部长法院审判岛屿桥梁洪水球队决赛教练博物馆画家小说电影"
SECTIONS = ("world", "politics", "business", "sport", "culture", "science", "opinion", "local")
START = date(2026, 11, 20)


class Writer:
    """Draws what URLs are made of."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.number = self.random.randrange(100_000, 900_000)

    def title(self, words: list[str] = ENGLISH, least: int = 3, most: int = 9, mark: str = "-") -> str:
        return mark.join(self.random.choices(words, k=self.random.randint(least, most)))

    def day(self) -> date:
        return START - timedelta(days=self.random.randrange(60))

    def next_id(self) -> int:
        self.number += self.random.randint(1, 40)
        return self.number

    def section(self) -> str:
        return self.random.choice(self.sections)

    sections: tuple[str, ...] = SECTIONS[:5]

    def hexadecimal(self, length: int) -> str:
        return "".join(self.random.choices("0123456789abcdef", k=length))


@dataclass(frozen=True)
class Layout:
    """A site."""

    name: str
    home: str
    article: Callable[[Writer], str]
    others: Callable[[Writer], list[str]]
    """What is no article, as a survey would see it and as it would be seen later."""


def _around(home: str, *more: str) -> Callable[[Writer], list[str]]:
    """Return what nearly every site has, with *more* forms: `{section}`, `{topic}`, `{name}`, `{n}` are put in."""

    def draw(writer: Writer) -> list[str]:
        urls = [home, f"{home}about", f"{home}contact/", f"{home}privacy-policy", f"{home}search?q=rain"]
        urls += [home.rstrip("/") + _fill(form, writer) for form in more for _ in range(4)]
        return urls

    return draw


def _fill(form: str, writer: Writer) -> str:
    return form.format(
        section=writer.section(),
        topic=writer.title(least=1, most=3),
        name=writer.title(["ada", "omar", "lin", "eva", "ivan", "mercer", "haddad"], least=2, most=2),
        n=writer.random.randint(2, 60),
        id=writer.random.randint(10_000, 90_000),
    )


def _layout(name: str, home: str, article: Callable[[Writer], str], *others: str) -> Layout:
    return Layout(name, home, lambda writer: home.rstrip("/") + article(writer), _around(home, *others))


WORDPRESS = ("/category/{section}/", "/tag/{topic}/", "/author/{name}/", "/page/{n}/", "/category/{section}/page/{n}/")
LAYOUTS: tuple[Layout, ...] = (
    _layout(
        "dated",
        "https://gazette.example/",
        lambda w: f"/{w.day():%Y/%m/%d}/{w.title()}/",
        *WORDPRESS,
        "/2026/11/",
        "/2026/11/05/",
        "/2026/11/page/{n}/",
        "/wp-content/uploads/2026/11/picture-of-{topic}.jpg",
    ),
    _layout(
        "dated section",
        "https://www.gazette.example/",
        lambda w: f"/{w.section()}/{w.day():%Y/%m/%d}/{w.title()}",
        "/{section}",
        "/topic/{topic}",
        "/profile/{name}",
    ),
    _layout(
        "month names",
        "https://www.gazette.example/",
        lambda w: f"/{w.section()}/{w.day():%Y}/{w.day():%b}/{w.day():%d}/{w.title()}".lower(),
        "/{section}",
        "/{section}/{topic}",
        "/{section}/2026/nov/20/all",
        "/profile/{name}",
        "/{section}/2026/nov/20",
    ),
    _layout("root titles", "https://gazette.example/", lambda w: f"/{w.title(least=4)}/", *WORDPRESS, "/{section}/"),
    _layout(
        "section titles",
        "https://gazette.example/",
        lambda w: f"/{w.section()}/{w.title(least=4)}",
        "/{section}",
        "/tag/{topic}",
        "/author/{name}",
        "/{section}?page={n}",
        "/{section}/page/{n}",
    ),
    _layout(
        "section titles with ids",
        "https://gazette.example/",
        lambda w: f"/{w.section()}/{w.title(least=2)}-{w.next_id()}",
        "/{section}",
        "/tag/{topic}",
        "/author/{name}",
        "/{section}/{topic}",
        "/{section}/page/{n}",
    ),
    _layout(
        "ids before titles",
        "https://gazette.example/",
        lambda w: f"/{w.section()}/{w.next_id()}-{w.title()}.html",
        "/{section}/",
        "/themen/{topic}.html",
        "/autor/{name}.html",
        "/{section}/seite-{n}.html",
    ),
    _layout(
        "comma ids",
        "https://gazette.example/",
        lambda w: f"/{w.section()}/{w.title()},{w.next_id()}.html",
        "/{section}/",
        "/thema/{topic}.html",
        "/{section}/index,{n}.html",
    ),
    _layout(
        "bare ids",
        "https://gazette.example/",
        lambda w: f"/news/{w.next_id()}",
        "/section/{section}",
        "/tag/{topic}",
        "/section/{section}/{n}",
        "/author/{n}",
    ),
    _layout(
        "letter ids",
        "https://gazette.example/",
        lambda w: f"/a{w.next_id()}",
        "/{section}",
        "/t/{topic}",
        "/{section}/{n}",
    ),
    _layout(
        "codes",
        "https://gazette.example/",
        lambda w: f"/news/articles/c{w.hexadecimal(11)}",
        "/news/{section}",
        "/news/topics/c{id}{id}",
        "/news/live",
    ),
    _layout(
        "uuid",
        "https://gazette.example/",
        lambda w: (
            f"/content/{w.hexadecimal(8)}-{w.hexadecimal(4)}-4{w.hexadecimal(3)}-a{w.hexadecimal(3)}-{w.hexadecimal(12)}"
        ),
        "/{section}",
        "/stream/{id}",
        "/{topic}",
    ),
    _layout(
        "story and title",
        "https://gazette.example/",
        lambda w: f"/story/{w.next_id()}/{w.title()}",
        "/topic/{id}/{topic}",
        "/section/{section}",
        "/author/{id}/{name}",
    ),
    _layout(
        "medium",
        "https://gazette.example/",
        lambda w: f"/{w.title()}-{w.hexadecimal(12)}",
        "/tagged/{topic}",
        "/@{name}",
        "/{topic}",
    ),
    _layout(
        "query",
        "https://gazette.example/",
        lambda w: f"/article.php?id={w.next_id()}",
        "/list.php?cat={section}",
        "/list.php?cat={section}&page={n}",
        "/author.php?id={n}",
        "/article.php?id={id}&print=1",
    ),
    _layout(
        "wordpress plain",
        "https://gazette.example/",
        lambda w: f"/?p={w.next_id()}",
        "/?cat={n}",
        "/?tag={topic}",
        "/?page_id={n}",
        "/?author={n}",
        "/?paged={n}",
        "/?m=202611",
    ),
    _layout(
        "korean",
        "https://www.gazette.example/",
        lambda w: f"/news/articleView.html?idxno={w.next_id()}",
        "/news/articleList.html?sc_section_code=S1N{n}",
        "/news/articleList.html?page={n}&sc_area=A",
        "/com/com-{n}.html",
    ),
    _layout(
        "mode",
        "https://gazette.example/",
        lambda w: f"/index.php?mod=article&cat={w.section()}&id={w.next_id()}",
        "/index.php?mod=list&cat={section}",
        "/index.php?mod=topic&cat={section}&id={n}",
    ),
    _layout(
        "arabic",
        "https://gazette.example/",
        lambda w: f"/{w.random.choice(['أخبار', 'مقالات', 'رياضة'])}/{w.title(ARABIC)}",
        "/وسم/{topic}",
        "/كاتب/{name}",
        "/أخبار",
        "/مقالات",
        "/أخبار?page={n}",
    ),
    _layout(
        "russian",
        "https://gazette.example/",
        lambda w: f"/новости/{w.title(RUSSIAN)}/",
        "/тема/{topic}/",
        "/рубрика/{section}/",
    ),
    _layout(
        "chinese",
        "https://gazette.example/",
        lambda w: f"/{w.random.choice(['新闻', '体育'])}/{''.join(w.random.choices(CHINESE, k=14))}",
        "/标签/{topic}",
        "/新闻",
        "/作者/{name}",
    ),
    _layout(
        "languages",
        "https://gazette.example/",
        lambda w: f"/{w.random.choice(['en', 'fr', 'ar'])}/{w.section()}/{w.title()}-{w.next_id()}",
        "/en/{section}",
        "/fr/tag/{topic}",
        "/ar/author/{name}",
        "/en/{section}/page/{n}",
    ),
    _layout(
        "deep sections",
        "https://gazette.example/",
        lambda w: f"/{w.section()}/{w.random.choice(['', 'asia/', 'europe/', 'women/'])}{w.title(least=4)}",
        "/{section}",
        "/{section}/asia",
        "/{section}/europe",
        "/tag/{topic}",
        "/author/{name}",
        "/{section}/page/{n}",
    ),
    _layout(
        "compact date",
        "https://gazette.example/",
        lambda w: f"/news/{w.day():%Y%m%d}/{w.title()}",
        "/news/{section}",
        "/tag/{topic}",
        "/news/20261105",
    ),
    _layout(
        "date in title",
        "https://gazette.example/",
        lambda w: f"/news/{w.day():%Y-%m-%d}-{w.title()}",
        "/news/{section}",
        "/topics/{topic}",
    ),
    _layout(
        "tags like articles",
        "https://gazette.example/",
        lambda w: f"/{w.title(least=4)}",
        "/topic-{topic}-news-and-more",
        "/{section}",
        "/all-about-{topic}-and-more-of-it",
    ),
    _layout(
        "underscores",
        "https://gazette.example/",
        lambda w: f"/{w.section()}/{w.title(mark='_')}_{w.next_id()}.shtml",
        "/{section}/index.shtml",
        "/tags/{topic}.shtml",
    ),
    _layout(
        "no suffix index",
        "https://gazette.example/",
        lambda w: f"/{w.day():%Y/%m}/{w.title()}/index.html",
        "/{section}/index.html",
        "/tag/{topic}/index.html",
        "/2026/11/index.html",
    ),
)
SUBDOMAINS = Layout(
    "subdomains",
    "https://www.gazette.example/",
    lambda w: f"https://{w.section()}.gazette.example/{w.title()}-{w.next_id()}",
    lambda w: [
        "https://www.gazette.example/",
        *(f"https://{section}.gazette.example/" for section in SECTIONS),
        *(f"https://{section}.gazette.example/tag/{w.title(least=1, most=2)}" for section in SECTIONS),
        "https://shop.gazette.example/mugs",
        "https://www.gazette.example/about",
    ],
)
LAYOUTS = (*LAYOUTS, SUBDOMAINS)
