"""Words that sites use in URLs for what is no article, in the languages that news sites mostly use."""

from __future__ import annotations

_LISTING_WORDS = """
    tag tags tagged label labels topic topics thema themen theme themes tema temas sujet sujets argomento argomenti
    tagi temat tematy etiqueta etiquetas etiket etiketler trefwoord onderwerp onderwerpen emne emner ämne ämnen
    category categories rubrik kategorie kategorien kategori kategoria categoria categorias categoría categorías
    rubrique rubriques rubric section sections
    author authors autor autoren autore autores autori auteur auteurs author-profile byline contributor contributors
    profile profiles staff user users member members writer writers columnist columnists yazar
    yazarlar penulis reporter reporters journalist redakteur
    page pages seite pagina página sida strana strona sayfa
    search suche recherche buscar busca buscador cerca zoeken szukaj arama cari ara sok sök results find
    archive archives archiv archivo arquivo archivio archief arkiv
    feed feeds rss atom amp print embed comments comment respond trackback reply share
    موضوع وسم وسوم كاتب كتاب بحث أرشيف صفحة تصنيف
    тег теги тема темы автор авторы поиск архив рубрика рубрики страница
    标签 作者 搜索 标签页 专题 タグ 著者 検索 태그 기자 검색
    टैग लेखक खोज תגית תגיות מחבר חיפוש ετικέτα συγγραφέας αναζήτηση
"""
LISTING_WORDS = frozenset(_LISTING_WORDS.split())
"""Before a topic, a person, a page number: what such URLs lead to are lists."""

_STATIC_WORDS = """
    about about-us contact contact-us contacts privacy privacy-policy terms terms-of-use terms-of-service cookies
    cookie-policy imprint impressum datenschutz agb kontakt mentions-legales mentions-légales contacto contato contatti
    aviso-legal privacidad privacidade politique-de-confidentialite quienes-somos qui-sommes-nous quem-somos chi-siamo
    ueber-uns über-uns jobs careers advertise advertising mediadaten werbung publicidad publicidade publicite pubblicita
    newsletter newsletters subscribe subscription subscriptions abo abonnement suscripcion login log-in signin sign-in
    signup sign-up register registration account logout password checkout cart shop store faq help support sitemap
    accessibility disclaimer copyright legal masthead donate membership sponsor apps app mobile wp-login wp-admin admin
    sponsored sponsored-content advertorial advertorials anzeige anzeigen partner-content promoted branded-content
    redaktion editorial-policy corrections-policy ethics
    من-نحن اتصل-بنا о-нас контакты реклама о-редакции 关于我们 联系我们 お問い合わせ 会社概要
"""
STATIC_WORDS = frozenset(_STATIC_WORDS.split())
"""Pages that stay: what the publisher says of itself, and what readers do there."""

_MEDIA_SUFFIXES = (
    "jpg jpeg png gif webp avif svg ico bmp tif tiff mp3 mp4 m4a m4v m3u8 ogg ogv wav webm mov avi flv "
    "pdf doc docx xls xlsx ppt pptx epub zip gz rar 7z css js mjs json xml rss atom txt csv woff woff2 ttf"
)
MEDIA_SUFFIXES = frozenset(_MEDIA_SUFFIXES.split())
"""Endings of what is no page."""

GUARD_WORDS = ("tag", "tags", "topic", "topics", "category", "author", "authors", "page", "search")
"""The commonest listings: kept out wherever an expression would let them in, even where nobody has seen one yet."""
TAIL_WORDS = ("amp", "embed", "feed", "print")
"""After an article's own path: the same article in another dress."""

_NO_SECTION_WORDS = """
    tag tags etiqueta etiquetas etiket وسم وسوم тег теги 标签 タグ 태그
    author authors autor autoren autore autores autori auteur auteurs yazar contributors people staff كاتب автор
    user users member members profile profiles login calendar events event
    search suche recherche buscar busca arama بحث поиск archive archives feed feeds rss amp print embed
    page pages seite pagina página sida side strana strona sayfa p صفحة صفحات страница
"""
NO_SECTION_WORDS = frozenset(_NO_SECTION_WORDS.split())
"""Parts of paths that lead to a topic, a person, a search or a page of a list, and to no section of a paper."""

_LOGIN_WORDS = "login signin sign-in log-in anmelden connexion sso auth account accounts authenticate acceso"
LOGIN_WORDS = frozenset(_LOGIN_WORDS.split())
"""Where readers are sent who are to say who they are."""
