"""What people did for an article, in the words of bylines: written, edited, photographed. Data only."""

from __future__ import annotations

import re

WRITTEN = re.compile(
    r"^(?:(?:written |reported |words |story |text |report |article |posted |post author |published |analysis "
    r"|opinion )?"
    r"by|text von|ein(?:e|en)? \w{5,12} von|(?:gast)?kommentar von|interview von|analyse von"
    r"|propos recueillis par)\b\s*[:：]?\s*|^(?:words|text|texte|texto|testo)\s*[:：]\s*"
    r"|^(?:بقلم|كتب(?:ت)?|تقرير|إعداد|نوشته)\s*[:：]?\s+|^(?:文|文/|記者|记者|作者)\s*[:：/]\s*",
    re.IGNORECASE,
)
"""Before the name of who wrote it."""
WRITTEN_ELSEWHERE = re.compile(
    r"^(?:von|vom|par|por|di|da|a cura di|door|av|af|od|autor(?:in|en|es|a)?|auteurs?|autore|author|verfasst von"
    r"|geschrieben von|skriven av|skrevet av|автор|автор[ыи]?|текст|tekst|yazan|haber|oleh|penulis"
    r"|bởi)\b\s*[:：]?(?:\s+|$)",
    re.IGNORECASE,
)
"""Only in what stands on the page as a byline: *von* and *di* are parts of names, too."""
POSTED = re.compile(
    r"^\W*(?:posted|published|updated|veröffentlicht|publié|publicado|pubblicato)\b[^|]{0,60}?\s(?:by|von|par|por"
    r"|da)\s+",
    re.IGNORECASE,
)
"""A date and a *by* in one."""
FOR_PAPER = re.compile(r"^(\S+ \S+(?: \S+)?) (?:for|special to) (?:the )?[A-Z]\S.*$", re.IGNORECASE)
OTHER_WORK = re.compile(
    r"^(?P<role>(?:with )?(?:additional |further )?(?:reporting|research|editing|writing|contributions?"
    r"|input)(?: and \w{4,12})?"
    r"|edited(?: and \w{4,12})?|translated|translation|compiled|produced|production|illustrat(?:ed|ions?)|graphics?"
    r"|photo(?:graph)?s?(?: and \w{4,12})?|photography|pictures?|images?|videos?|film(?:ed)?|design(?:ed)?|data"
    r"|fact.check(?:ed)?"
    r"|foto(?:s|graf(?:ien?|ía|ia)?)?|bild(?:er)?|grafik(?:en)?|mitarbeit|übersetzung|übersetzt|redaktion|redigiert"
    r"|photos?(?:graphies?)?|illustrations?|traduction|traduit|avec|edición|edicion|fotografía|ilustración|traducción"
    r"|imagen"
    r"|con información|traduzione|fotografie|fotografia|edição|tradução|ilustração|imagem|foto's|beeld|vertaling"
    r"|foto:|fotó|zdjęcia|tłumaczenie|фото|перевод|редактор|editor|photographer|تصوير|تحرير|ترجمة|撮影|写真|摄影|编辑|사진)"
    r"(?:\s+(?:by|von|par|por|di|de|door|av|af)\b\s*[:：]?\s*|\s*[:：]\s*)"
    r"|^(?P<help>with|avec|mit|con|com|met|med|mit material(?: von)?|unter mitarbeit von)\s+(?=\S)",
    re.IGNORECASE,
)
"""Before the name of who did something else for it. *Photo* alone is no such thing: it takes a colon or a *by*."""
PICTURE = re.compile(r"(?:image|picture|photo|foto|bild|immagine|imagen|imagem)", re.IGNORECASE)
"""In brackets behind a name: where its owner's portrait is from."""
JOB = re.compile(
    r"\b(?:\w*correspondent|\w*reporters?|\w*editors?|\w*journalists?|columnists?|\w*writers?|producers?|contributors?"
    r"|photographers?|commentators?|analysts?|critics?|bureau chief|fellow|professor|lecturer|researcher|director"
    r"|anchor"
    r"|presenters?|\w*redakteur(?:in|e)?|\w*redaktor(?:in)?|\w*redaktør|redaktör|\w*korrespondent(?:in|en)?"
    r"|\w*journalist(?:in|en)?|\w*reporter(?:in)?|\w*chef(?:in)?|leiter(?:in)?|ressort\w*|\w*autor(?:in)"
    r"|volontär(?:in)?"
    r"|professor(?:in)?|journaliste|rédact(?:eur|rice)|correspondante?|envoyée? spéciale?|chroniqueu(?:r|se)|cheffe?"
    r"|periodista|redactora?|corresponsal|enviad[oa] especial|jefe|jefa|director[ae]|giornalista|inviat[oa]"
    r"|corrispondente"
    r"|caporedattore|direttore|jornalista|repórter|correspondente|redacteur|verslaggever|journalister?|toimittaja"
    r"|dziennikar(?:z|ka)|redaktor(?:ka)?|novinář(?:ka)?|újságíró|szerkesztő|gazeteci|muhabir|yazar|profesor\w*"
    r"|jurnalis"
    r"|wartawan|корреспондент\w*|журналист\w*|редактор\w*|обозреватель|кореспондент\w*|журналіст\w*)\b"
    r"|مراسل|محرر|صحفي|كاتب|خبرنگار|記者|编辑|記者|특파원|논설위원|선임기자",
    re.IGNORECASE,
)
"""A post or a profession: what stands beside a name, parted from it."""
TITLED = re.compile(
    r"^(?P<name>\S{2,20}(?: \S{1,20})?) (?P<role>기자|특파원|논설위원|記者|记者)$"
    r"|^(?P<name2>[\u4e00-\u9fff]{2,4})(?P<role2>記者|记者)$"
)
"""A name with the post behind it, as Korean, Chinese and Japanese papers sign."""
DEGREE = re.compile(r"(?:M\.?A|M\.?D|Ph\.?D|M\.?B\.?A|M\.?Sc|R\.?N|M\.?P\.?H|R\.?D|LL\.?M|Esq|Jr|Sr)\.?", re.IGNORECASE)
NO_NAME = re.compile(
    r"^(?:about )?(?:the )?author\b|\b(?:about|veröffentlicht|publié|publicado|geschrieben"
    r"|bearbeiten|getty|shutterstock|istock|alamy|image"
    r"|imago|view (?:all|more)|all posts|more (?:from|by)|read more|see more|follow|profile"
    r"|powered by|designed|comments?|share|posted|updated|published|min(?:utes?)? read|subscribe|sign (?:in|up)|log ?in"
    r"|alle (?:beiträge|artikel)|zeige alle|weitere artikel|weiter|mehr (?:von|zum)|archiv|tous les articles"
    r"|voir (?:tous|plus)|ver (?:más|todos|todas)|mais artigos|tutti gli articoli|says|schreibt|sagt|erforderlich"
    r"|required)\b"
    r"|lesezeit|uhr$",
    re.IGNORECASE,
)
"""Words beside names that are no part of one."""
