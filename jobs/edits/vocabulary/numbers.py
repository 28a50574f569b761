"""Number words → their values. Data, and its look-up."""

from __future__ import annotations

from jobs.edits.vocabulary.rows import read_pairs

_TABLE = """
en zero=0 one=1 two=2 three=3 four=4 five=5 six=6 seven=7 eight=8 nine=9 ten=10 eleven=11 twelve=12 thirteen=13
 fourteen=14 fifteen=15 sixteen=16 seventeen=17 eighteen=18 nineteen=19 twenty=20 thirty=30 forty=40 fifty=50 sixty=60
 seventy=70 eighty=80 ninety=90 hundred=100 hundreds=100 thousand=1000 thousands=1000 million=1000000 millions=1000000
 billion=1000000000 billions=1000000000 dozen=12 dozens=12 half=½ quarter=¼ third=3. first=1. second=2. fourth=4.
 fifth=5. sixth=6. seventh=7. eighth=8. ninth=9. tenth=10. twice=2 double=2 triple=3
de null=0 eins=1 ein=1 eine=1 einen=1 einem=1 einer=1 zwei=2 drei=3 vier=4 fünf=5 sechs=6 sieben=7 acht=8 neun=9
 zehn=10 elf=11 zwölf=12 dreizehn=13 vierzehn=14 fünfzehn=15 sechzehn=16 siebzehn=17 achtzehn=18 neunzehn=19 zwanzig=20
 dreißig=30 vierzig=40 fünfzig=50 sechzig=60 siebzig=70 achtzig=80 neunzig=90 hundert=100 hunderte=100 tausend=1000
 tausende=1000 million=1000000 millionen=1000000 milliarde=1000000000 milliarden=1000000000 dutzend=12 dutzende=12
 hälfte=½ viertel=¼ drittel=⅓ erste=1. ersten=1. erster=1. zweite=2. zweiten=2. dritte=3. dritten=3. vierte=4.
 vierten=4. fünfte=5. fünften=5. sechste=6. sechsten=6. siebte=7. achte=8. neunte=9. zehnte=10.
es cero=0 un=1 uno=1 una=1 dos=2 tres=3 cuatro=4 cinco=5 seis=6 siete=7 ocho=8 nueve=9 diez=10 once=11 doce=12 trece=13
 catorce=14 quince=15 dieciséis=16 diecisiete=17 dieciocho=18 diecinueve=19 veinte=20 veintiuno=21 veintidós=22
 veintitrés=23 veinticuatro=24 veinticinco=25 treinta=30 cuarenta=40 cincuenta=50 sesenta=60 setenta=70 ochenta=80
 noventa=90 cien=100 ciento=100 cientos=100 doscientos=200 trescientos=300 quinientos=500 mil=1000 miles=1000
 millón=1000000 millones=1000000 docena=12 docenas=12 mitad=½ tercio=⅓ cuarto=4. primera=1. primero=1. primer=1.
 segunda=2. segundo=2. tercera=3. tercero=3. tercer=3. cuarta=4. quinta=5. quinto=5.
fr zéro=0 un=1 une=1 deux=2 trois=3 quatre=4 cinq=5 six=6 sept=7 huit=8 neuf=9 dix=10 onze=11 douze=12 treize=13
 quatorze=14 quinze=15 seize=16 vingt=20 trente=30 quarante=40 cinquante=50 soixante=60 cent=100 cents=100 mille=1000
 milliers=1000 million=1000000 millions=1000000 milliard=1000000000 milliards=1000000000 douzaine=12 moitié=½ tiers=⅓
 premier=1. première=1. deuxième=2. seconde=2. second=2. troisième=3. quatrième=4. cinquième=5.
it zero=0 uno=1 una=1 due=2 tre=3 quattro=4 cinque=5 sei=6 sette=7 otto=8 nove=9 dieci=10 undici=11 dodici=12 venti=20
 trenta=30 quaranta=40 cinquanta=50 cento=100 mille=1000 mila=1000 milione=1000000 milioni=1000000 miliardo=1000000000
 miliardi=1000000000 metà=½ primo=1. prima=1. secondo=2. seconda=2. terzo=3. terza=3.
pt zero=0 um=1 uma=1 dois=2 duas=2 três=3 quatro=4 cinco=5 seis=6 sete=7 oito=8 nove=9 dez=10 onze=11 doze=12 vinte=20
 trinta=30 quarenta=40 cinquenta=50 cem=100 cento=100 mil=1000 milhão=1000000 milhões=1000000 bilhão=1000000000
 bilhões=1000000000 metade=½ primeiro=1. primeira=1. segundo=2. segunda=2. terceiro=3. terceira=3.
ru ноль=0 полтора=1.5 полторы=1.5
 один=1 одна=1 одно=1 одного=1 одной=1 два=2 две=2 двух=2 двое=2 двумя=2 три=3 трёх=3 трех=3 трое=3 троих=3
 четыре=4 четырёх=4 четырех=4 четверо=4 четверых=4 пять=5 пяти=5 пятеро=5 пятерых=5 шесть=6 шести=6 шестеро=6 семь=7
 семи=7 семеро=7 восемь=8 восьми=8 девять=9 девяти=9 десять=10 десяти=10 одиннадцать=11 двенадцать=12 тринадцать=13
 четырнадцать=14 пятнадцать=15 шестнадцать=16 семнадцать=17 восемнадцать=18 девятнадцать=19 двадцать=20 двадцати=20
 тридцать=30 тридцати=30 сорок=40 сорока=40 пятьдесят=50 шестьдесят=60 семьдесят=70 восемьдесят=80 девяносто=90 сто=100
 ста=100 двести=200 триста=300 четыреста=400 пятьсот=500 сотни=100 тысяча=1000 тысячи=1000 тысяч=1000 тыс=1000
 миллион=1000000 миллиона=1000000 миллионов=1000000 млн=1000000 миллиард=1000000000 миллиарда=1000000000
 миллиардов=1000000000 млрд=1000000000 половина=½ половины=½ треть=⅓ трети=⅓ четверть=¼ первый=1. первая=1. первого=1.
 первой=1. второй=2. вторая=2. второго=2. третий=3. третья=3. третьего=3. третьей=3. четвёртый=4. четвертый=4. пятый=5.
ar صفر=0 واحد=1 واحدة=1 اثنان=2 اثنين=2 اثنتان=2 اثنتين=2 ثلاثة=3 ثلاث=3 أربعة=4 أربع=4 خمسة=5 خمس=5 ستة=6 ست=6 سبعة=7
 سبع=7 ثمانية=8 ثماني=8 ثمان=8 تسعة=9 تسع=9 عشرة=10 عشر=10 عشرون=20 عشرين=20 ثلاثون=30 ثلاثين=30 أربعون=40 أربعين=40
 خمسون=50 خمسين=50 ستون=60 ستين=60 سبعون=70 سبعين=70 ثمانون=80 ثمانين=80 تسعون=90 تسعين=90 مئة=100 مائة=100 مئتا=200
 مئتي=200 مئتين=200 مئات=100 ألف=1000 ألفا=2000 ألفي=2000 ألفين=2000 آلاف=1000 مليون=1000000 مليونا=1000000
 مليوني=2000000 ملايين=1000000 مليار=1000000000 مليارات=1000000000 نصف=½ ثلث=⅓ ربع=¼ الأول=1. الأولى=1. الثاني=2.
 الثانية=2. الثالث=3. الثالثة=3. الرابع=4. الرابعة=4. الخامس=5. الخامسة=5. السادس=6. السادسة=6. السابع=7. السابعة=7.
 الثامن=8. الثامنة=8. التاسع=9. التاسعة=9. العاشر=10. العاشرة=10. شخصان=2 شخصين=2 قتيلان=2 قتيلين=2 يومان=2 يومين=2
 عامان=2 عامين=2 شهران=2 شهرين=2 أسبوعين=2 ساعتين=2 جريحان=2 جريحين=2
"""
"""An ordinal has a point behind its value."""
JOINERS = frozenset(["", "and", "und", "en", "y", "et", "e", "و"])
"""Words between the parts of one number."""
HAN_NUMERALS = "〇零一二三四五六七八九十百千万萬亿億两兩半"

_VALUES = read_pairs(_TABLE)
_NONE: dict[str, str] = {}


def read_numbers(language: str) -> dict[str, str]:
    """Return number words of *language* → value (`3`, `3.` for the third, `½`); none if it is not known."""
    return _VALUES.get(language, _NONE)
