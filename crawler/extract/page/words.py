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
TAG_LABEL = _words(
    r"^(?:tags?|topics?|keywords?|filed under|themen|schlag(?:wörter|worte)|stichw(?:örter|orte)|mots[ -]clés|thèmes"
    r"|etiquetas|temas|palabras clave|palavras-chave|argomenti|parole chiave|trefwoorden|onderwerpen|ämnen|emner"
    r"|nøgleord|tagi|tematy|słowa kluczowe|etiketler|теги|темы|ключевые слова|теми|klíčová slova|štítky|címkék|etichete"
    r"|ετικέτες|الكلمات (?:المفتاحية|الدلالية)|وسوم|كلمات مفتاحية"
    r"|برچسب‌?ها|תגיות|विषय|टैग(?:्स)?|タグ|キーワード|标签|標籤"
    r"|关键词|關鍵字|태그|키워드|chủ đề|từ khóa)\s*[:：]"
)
COPYRIGHT_LINE = _words(
    r"^(?:©|\(c\)|copyright\b).{0,60}\b(?:19|20)\d\d\b|^(?:19|20)\d\d\s*©|[.?!。؟»]\s*©\s?(?:19|20)\d\d\b"
)
OLDER_POSTS = _words(
    r"(?:load|show|view|see|get) (?:(?:\d+ )?(?:more|older|earlier|previous)|all)"
    r"(?: (?:posts|updates|entries|events|news))?"
    r"|(?:more|older|earlier|previous) (?:posts|updates|entries|events)|older"
    r"|mehr (?:laden|anzeigen)|(?:weitere|ältere|frühere) (?:beiträge|einträge|meldungen|posts)(?: (?:laden|anzeigen))?"
    r"|(?:charger|afficher|voir) (?:plus|la suite|les)(?: .{3,30})?"
    r"|(?:messages|publications|posts) (?:plus ancien|précédent)(?:ne|e)?s"
    r"|(?:cargar|ver|mostrar) más(?: .{3,20})?|(?:entradas|publicaciones|mensajes|actualizaciones) anteriores"
    r"|(?:carregar|ver|mostrar) mais(?: .{3,20})?|(?:publicações|postagens|atualizações|mensagens) anteriores"
    r"|(?:carica|mostra|vedi) (?:altr[oi]|(?:di )?più)(?: .{3,20})?|(?:post|aggiornamenti|messaggi) precedenti"
    r"|(?:laad|toon) (?:meer|oudere)(?: .{3,20})?|meer (?:laden|tonen|berichten)"
    r"|(?:oudere|eerdere) berichten(?: .{3,10})?"
    r"|(?:visa|ladda|vis|last|hent|indlæs) (?:fler|flere|mer|mere|äldre|eldre|ældre)(?: .{3,20})?"
    r"|näytä (?:lisää|vanhemmat)"
    r"|(?:pokaż|załaduj|wczytaj|zobacz) (?:więcej|starsze|wcześniejsze)(?: .{3,20})?"
    r"|(?:показать|загрузить) (?:ещё|еще|больше|предыдущие|более ранние)(?: .{3,20})?"
    r"|(?:предыдущие|более ранние) (?:сообщения|записи|события|новости)"
    r"|(?:показати|завантажити) (?:ще|більше|попередні)(?: .{3,20})?|попередні (?:повідомлення|записи|події)"
    r"|daha fazla(?: .{3,15})?|(?:önceki|daha eski) (?:gelişmeler|haberler|gönderiler)"
    r"|(?:muat|lihat|tampilkan) lebih banyak"
    r"|(?:xem|tải) thêm(?: .{3,20})?|(?:φόρτωση|προβολή) περισσότερων"
    r"|(?:παλαιότερες|προηγούμενες) (?:αναρτήσεις|ενημερώσεις)"
    r"|(?:تحميل|عرض|إظهار|شاهد) (?:المزيد|الأقدم)(?: .{3,20})?"
    r"|(?:الأحداث|التحديثات|المنشورات|الأخبار|التطورات|المشاركات) (?:السابقة|الأقدم)"
    r"|(?:بارگذاری|نمایش|مشاهده) (?:موارد )?بیشتر|(?:مطالب|رویدادهای|خبرهای) (?:قبلی|پیشین)"
    r"|(?:טען|הצג) עוד(?: .{3,15})?|עדכונים קודמים|(?:और|अधिक) (?:देखें|दिखाएं|लोड करें)|पुराने (?:अपडेट|पोस्ट)"
    r"|(?:点击|點擊)?(?:加载|載入|查看|显示|顯示)更多.{0,6}|(?:更早|较早|較早|之前|以前)的?(?:消息|内容|內容|更新|动态|動態|直播)"
    r"|(?:もっと|さらに)(?:見る|読み込む|表示(?:する)?)|(?:以前|過去)の(?:投稿|更新)(?:を.{2,8})?"
    r"|더 ?(?:보기|불러오기)|이전 (?:글|소식|게시물)(?: 더 ?보기)?"
)
"""What stands on the button, or the link, behind which a live page keeps its older posts; all of its text."""
BYLINE_LINE = _words(r"^(?:by|von|par|por|di|door|av|af|text|texte|author|autor)\b[:\s]\s*\S|^(?:بقلم|كتب)\s")
EMAIL_LINE = _words(r"(?:e-?mail:?\s*)?[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}")
TIME_LINE = _words(r"^\D{0,20}:\s*\d{1,2}[:.]\d\d\b|^\D{3,20}\d{1,2}, (?:19|20)\d\d$")
DATE_LINE = _words(
    r"^\D{0,30}\d.{0,25}\b(?:19|20)\d\d\b\D{0,20}(?:\d{1,2}[:.]\d\d.{0,45})?$"
    r"|^\d{1,2}:\d\d\b.{0,30}\b(?:19|20)\d\d\b.{0,45}$"
)
AGE_LINE = _words(
    r"(?:[^\W\d]{2,20}\s+|(?:[^\W\d]+\s+){0,3}[^\W\d]+\s*[:：]\s*)?(?:"
    r"(?:\d{1,3}|an?|one) ?(?:s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|weeks?) ago"
    r"|vor \d{1,3} (?:sek(?:unden?)?|min(?:uten?)?|std|stunden?|tag(?:en)?|wochen?)\.?"
    r"|(?:hace|há|hai|fa|il y a|acum|před|for|för|πριν(?: από)?|לפני|قبل|منذ)\s+\d{1,3}\s*[^\s\d]{1,14}\.?"
    r"(?:\s(?:sedan|siden))?|(?:قبل|منذ) (?:دقيقتين|ساعتين|يومين|دقيقة|ساعة|يوم)"
    r"|\d{1,3} [^\s\d]{1,14} (?:atrás|fa|geleden|temu|назад|тому|önce|sitten|siden|sedan|पहले|আগে"
    r"|پیش|قبل|پہلے|(?:yang )?lalu|trước)"
    r"|\d{1,3} ?(?:秒|分钟?|分鐘|時間|小时|小時|日|天)前|\d{1,3} ?(?:초|분|시간|일) ?전"
    r"|\d{1,3} ?(?:นาที|ชั่วโมง|วัน)(?:ที่แล้ว|ที่ผ่านมา))"
)
"""How long ago, and hardly anything else."""
CLOCK = _words(r"(?<![\d.])\d{1,2}(?:[:.]\d\d(?![.\d])|h\d\d\b|時\d{1,2}分)|\bago\b|^vor \d")
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
    r"|لم يتم العثور|ページが見つかりません|見つかりません|页面不存在|找不到|页面未找到|頁面不存在|페이지를 찾을 수 없"
    r"|찾을 수 없|नहीं मिल[ाी]|उपलब्ध नहीं|পাওয়া যায়নি|(?:یافت|پیدا) نشد|نہیں ملا|موجود نہیں|לא נמצאה?\b|δεν βρέθηκε"
    r"|nu a fost găsit|nu există|nem található|nenalezen|nenašl[ai]|nije pronađen|није пронађен|не е намерен"
    r"|tidak ditemukan|không tìm thấy|không tồn tại|ไม่พบ"
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
    r"|페이지를 찾을 수 없|頁面不存在|找不到(?:頁面|页面|網頁|网页)"
    r"|(?:पृष्ठ|पेज) (?:नहीं मिला|उपलब्ध नहीं)|(?:पृष्ठ|पेज) खोज रहे|পৃষ্ঠা(?:টি)? (?:খুঁজে )?পাওয়া যায়নি"
    r"|صفحه\b.{0,20} (?:یافت|پیدا) نشد|صفحہ (?:نہیں ملا|موجود نہیں)|(?:הדף|העמוד) לא נמצא|σελίδα δεν βρέθηκε"
    r"|pagina nu (?:a fost găsită|există)|oldal nem található|stránka (?:nebyla nalezena|sa nenašla|neexistuje)"
    r"|stranica nije pronađena|страница није пронађена|страницата не е намерена|halaman tidak ditemukan"
    r"|không tìm thấy trang|trang (?:bạn tìm |này )?không tồn tại|ไม่พบหน้า"
)
"""Of NOT_FOUND what is said of pages alone; the rest is said of boats and paintings too."""
PAGE_WORD = _words(
    r"\b(?:the|this|that|page|article|story|content|document|post|link|url|error|oops|sorry|seite|artikel|beitrag"
    r"|inhalt|fehler"
    r"|página|artículo|contenido|noticia|pagina|articolo|contenuto|notizia|contenu|erreur|artigo|conteúdo|notícia|erro"
    r"|sidan|artikeln|siden|artikkelen|strona|artykuł|sayfa|haber|içerik|hata|страница|статья|материал|ошибка|сторінка"
    r"|стаття|sivua?|artikkelia?|stránka|článek|σελίδα|oldal|cikk|stranica|страницата|halaman|trang)\b|الصفحة|المقال"
    r"|المحتوى|الرابط|خطأ|ページ|記事|エラー|页面|頁面|網頁|文章|错误|錯誤|페이지|기사|पृष्ठ|पेज|ख़बर|त्रुटि|পৃষ্ঠা(?:টি)?|صفحه|صفحہ|הדף|העמוד|หน้า"
)
"""What is missing on a page that is none."""
FAILURE = _words(
    r"internal server error|\berror 50[0-4]\b|\b50[0-4] (?:error|-)|bad gateway|gateway time-?out"
    r"|\b(?:503 )?service (?:is )?(?:temporarily )?unavailable\b|temporarily unavailable|server error"
    r"|error establishing a database connection|(?:has been|was) a critical error|application error"
    r"|(?:something|that|it) (?:has )?(?:went|gone) wrong|unexpected error|an error (?:has )?occurred"
    r"|interner (?:server-?fehler|fehler)|server-?fehler|ein (?:unerwarteter )?fehler ist aufgetreten"
    r"|etwas ist schief ?gelaufen|erreur (?:interne )?(?:du )?serveur|service (?:temporairement )?indisponible"
    r"|une erreur (?:est survenue|s['’]est produite)|error interno(?: del servidor)?|se ha producido un error"
    r"|algo (?:ha salido|salió|deu|correu) (?:mal|errado)|erro interno(?: do servidor)?|ocorreu um erro"
    r"|errore (?:interno )?(?:del )?server|si è verificato un errore|qualcosa è andato storto|interne serverfout"
    r"|er (?:is iets|ging iets) (?:mis|fout)|internt serverfel|något gick fel|noe gikk galt|noget gik galt"
    r"|wewnętrzny błąd serwera|błąd serwera|wystąpił błąd|coś poszło nie tak|(?:dahili )?sunucu hatası"
    r"|bir (?:hata oluştu|şeyler ters gitti)|внутренняя ошибка(?: сервера)?|ошибка сервера|что-то пошло не так"
    r"|внутрішня помилка|interní chyba|chyba serveru|belső (?:szerver)?hiba|eroare internă|σφάλμα διακομιστή"
    r"|خطأ (?:داخلي )?(?:في )?(?:الخادم|السيرفر)|حدث خطأ|خطای سرور|שגיאת שרת|(?:आंतरिक )?सर्वर त्रुटि|एक त्रुटि हुई"
    r"|サーバー?(?:内部)?エラー|エラーが発生しました|服务器(?:内部)?错误|伺服器錯誤|서버 오류|오류가 발생했"
    r"|kesalahan server|lỗi máy chủ"
)
"""What a server says of itself where it fails."""
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
    r"|samtykke|privacidade?\b|consentimento|parceiros|personalizad[ao]s?\b|vie privée|confidentialité|consentement"
    r"|consenso|riservatezza|prywatno|partner(?:zy|ami|om|ów)\b|\bzgod[ęyą]\b|ciasteczk|çerez|gizlili|\bonay|ortaklar"
    r"|приватност|конфиденциальн|партн[её]р|согласи[ея]|персонал|конфіденційн|згод[аиу]\b|soukrom|osobní údaje"
    r"|adatvéd|hozzájárul|\bsüti|eväste|suostumu|yksityisyy|απόρρητο|συγκατάθεση|συνεργάτες|confidențialitate"
    r"|consimțământ|خصوصي|شركا[ؤئء]|ملفات تعريف الارتباط|موافقت|الكوكيز|حریم خصوصی|פרטיות|עוגיות|गोपनीयता"
    r"|कुकी|साझेदार|सहमति|クッキー|プライバシー|パートナー|同意|隐私|隱私|합의|개인정보|쿠키|동의|파트너|privasi|persetujuan"
)
CONSENT_CHOICE = _words(
    r"\baccept\b|\bagree\b|\breject\b|\ballow all\b|akzeptier|zustimmen\b|einverstanden|ablehnen\b|j['’]accepte"
    r"|\brefuser\b|\baceptar\b|\brechazar\b|\baccett[aoi]\b|\brifiuta|\baceitar\b|\brecusar\b|\brejeitar\b"
    r"|accepteren|akkoord|weigeren|acceptera\b|godkänn|avvisa|godta|samtykk|accepter\b|tillad|hyväksy|akceptuj"
    r"|zgadzam|odrzuć|kabul et|reddet"
    r"|принять|согласен|отклонить|погоджуюсь|прийняти|elfogad|souhlas|přijmout|odmítnout|súhlas|accept(?:ă|aţi|ați)"
    r"|приеми|αποδοχή|συμφωνώ|موافق|قبول|أوافق|同意|接受|동의|수락"
    r"|स्वीकार|پذیرش|قبول|מסכים|אישור|setuju|terima|đồng ý|ยอมรับ"
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
    r"|bli abonnent|tylko dla (?:subskrybentów|prenumeratorów)|wykup (?:dostęp|prenumerat)|tilaajille"
    r"|aboneler(?:e| için)|abone olun|только (?:для подписчиков|по подписке)|оформите подписку|лише для передплатників"
    r"|pouze pro předplatitele|předplaťte|előfizetőknek|fizessen elő|abonează|για συνδρομητές"
    r"|للمشتركين|اشترك (?:ل|كي|الآن)|مشترک شوید|למנויים|सदस्यता लें|सदस्यों के लिए|सब्सक्राइब"
    r"|会員限定|有料(?:会員|記事)|続きを読むには|会员专享|訂閱|订阅|구독(?:자|하)|유료 기사|khusus pelanggan"
)
INFOGRAPH = _words(r"\binfo-?(?:graph(?:ic|ie|ik|ic?s)?|gr[aá]f(?:ic[oa]s?|[ií]as?|ik[ay]?|s)?)\b|إنفوغراف")
_MARKS = re.compile(r"[\W_]+")


def bare(text: str) -> str:
    """Return the letters and digits of *text*, case folded."""
    return _MARKS.sub("", text.casefold())
