"""What class names and ids say of an element: word lists, one bit each, looked up all at once.

Data, and a look-up that is remembered: the same few hundred names come again on every page of a site.
"""

from __future__ import annotations

import re
from typing import Final

RELATED: Final = 1 << 0
COMMENT: Final = 1 << 1
CONSENT: Final = 1 << 2
FURNITURE: Final = 1 << 3
FAINT: Final = 1 << 4
"""Words that also stand on the boxes of an article's own text: believed only of small boxes."""
BODY: Final = 1 << 5
LEAD: Final = 1 << 6
TITLE: Final = 1 << 7
PAYWALL: Final = 1 << 8
LIVE: Final = 1 << 9
GALLERY: Final = 1 << 10
BYLINE: Final = 1 << 11
DATE: Final = 1 << 12
MODIFIED: Final = 1 << 13
CONSENT_FORM: Final = 1 << 14
CAPTCHA: Final = 1 << 15
READING_TIME: Final = 1 << 16
CAPTION: Final = 1 << 17
MORE_POSTS: Final = 1 << 18
CORRECTION: Final = 1 << 19
TAGS: Final = 1 << 20
FACTS: Final = 1 << 21

_WORDS: Final = {
    RELATED: (
        "related relateds recirc recirculation recommended recommendations recommendation recommend read-also"
        " read-next read-more read-on read-too also-read see-also more-stories more-news more-from more-on"
        " more-articles more-links more-like more-coverage most-read most-popular most-viewed most-shared"
        " most-recent mostread popular trending top-stories latest-news up-next next-article next-story"
        " next-post next-up story-next you-may you-might dont-miss onward teasers teaser rel-item rel-box"
        " rel-links outbrain taboola revcontent plista zergnet ob-widget linklist link-list link-box linkbox"
        " story-list article-list articles-list news-list crosslinks crosslink jp-relatedposts article-links"
        " footer-links morestories readmore read-more-box promoted internal-links internal-link ticker"
        " breaking-ticker breaking-news listicle-nav explore-more keep-reading further-reading mehr-zum-thema"
        " weiterlesen leggi-anche lees-ook lire-aussi lea-tambien leia-mais"
    ),
    COMMENT: "comments comment-list commentlist disqus disqus-thread livefyre coral respond comment-section",
    CONSENT: (
        "cookies cookie cookie-banner cookie-notice consent gdpr cmp cmp-root cmp-wall onetrust ot-sdk-row"
        " didomi usercentrics qc-cmp2 privacy-policy ccpa pc-policy-text"
    ),
    FURNITURE: (
        "adverts advert advertisements advertisement adslot ad-slot adsense adbox adunit dfp gpt sponsor"
        " sponsored sponsoredcontent promo promos promotion promobox promo-box newsletters newsletter"
        " newsletter-signup signup sign-up subscribe subscription optin mailchimp sharebar sharetools"
        " sharethis share-bar social-bar addthis addtoany follow-us followus breadcrumbs breadcrumb nav navbar"
        " navigation menu submenu topbar masthead pagination pager site-header site-footer site-nav sidebar"
        " side-bar widgets widget offcanvas drawer modal popup pop-up overlay lightbox toast tooltip tags"
        " taglist tag-list tags-list tag-links topic-list article-tags author-box author-bio author-info"
        " author-card author-name author-details author-wrapper author-meta author-block authorbox"
        " about-author bio article-meta entry-meta post-meta meta-row articlemeta story-meta captions caption"
        " figcaption image-caption img-caption photo-caption wp-caption-text wp-caption media-caption"
        " photo-credit image-credit image-source video-player videoplayer jwplayer jw-player brightcove jw"
        " audio-player podcast-player podcast-promo b-player player poll quiz survey toolbar article-tools"
        " article-actions sr-only screen-reader screen-reader-text visually-hidden visuallyhidden hidden-print"
        " offscreen carousel slider slideshow swiper gallery reading-time read-time readtime donate donation"
        " support-us app-promo appbanner app-banner skip-link skiplink google-news preferred-source feedback"
        " report-error error-report reactions emoji-reactions login signin sign-in register time-ago"
        " inline-module teaser-box c-form jump-links table-of-contents toc ez-toc-container post-navigation"
        " back-to-top most-commented video-box"
    ),
    FAINT: (
        "ads ad adv advertising share shares sharing social socials byline bylines authors author metadata"
        " article-info article-date publish-date published-date post-date entry-date date-time datetime"
        " pubdate timestamp dateline credits credit copyright photographer rating ratings tools actions print"
        " icons likes updated ago source sources counters counter views vote votes"
    ),
    BODY: (
        "article-body articlebody article-content article-text article-copy articlecopy story-body storybody"
        " story-content story-text story-copy post-body postbody post-content post-text entry-content"
        " entry-body content-body body-content body-copy body-text articletext articlecontent article-main"
        " article-page-content news-body news-content news-text news-detail single-content main-text richtext"
        " rich-text text-body td-post-content maincontent wysiwyg article-details p-content artikel"
        " artikeltext nota-cuerpo cuerpo texto corps texte paragraphs paragraph"
    ),
    LEAD: (
        "lead lede leads standfirst stand-first summary article-summary story-summary deck dek excerpt"
        " subtitle sub-title subheadline sub-headline subhead subheading intro introduction chapo chapeau"
        " entradilla bajada ingress manchet perex sottotitolo occhiello synopsis abstract teaser-text vorspann"
        " article-intro headline-sub description article-description strapline blurb anrisstext leadtext"
        " article-lead head-intro copete sumario preamble"
    ),
    TITLE: "title headline heading entry-title post-title article-title article-headline story-title",
    PAYWALL: (
        "paywall paywalled subscribe-wall subscription-wall regwall registration-wall piano-inline"
        " piano-offer piano-container premium-offer premium-wall premium-lock article-locked locked-content"
        " content-lock metered offer offer-wall paywall-box"
    ),
    LIVE: (
        "live-blog liveblog live-feed livefeed live-ticker liveticker live-post livepost live-updates"
        " liveupdates liveblog-entry live-coverage livecoverage"
    ),
    GALLERY: (
        "gallery photo-gallery photogallery slideshow image-gallery imagegallery galleries diashow"
        " bilderstrecke fotogaleria"
    ),
    BYLINE: (
        "byline bylines author authors author-name article-author post-author entry-author contributors"
        " contributor writer redactor autor auteur verfasser by"
    ),
    DATE: (
        "date dates time timestamp published publish-date pubdate posted-on datum fecha data dateline article-date info"
    ),
    MODIFIED: "modified updated update lastmod",
    CONSENT_FORM: "consent consent-form cmp-wall cmp gdpr purwall pur-wall cookie-wall cookiewall",
    CAPTCHA: "g-recaptcha h-captcha px-captcha cf-turnstile cf-challenge captcha challenge-form challenge-running",
    READING_TIME: "read-time readtime reading-time readingtime time-to-read min-read",
    CAPTION: "captions caption figcaption image-caption photo-caption wp-caption-text legend caption-text",
    MORE_POSTS: "load-more loadmore show-more more-posts older",
    CORRECTION: (
        "correction corrections clarification clarifications editors-note editor-note erratum errata corrigendum"
        " richtigstellung berichtigung korrektur rectificatif rectificacion rettifica rectificatie rattelse rettelse"
        " oikaisu sprostowanie"
    ),
    TAGS: "tags taglist tag-list tags-list tag-links topic-list article-tags post-tags entry-tags topics",
    FACTS: (
        "factbox fact-box facts-box infobox info-box box-info faktenbox fakten-box faktenkasten infokasten info-kasten"
        " faktabox faktaruta fakta-ruta faktaboks fakta-boks encadre recuadro despiece"
    ),
}
"""Bit → words; a word with a hyphen stands for parts that follow each other."""

_MEANINGS: Final[dict[str, int]] = {}
for _bit, _words in _WORDS.items():
    for _word in _words.split():
        _MEANINGS[_word] = _MEANINGS.get(_word, 0) | _bit
_OPENINGS: Final = frozenset(word.split("-")[0] for word in _MEANINGS)
_LONGEST: Final = max(word.count("-") + 1 for word in _MEANINGS)

_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_PART: Final = re.compile(r"[a-z0-9]+")
_KEPT_CHARS: Final = 100
_KEPT_NAMES: Final = 20_000
"""What is longer, or more, is not remembered from page to page: hostile pages would fill the memory with it."""


def read_signs(names: str) -> int:
    """Return the bits that class names or an id say, each name for itself; camelCase is taken apart."""
    known = _known.get(names)
    if known is not None:
        return known
    apart = names.split()
    if len(apart) == 1:  # most of those not seen yet
        return _remember(names, _read(apart[0]))
    signs = 0
    for name in apart:
        known = _known.get(name)
        signs |= _remember(name, _read(name)) if known is None else known
    return _remember(names, signs)


def _remember(names: str, signs: int) -> int:
    if len(names) <= _KEPT_CHARS:
        if len(_known) >= _KEPT_NAMES:
            _known.clear()
        _known[names] = signs
    return signs


def find_words(names: str, signs: int) -> list[str]:
    """Return the words in class names or an id that say any of *signs*."""
    found: dict[str, None] = {}
    for parts in map(split_names, names.split()):
        spans = ("-".join(parts[at : at + size]) for at in range(len(parts)) for size in range(1, _LONGEST + 1))
        found.update(dict.fromkeys(word for word in spans if _MEANINGS.get(word, 0) & signs))
    return list(found)


def split_names(names: str) -> list[str]:
    """Return the parts of class names or an id, in lower case."""
    if not names.islower():
        names = _CAMEL.sub("-", names).lower()
    return _PART.findall(names)


def _read(name: str) -> int:
    parts = split_names(name)
    signs = 0
    if _OPENINGS.isdisjoint(parts):  # most of them
        return signs
    for at, first in enumerate(parts):
        if first in _OPENINGS:
            word = first
            signs |= _MEANINGS.get(word, 0)
            for part in parts[at + 1 : at + _LONGEST]:
                word = f"{word}-{part}"
                signs |= _MEANINGS.get(word, 0)
    return signs


_known: Final[dict[str, int]] = {}
"""Signs of single names, and of all names of an element together, which stand on many. Only remembers."""
