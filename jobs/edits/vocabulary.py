"""Words that carry meaning of their own, in the languages that the press of the world is mostly written in. Data."""

from __future__ import annotations

_NEGATIONS = {
    "en": "not no never none nobody nothing neither nor nowhere without cannot",
    "de": "nicht kein keine keinen keinem keiner keines nie niemals niemand niemanden niemandem nichts weder ohne nirgends",
    "es": "no nunca jamás ni ningún ninguno ninguna nadie nada sin tampoco",
    "fr": "ne pas jamais ni aucun aucune personne rien sans non nul nulle",
    "it": "non no mai né nessun nessuno nessuna niente nulla senza",
    "pt": "não nunca jamais nem nenhum nenhuma ninguém nada sem",
    "nl": "niet geen nooit niemand niets noch zonder",
    "ru": "не ни нет никогда никто никого никому ничего ничто нельзя без нигде",
    "uk": "не ні немає ніколи ніхто нікого нічого без",
    "pl": "nie nigdy nikt nikogo nic żaden żadna żadne bez ani",
    "sv": "inte ej icke aldrig ingen inget inga ingenting utan",
    "da": "ikke ej aldrig ingen intet ingenting uden",
    "no": "ikke ei aldri ingen intet ingenting uten",
    "tr": "değil yok hiç asla hiçbir olmadan",
    "ar": "لا لم لن ليس ليست ليسوا لسنا لست غير دون بدون بلا عدم ولا ولم ولن وليس فلا فلم فلن",
    "fa": "نه نیست نیستند هرگز بدون هیچ",
    "he": "לא אין בלי ללא אף",
    "id": "tidak bukan tanpa belum jangan tak",
}
_NUMBERS = {
    "en": "zero=0 one=1 two=2 three=3 four=4 five=5 six=6 seven=7 eight=8 nine=9 ten=10 eleven=11 twelve=12 thirteen=13"
    " fourteen=14 fifteen=15 sixteen=16 seventeen=17 eighteen=18 nineteen=19 twenty=20 thirty=30 forty=40 fifty=50"
    " sixty=60 seventy=70 eighty=80 ninety=90 hundred=100 hundreds=100 thousand=1000 thousands=1000 million=1000000"
    " millions=1000000 billion=1000000000 billions=1000000000 dozen=12 dozens=12 half=½ quarter=¼ third=3. first=1."
    " second=2. fourth=4. fifth=5. sixth=6. seventh=7. eighth=8. ninth=9. tenth=10. twice=2 double=2 triple=3",
    "de": "null=0 eins=1 ein=1 eine=1 einen=1 einem=1 einer=1 zwei=2 drei=3 vier=4 fünf=5 sechs=6 sieben=7 acht=8 neun=9"
    " zehn=10 elf=11 zwölf=12 dreizehn=13 vierzehn=14 fünfzehn=15 sechzehn=16 siebzehn=17 achtzehn=18 neunzehn=19"
    " zwanzig=20 dreißig=30 vierzig=40 fünfzig=50 sechzig=60 siebzig=70 achtzig=80 neunzig=90 hundert=100 hunderte=100"
    " tausend=1000 tausende=1000 million=1000000 millionen=1000000 milliarde=1000000000 milliarden=1000000000"
    " dutzend=12 dutzende=12 hälfte=½ viertel=¼ drittel=⅓ erste=1. ersten=1. erster=1. zweite=2. zweiten=2. dritte=3."
    " dritten=3. vierte=4. vierten=4. fünfte=5. fünften=5. sechste=6. sechsten=6. siebte=7. achte=8. neunte=9. zehnte=10.",
    "es": "cero=0 un=1 uno=1 una=1 dos=2 tres=3 cuatro=4 cinco=5 seis=6 siete=7 ocho=8 nueve=9 diez=10 once=11 doce=12"
    " trece=13 catorce=14 quince=15 dieciséis=16 diecisiete=17 dieciocho=18 diecinueve=19 veinte=20 veintiuno=21"
    " veintidós=22 veintitrés=23 veinticuatro=24 veinticinco=25 treinta=30 cuarenta=40 cincuenta=50 sesenta=60"
    " setenta=70 ochenta=80 noventa=90 cien=100 ciento=100 cientos=100 doscientos=200 trescientos=300 quinientos=500"
    " mil=1000 miles=1000 millón=1000000 millones=1000000 docena=12 docenas=12 mitad=½ tercio=⅓ cuarto=4. primera=1."
    " primero=1. primer=1. segunda=2. segundo=2. tercera=3. tercero=3. tercer=3. cuarta=4. quinta=5. quinto=5.",
    "fr": "zéro=0 un=1 une=1 deux=2 trois=3 quatre=4 cinq=5 six=6 sept=7 huit=8 neuf=9 dix=10 onze=11 douze=12 treize=13"
    " quatorze=14 quinze=15 seize=16 vingt=20 trente=30 quarante=40 cinquante=50 soixante=60 cent=100 cents=100 mille=1000"
    " milliers=1000 million=1000000 millions=1000000 milliard=1000000000 milliards=1000000000 douzaine=12 moitié=½"
    " tiers=⅓ premier=1. première=1. deuxième=2. seconde=2. second=2. troisième=3. quatrième=4. cinquième=5.",
    "it": "zero=0 uno=1 una=1 due=2 tre=3 quattro=4 cinque=5 sei=6 sette=7 otto=8 nove=9 dieci=10 undici=11 dodici=12"
    " venti=20 trenta=30 quaranta=40 cinquanta=50 cento=100 mille=1000 mila=1000 milione=1000000 milioni=1000000"
    " miliardo=1000000000 miliardi=1000000000 metà=½ primo=1. prima=1. secondo=2. seconda=2. terzo=3. terza=3.",
    "pt": "zero=0 um=1 uma=1 dois=2 duas=2 três=3 quatro=4 cinco=5 seis=6 sete=7 oito=8 nove=9 dez=10 onze=11 doze=12"
    " vinte=20 trinta=30 quarenta=40 cinquenta=50 cem=100 cento=100 mil=1000 milhão=1000000 milhões=1000000"
    " bilhão=1000000000 bilhões=1000000000 metade=½ primeiro=1. primeira=1. segundo=2. segunda=2. terceiro=3. terceira=3.",
    "ru": "ноль=0 один=1 одна=1 одно=1 одного=1 одной=1 два=2 две=2 двух=2 двое=2 двумя=2 три=3 трёх=3 трех=3 трое=3"
    " троих=3 четыре=4 четырёх=4 четырех=4 четверо=4 четверых=4 пять=5 пяти=5 пятеро=5 пятерых=5 шесть=6 шести=6"
    " шестеро=6 семь=7 семи=7 семеро=7 восемь=8 восьми=8 девять=9 девяти=9 десять=10 десяти=10 одиннадцать=11"
    " двенадцать=12 тринадцать=13 четырнадцать=14 пятнадцать=15 шестнадцать=16 семнадцать=17 восемнадцать=18"
    " девятнадцать=19 двадцать=20 двадцати=20 тридцать=30 тридцати=30 сорок=40 сорока=40 пятьдесят=50 шестьдесят=60"
    " семьдесят=70 восемьдесят=80 девяносто=90 сто=100 ста=100 двести=200 триста=300 четыреста=400 пятьсот=500"
    " сотни=100 тысяча=1000 тысячи=1000 тысяч=1000 тыс=1000 миллион=1000000 миллиона=1000000 миллионов=1000000 млн=1000000"
    " миллиард=1000000000 миллиарда=1000000000 миллиардов=1000000000 млрд=1000000000 половина=½ половины=½ треть=⅓"
    " трети=⅓ четверть=¼ первый=1. первая=1. первого=1. первой=1. второй=2. вторая=2. второго=2. третий=3. третья=3."
    " третьего=3. третьей=3. четвёртый=4. четвертый=4. пятый=5.",
    "ar": "صفر=0 واحد=1 واحدة=1 اثنان=2 اثنين=2 اثنتان=2 اثنتين=2 ثلاثة=3 ثلاث=3 أربعة=4 أربع=4 خمسة=5 خمس=5 ستة=6 ست=6"
    " سبعة=7 سبع=7 ثمانية=8 ثماني=8 ثمان=8 تسعة=9 تسع=9 عشرة=10 عشر=10 عشرون=20 عشرين=20 ثلاثون=30 ثلاثين=30 أربعون=40"
    " أربعين=40 خمسون=50 خمسين=50 ستون=60 ستين=60 سبعون=70 سبعين=70 ثمانون=80 ثمانين=80 تسعون=90 تسعين=90 مئة=100 مائة=100"
    " مئتا=200 مئتي=200 مئتين=200 مئات=100 ألف=1000 ألفا=2000 ألفي=2000 ألفين=2000 آلاف=1000 مليون=1000000 مليونا=1000000"
    " مليوني=2000000 ملايين=1000000 مليار=1000000000 مليارات=1000000000 نصف=½ ثلث=⅓ ربع=¼ الأول=1. الأولى=1. الثاني=2."
    " الثانية=2. الثالث=3. الثالثة=3. الرابع=4. الرابعة=4. الخامس=5. الخامسة=5. السادس=6. السادسة=6. السابع=7. السابعة=7. الثامن=8. الثامنة=8. التاسع=9. التاسعة=9. العاشر=10."
    " العاشرة=10. شخصان=2 شخصين=2 قتيلان=2 قتيلين=2"
    " يومان=2 يومين=2 عامان=2 عامين=2 شهران=2 شهرين=2 أسبوعين=2 ساعتين=2 جريحان=2 جريحين=2",
}
_DAYS = {
    "en": "monday tuesday wednesday thursday friday saturday sunday",
    "de": "montag dienstag mittwoch donnerstag freitag samstag sonntag",
    "es": "lunes martes miércoles jueves viernes sábado domingo",
    "fr": "lundi mardi mercredi jeudi vendredi samedi dimanche",
    "it": "lunedì martedì mercoledì giovedì venerdì sabato domenica",
    "pt": "segunda-feira terça-feira quarta-feira quinta-feira sexta-feira sábado domingo",
    "ru": "понедельник вторник среда четверг пятница суббота воскресенье",
    "ar": "الاثنين الثلاثاء الأربعاء الخميس الجمعة السبت الأحد",
}
_MORE_DAYS = {
    "de": "sonnabend=6 montagabend=1 dienstagabend=2",
    "ru": "понедельника=1 вторника=2 среду=3 среды=3 четверга=4 пятницу=5 пятницы=5 субботу=6 субботы=6 воскресенья=7",
    "ar": "الإثنين=1 الاربعاء=3 الاحد=7",
}
_TITLES = {
    "en": "mr mrs ms dr sir lord lady dame president minister senator mayor governor judge general captain professor"
    " secretary chancellor king queen prince princess pope",
    "de": "herr herrn frau dr prof präsident präsidentin minister ministerin kanzler kanzlerin bürgermeister"
    " bürgermeisterin oberbürgermeister oberbürgermeisterin richter richterin sprecher sprecherin senator senatorin"
    " trainer trainerin vorsitzende vorsitzender vorsitzenden chef chefin autor autorin direktor direktorin könig"
    " königin professor professorin abgeordnete abgeordneter landrat landrätin innenminister innenministerin"
    " finanzminister finanzministerin außenminister außenministerin geschäftsführer geschäftsführerin",
    "ar": "السيد السيدة الدكتور الدكتورة الرئيس الرئيسة الوزير الوزيرة النائب النائبة المدير المديرة القاضي القاضية اللواء"
    " العميد العقيد الشيخ الأمير الأميرة الملك الملكة المتحدث المتحدثة المدرب اللاعب الكاتب الكاتبة المحامي المحامية الأستاذ"
    " الأستاذة المهندس المهندسة الجنرال الأمين رئيس رئيسة وزير وزيرة مدير مديرة محافظ عمدة أمين مدينة بلدة قرية محافظة شركة"
    " منطقة حي نهر ميناء جامعة مستشفى باسم سفير قائد حاكم الباحث الباحثة الطبيب"
    " الطبيبة الصحفي الصحفية الفنان الفنانة الشاعر الشاعرة المخرج المخرجة العالم العالمة المؤلف المؤلفة المعلم المعلمة الطالب"
    " الطالبة السائق الشاب الشابة الشاهد الشاهدة المتهم المتهمة اللاعبة الممثل الممثلة جمعية مؤسسة منظمة فرقة مصنع نادي فندق"
    " مطعم مسرح مدرسة كلية بحيرة جبل جزيرة شارع وادي قلعة صحيفة مجلة قناة فيلم رواية كتاب مصرف بنك",
}
_GIVEN_NAMES = (
    "محمد أحمد محمود علي حسن حسين إبراهيم إسماعيل يوسف يونس خليل خالد عمر عثمان سعيد سعد سالم سامي سمير كريم كمال جمال جميل"
    " طارق فؤاد فارس فيصل ماجد مازن مروان مصطفى منير موسى عيسى نادر ناصر نبيل نزار هاني هشام وائل وليد ياسر ياسين زياد زين"
    " رامي رشيد رائد رياض صالح صلاح طلال عادل عامر عباس عماد غسان فادي قاسم لؤي داود سليمان بلال أنس أيمن أمجد أكرم أنور"
    " فاطمة عائشة مريم زينب خديجة ليلى سلمى سعاد سميرة نادية هدى هند رنا ريم رانيا دينا دلال جميلة أمل أمينة إيمان منى مها"
    " نجلاء نورا نور هالة وفاء ياسمين سارة سحر سناء شيماء لمى لينا عبير غادة فرح حنان رجاء سوسن جورج إلياس بطرس ميشال أنطوان"
)
_SURNAMES = (
    "王李张張刘劉陈陳杨楊黄黃赵趙吴吳周徐孙孫马馬朱胡郭何林高罗羅郑鄭梁谢謝宋唐许許韩韓冯馮邓鄧曹彭曾肖蕭田董袁潘于蒋蔣"
    "蔡余杜叶葉程苏蘇魏吕呂丁任沈姚卢盧姜崔钟鐘谭譚陆陸汪范范石廖贾賈夏韦韋付方白邹鄒孟熊秦邱江尹薛闫閻段雷侯龙龍史陶黎"
    "贺賀顾顧毛郝龚龔邵万萬钱錢严嚴覃武戴莫孔向汤湯欧歐柯章施温溫纪紀康骆駱阮裴苗陶安常岳齐梅盛童"
)
_PLACE_ENDS = "省市县縣区區州镇鎮村乡鄉国國岛島河江山湖路街桥橋港湾灣"
_BODY_ENDS = (
    "公司",
    "集团",
    "集團",
    "大学",
    "大學",
    "医院",
    "醫院",
    "银行",
    "銀行",
    "委员会",
    "委員會",
    "法院",
    "协会",
    "協會",
)
_HAN_ROLES = (
    "先生 女士 部长 部長 总统 總統 总理 總理 市长 市長 主席 书记 書記 局长 局長 主任 发言人 發言人 教授 博士 经理 經理 校长 校長"
    " 院长 院長 厂长 廠長 村长 镇长 鎮長 选手 選手 队员 隊員 球员 球員 演员 演員 作家 画家 畫家 歌手 警官 院士 老师 老師 工程师 科学家 乘客 船长 机长 司机 店主 医生 醫生 护士 学生 學生 法官 律师 律師 议员 議員 记者 記者 教练 教練 队长 隊長 馆长 館長 所长 所長 处长 處長 省长 省長 县长 縣長 导演 导师"
).split()
HAN_NEGATIONS = "不没沒未无無非勿莫别"
HAN_NO_NEGATIONS = (
    "不过 不過 不仅 不僅 不但 不少 不同 不断 不斷 不久 不管 不论 不論 不得不 不满 不安 不幸 不错 差不多 了不起 对不起 未来 未來 无论"
    " 無論 无线 無線 非常 非洲 除非 并非洲 别人 特别 区别 级别 分别 性别 个别 告别 莫斯科 莫名 无人机 無人機 无锡 未婚 无疑"
).split()
HAN_NUMERALS = "〇零一二三四五六七八九十百千万萬亿億两兩半"


def read_negations(language: str) -> frozenset[str]:
    """Return the words of *language* that deny, in lower case; of all languages that are known if it is not."""
    return _words(_NEGATIONS, language)


def read_numbers(language: str) -> dict[str, str]:
    """Return number words of *language* → value; an ordinal has a point behind it."""
    return _values(_NUMBERS, language)


def read_days(language: str) -> dict[str, str]:
    """Return the days of the week in *language* → number from 1."""
    return _WEEK.get(language, {})


def read_titles(language: str) -> frozenset[str]:
    """Return words that stand before names in *language*."""
    return frozenset(_TITLES.get(language, "").split())


def is_arabic_given_name(word: str) -> bool:
    """Whether *word* is a first name that many have, or begins as those with a servant's name of God do."""
    return word in _GIVEN or word.startswith("عبد") or word.removeprefix("و") in _GIVEN


def begins_with_han_kind(text: str) -> bool:
    """Whether *text* begins with what a place or a company is, behind its name."""
    return text[:1] in _PLACE_ENDS or text.startswith((*_BODY_ENDS, "有限公司", "股份"))


def is_han_name(text: str) -> bool:
    """Whether *text*, Han letters, is built as the name of a person or place is."""
    if 2 <= len(text) <= 4 and text[0] in _SURNAMES:
        return True
    return len(text) >= 2 and (text[-1] in _PLACE_ENDS or text.endswith(_BODY_ENDS))


def is_han_surname(letter: str) -> bool:
    """Whether *letter* is a family name that many have."""
    return letter in _SURNAMES


def ends_in_han_role(text: str) -> bool:
    """Whether *text* ends in what people are called by their post, after which a name stands."""
    return text.endswith(tuple(_HAN_ROLES))


def begins_with_han_role(text: str) -> bool:
    """Whether *text* begins with what people are called by their post, before which a name may stand."""
    return text.startswith(tuple(_HAN_ROLES))


def _words(table: dict[str, str], language: str) -> frozenset[str]:
    return frozenset(table.get(language, "").split())


def _values(table: dict[str, str], language: str) -> dict[str, str]:
    return dict(pair.split("=", 1) for pair in table.get(language, "").split())


_GIVEN = frozenset(_GIVEN_NAMES.split())
_WEEK = {
    language: {name: str(number) for number, name in enumerate(names.split(), 1)}
    | dict(pair.split("=") for pair in _MORE_DAYS.get(language, "").split())
    for language, names in _DAYS.items()
}
