"""Who writes without being a person: the world's news agencies, and the words for newsrooms and desks. Data only."""

from __future__ import annotations

import re

_NAMES = (
    "reuters|thomson reuters|ap|the associated press|associated press|afp|agence france presse|upi"
    "|united press international|bloomberg|bloomberg news|dpa|deutsche presse agentur|dpa infocom|dpa international"
    "|epd|evangelischer pressedienst|kna|katholische nachrichten agentur|sid|sport informations dienst|dapd|ddp|dts"
    "|dts nachrichtenagentur|apa|austria presse agentur|sda|keystone sda|keystone|ats|schweizerische depeschenagentur"
    "|awp|anp|belga|efe|agencia efe|europa press|servimedia|colpisa|acn|ansa|agi|adnkronos|adn kronos|askanews"
    "|italpress|lapresse|lusa|agência lusa|agência brasil|estadão conteúdo|folhapress|ritzau|ntb|tt|tt nyhetsbyrån"
    "|stt|stt lehtikuva|bns|elta|leta|pap|polska agencja prasowa|čtk|ctk|tasr|sita|mti|hina|tanjug|fena|srna|agerpres"
    "|mediafax|bta|бта|ana mpa|ape mpe|αμπε|απε μπε|anadolu|anadolu ajansı|aa|iha|i̇ha|ihlas haber ajansı|dha"
    "|demirören haber ajansı|anka|tass|тасс|ria novosti|риа новости|interfax|интерфакс|sputnik|regnum|ukrinform"
    "|укринформ|укрінформ|unian|унiан|уніан|унн|belta|белта|kazinform|azertac|armenpress|xinhua|xinhua news agency"
    "|新华社|新華社|中新社|中新网|中央社|cna|kyodo|kyodo news|共同通信|共同|jiji"
    "|jiji press|時事通信|時事|yonhap|yonhap news agency|연합뉴스|뉴시스|뉴스1"
    "|newsis|antara|bernama|vna|ttxvn|tna|pna|pti|press trust of india|ani|ians|uni|associated press of pakistan|bss"
    "|unb|aap|australian associated press|rnz|pa|pa media|press association|the press association|pa news agency"
    "|canadian press|the canadian press|la presse canadienne|notimex|telam|télam|prensa latina|mercopress"
    "|noticias argentinas|andina|colprensa|spa|saudi press agency|واس|wam|وام|kuna|كونا|qna|قنا|بترا|mena|أ ش أ|sana"
    "|سانا|nna|الوكالة الوطنية للإعلام|wafa|وفا|irna|ایرنا|isna|ایسنا|فارس|tasnim|تسنیم|مهر|أ ف ب|ا ف ب|فرانس برس"
    "|رويترز|أسوشيتد برس|د ب أ|الأناضول|شينخوا|aps|nan|gna|panapress|sapa|ips|inter press service|agencies|agencias"
    "|agenzie|agenturen|وكالات|الوكالات"
)
AGENCIES = frozenset(_NAMES.split("|"))
"""Names in lower case, everything but letters and digits read as one space."""
TITLED_AGENCIES = frozenset({"ansa", "lusa", "tass"})
"""Short names count where they stand in one case (*SID*, *dpa*), for Sid is a person; these do in any."""
NEWSROOM = re.compile(
    r"\b(?:staff|newsroom|news ?desk|web ?desk|sports? desk|editorial (?:board|team|staff)|news (?:agency|team"
    r"|service|wire)"
    r"|newswires?|wire (?:reports?|services?)|press (?:agency|office|release)|correspondents|reporters|editors"
    r"|contributors"
    r"|\w*redaktion|\w*redaktionen|die redaktion|nachrichtenagentur|presse-?agentur|presseportal|pressestelle"
    r"|online-?team"
    r"|rédaction|la rédaction|agence de presse|redacción|redaccion|agencias?|redazione|redação|agência|redactie"
    r"|persbureau"
    r"|redaksjonen|toimitus|redakcja|redakce|redakcia|redakcija|szerkesztőség|redacția|ajansı|haber merkezi|editörü?"
    r"|редакция|редакція|агентство|newsdesk|team|tim redaksi|redaksi)\b|وكالة|وكالات|هيئة التحرير|غرفة الأخبار"
    r"|قسم الأخبار"
    r"|تحریریه|خبرگزاری|通信社|通讯社|通訊社|編集部|编辑部|取材班|社説|編輯部|편집부|특별취재|취재팀",
    re.IGNORECASE,
)
"""No such word is a part of a person's name."""
ORGANISATION_TYPES = frozenset(
    {"Organization", "NewsMediaOrganization", "Corporation", "NGO", "GovernmentOrganization", "Brand"}
)
DOMAIN = re.compile(r"(?:www\.)?[\w-]{2,40}(?:\.[\w-]{2,40}){0,2}\.(?:com|org|net|info|news|[a-z]{2})", re.IGNORECASE)
"""A name that is a host's, as many newsrooms sign."""
