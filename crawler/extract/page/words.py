"""The phrases that tell boxes from articles, in many languages: what labels, walls and errors say. Data only."""

from __future__ import annotations

import re


def _words(phrases: str) -> re.Pattern[str]:
    return re.compile(phrases, re.IGNORECASE)


RELATED_LABEL = _words(
    r"^(?:related(?: (?:news|stories|articles|content|topics|posts|links|coverage))?|read (?:also|more"
    r"|next|on)|also read|see also|more (?:on this(?: story| topic)?|stories|news|from\b.{0,40}|like this"
    r"|to read)|most (?:read|popular|viewed)|recommended(?: .{0,20})?|you (?:may|might) (?:also )?(?:like"
    r"|be interested)(?: in)?|trending(?: now)?|top stories|latest(?: news| stories)?|don't miss"
    r"|what to read next|up next|keep reading|further reading|mehr zum thema|lesen sie (?:auch|mehr)"
    r"|das könnte sie auch interessieren|meistgelesen|auch interessant|mehr dazu|à lire aussi|lire aussi"
    r"|sur le même sujet|les plus lus|pour aller plus loin|noticias relacionadas|lea también|le(?:e"
    r"|a) (?:también|más)|te puede interesar|más información|lo más (?:leído|visto)|leggi anche"
    r"|i più letti|potrebbe interessarti|lees ook|meest gelezen|leia (?:também|mais)|mais lidas"
    r"|veja também|läs (?:mer|också)|mest läst|les også|mest lest|læs også|mest læste|czytaj (?:także|też"
    r"|więcej)|najczęściej czytane|zobacz (?:także|też)|i̇lgili haberler|çok okunanlar|читайте также"
    r"|самое читаемое|по теме|читайте ещё|lue (?:myös|lisää)|olvasta már|اقرأ أيضا[ً]?|أخبار ذات صلة"
    r"|الأكثر قراءة|مواضيع ذات صلة|関連記事|あわせて読みたい|相关阅读|相关新闻|관련기사)\s*[:：…»>]*$"
)
FURNITURE_LINE = _words(
    r"^(?:advertisement|advertising|ad|sponsored|anzeige|werbung|publicité|publicidad|pubblicità"
    r"|advertentie|annons|reklame?|annonse|mainos|реклама|إعلان|広告|skip (?:ad|advertisement"
    r"|to (?:main )?content)|story continues below(?: this)? advertisement\.?|article continues (?:below"
    r"|after (?:this )?ad(?:vertisement)?)\.?|share(?: this)?(?: (?:article|story|on\b.{0,30}))?|comments?"
    r"|\d+ comments?|print|email|copy link|follow us(?: on\b.{0,40})?|loading(?:\.\.\.|…)?|play(?: video)?"
    r"|watch(?: live)?|listen(?: to (?:this )?(?:article|story))?|close|subscribe|sign up|log ?in"
    r"|click here to .{0,60}|load more|show more|view (?:comments|gallery|image in fullscreen)"
    r"|image source.{0,80}|image caption.{0,30}|getty images|tags?:?|topics?:?|teilen|drucken|merken"
    r"|kommentare|partager|compartir|condividi|(?:©|copyright|\(c\))\s.{0,120}|all rights reserved\.?"
    r"|\d+ min(?:ute)?s? read|read time:?.{0,20}|\d{1,3} (?:min|minutes?) de lecture"
    r"|follow .{3,60} on (?:x|twitter|facebook|instagram|google news|whatsapp)\b.{0,40})$"
)
COPYRIGHT_LINE = _words(
    r"^(?:©|\(c\)|copyright\b).{0,60}\b(?:19|20)\d\d\b|^(?:19|20)\d\d\s*©|[.?!。؟»]\s*©\s?(?:19|20)\d\d\b"
)
BYLINE_LINE = _words(r"^(?:by|von|par|por|di|door|av|af|text|texte|author|autor)\b[:\s]\s*\S|^(?:بقلم|كتب)\s")
EMAIL_LINE = _words(r"(?:e-?mail:?\s*)?[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}")
TIME_LINE = _words(r"^\D{0,20}:\s*\d{1,2}[:.]\d\d\b|^\D{3,20}\d{1,2}, (?:19|20)\d\d$")
DATE_LINE = _words(
    r"^\D{0,30}\d.{0,25}\b(?:19|20)\d\d\b\D{0,20}(?:\d{1,2}[:.]\d\d.{0,45})?$"
    r"|^\d{1,2}:\d\d\b.{0,30}\b(?:19|20)\d\d\b.{0,45}$"
)
NOT_FOUND = _words(
    r"\bpage (?:was |could )?(?:not|cannot be|can't be|can’t be) found\b|\bnot found\b|\berror 404\b"
    r"|\b404 error\b|\b404\b|page (?:is )?(?:unavailable|missing|doesn['’]t exist|does not exist"
    r"|no longer exists)|no longer available|(?:can['’]t|cannot|couldn['’]t|could not) find (?:that|the"
    r"|this|what)|nothing (?:was )?found|content (?:is )?not available|seite (?:wurde )?nicht gefunden"
    r"|nicht gefunden|existiert nicht|page (?:introuvable|non trouvée)|introuvable|página no (?:encontrada"
    r"|existe)|no (?:encontrada|encontramos|se (?:ha )?(?:encontrado|encontró))|pagina non trovata"
    r"|non (?:è stata )?trovata|pagina niet gevonden|niet gevonden|página não encontrada"
    r"|não (?:foi )?encontrad[ao]|sidan (?:hittades|kunde) inte|hittades inte|siden (?:ble"
    r"|blev) ikke fundet|fant ikke siden|ikke fund[en]t|strona nie (?:została )?znaleziona|nie znaleziono"
    r"|nie istnieje|sayfa bulunamadı|bulunamadı|страница не найдена|не найден[ао]?|сторінк[аи] не знайден"
    r"|sivua ei löy(?:dy|tynyt)|stránka nenalezena|nebyla nalezena|الصفحة غير موجودة|غير موجودة"
    r"|لم يتم العثور|ページが見つかりません|見つかりません|页面不存在|找不到|页面未找到|페이지를 찾을 수 없"
)
PAGE_GONE = _words(
    r"\bpage (?:was |could )?(?:not|cannot be|can't be|can’t be) found\b|\berror 404\b|\b404 error\b|page (?:is )?"
    r"(?:unavailable|missing|doesn['’]t exist|does not exist|no longer exists)|page (?:you|that you) (?:are|were|re"
    r"|requested|wanted)|you(?: are|['’]re| were) looking for|requested (?:page|url)|content (?:is )?not available"
    r"|seite (?:wurde )?nicht gefunden"
    r"|page (?:introuvable|non trouvée)|página no (?:encontrada|existe)|pagina non trovata|pagina niet gevonden"
    r"|página não encontrada|sidan (?:hittades|kunde) inte|siden (?:ble|blev) ikke fundet|fant ikke siden"
    r"|strona nie (?:została )?znaleziona|sayfa bulunamadı|страница не найдена|сторінк[аи] не знайден"
    r"|sivua ei löy(?:dy|tynyt)|stránka nenalezena|الصفحة غير موجودة|ページが見つかりません|页面不存在|页面未找到"
    r"|페이지를 찾을 수 없"
)
"""Of NOT_FOUND what is said of pages alone; the rest is said of boats and paintings too."""
PAGE_WORD = _words(
    r"\b(?:the|this|that|page|article|story|content|document|post|link|url|error|oops|sorry|seite|artikel|beitrag"
    r"|inhalt|fehler"
    r"|página|artículo|contenido|noticia|pagina|articolo|contenuto|notizia|contenu|erreur|artigo|conteúdo|notícia|erro"
    r"|sidan|artikeln|siden|artikkelen|strona|artykuł|sayfa|haber|içerik|hata|страница|статья|материал|ошибка|сторінка"
    r"|стаття|sivua?|artikkelia?|stránka|článek)\b|الصفحة|المقال|المحتوى|الرابط|خطأ|ページ|記事|エラー|页面|文章|错误|페이지|기사"
)
"""What is missing on a page that is none."""
ROBOT_CHECK = _words(
    r"enable (?:javascript|js) and (?:cookies|disable any ad blocker)|checking (?:if the site connection|your browser)"
    r"|\bray id\b|(?:confirm|verify|verifying) (?:that )?you are (?:a )?human|press (?:&|and) hold"
    r"|pardon our interruption|access to this page has been denied|made us think you were a bot|complete the captcha"
    r"|please (?:enable|turn on) (?:js|javascript|cookies)|don['’]t have permission to access"
    r"|why have i been blocked|you have been blocked"
)
"""Of CHALLENGE what no article says in passing."""
CHALLENGE = _words(
    r"enable (?:javascript|js) and (?:cookies|disable any ad blocker)|checking (?:if the site connection"
    r"|your browser)|\bray id\b|verif(?:y|ying) (?:that )?you are (?:a )?human|are you a (?:robot|human)"
    r"|confirm (?:that )?you are (?:a )?human|press (?:&|and) hold|pardon our interruption"
    r"|access (?:to this page has been )?denied|unusual (?:traffic|activity)|made us think you were a bot"
    r"|just a moment|attention required|complete the captcha|security check|not a (?:ro)?bot\b"
    r"|please (?:enable|turn on) (?:js|javascript|cookies)|ddos protection|request (?:was )?(?:blocked"
    r"|unsuccessful)|don['’]t have permission to access|why have i been blocked|you have been blocked"
    r"|bot (?:detection|manager)"
)
CONSENT_PHRASE = _words(
    r"\bcookies?\b|\bconsent\b|\btrackers?\b|\btracking\b|\bpartners?\b|\bpersonal(?:ised|ized)\b"
    r"|personenbezogen|\bpartnern?\b|akzeptieren|zustimm|einwilligung|\baccepte[rz]?\b|partenaires|aceptar"
    r"|socios|consentimiento|datenschutz|privacy|advertising|before you continue|store (?:and/or"
    r"|and) access|accept all|choose to accept|your choices|reject all|toestemming|accetta|samtycke"
    r"|samtykke"
)
CONSENT_CHOICE = _words(
    r"\baccept\b|\bagree\b|\breject\b|\ballow all\b|akzeptier|zustimmen\b|einverstanden|ablehnen\b|j['’]accepte"
    r"|\brefuser\b|\baceptar\b|\brechazar\b|\baccett[aoi]\b|\brifiuta|\baceitar\b|\brecusar\b|\brejeitar\b"
    r"|accepteren|akkoord|weigeren|acceptera\b|godkänn|avvisa|godta|samtykk|accepter\b|tillad|hyväksy|akceptuj"
    r"|zgadzam|odrzuć|kabul et|reddet"
    r"|принять|согласен|отклонить|погоджуюсь|прийняти|elfogad|souhlas|přijmout|odmítnout|súhlas|accept(?:ă|aţi|ați)"
    r"|приеми|αποδοχή|συμφωνώ|موافق|قبول|أوافق|同意|接受|동의|수락"
)
PAYWALL_PHRASE = _words(
    r"(?:this|the) (?:article|story|content|report) is (?:only |exclusively )?(?:for"
    r"|available (?:only )?(?:to|for)|reserved for) (?:our )?(?:subscribers|members)|subscribers? only"
    r"|for subscribers|subscribe (?:now |today )?(?:to|and) (?:continue|read|keep|unlock)|to (?:continue"
    r"|keep) reading|continue reading (?:this|with)|already a (?:subscriber|member)|log in (?:if"
    r"|to (?:read|continue))|unlock (?:this|the) (?:article|story)|start your (?:free )?trial|create (?:a "
    r"|an )?(?:free )?account to|nur für abonnent|abo abschließen|weiterlesen mit|jetzt (?:weiterlesen"
    r"|abonnieren|testen)|exklusiv für abonnent|réservé (?:aux|à nos) abonnés|abonnez-vous|lire la suite"
    r"|il vous reste|solo para suscriptores|suscríbase|suscríbete|para seguir leyendo"
    r"|riservato agli abbonati|abbonati|contenuto riservato|voor abonnees|abonneer"
    r"|exclusivo para assinantes|assine|för prenumeranter|prenumerera|for abonnenter|bliv abonnent"
    r"|bli abonnent|tylko dla subskrybentów|tilaajille"
)
INFOGRAPH = _words(r"\binfo-?(?:graph(?:ic|ie|ik|ic?s)?|gr[aá]f(?:ic[oa]s?|ía|ico|s)?)\b|إنفوغراف")
_MARKS = re.compile(r"[\W_]+")


def bare(text: str) -> str:
    """Return the letters and digits of *text*, case folded."""
    return _MARKS.sub("", text.casefold())
