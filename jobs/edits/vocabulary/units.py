"""Units of measure, money and time → what they are. Data, and its look-up."""

from __future__ import annotations

from jobs.edits.vocabulary.rows import read_pairs

_SIGNS = """
mm=mm cm=cm dm=dm m=m km=km mg=mg g=g kg=kg t=t ml=ml l=l kw=kw mw=mw gw=gw kwh=kwh mwh=mwh gwh=gwh %=% €=eur $=usd
£=gbp ¥=yen
"""
_TABLE = """
en millimetre=mm millimetres=mm millimeter=mm millimeters=mm centimetre=cm centimetres=cm centimeter=cm centimeters=cm
 metre=m metres=m meter=m meters=m kilometre=km kilometres=km kilometer=km kilometers=km mile=mi miles=mi foot=ft
 feet=ft inch=in inches=in milligrams=mg gram=g grams=g kilogram=kg kilograms=kg kilos=kg tonne=t tonnes=t ton=ton
 tons=ton litre=l litres=l liter=l liters=l gallon=gal gallons=gal percent=% dollar=usd dollars=usd euro=eur euros=eur
 pound=gbp pounds=gbp yen=yen yuan=cny second=s seconds=s minute=min minutes=min hour=h hours=h day=d days=d week=w
 weeks=w month=mo months=mo year=a years=a decade=10a decades=10a
de millimeter=mm zentimeter=cm meter=m metern=m kilometer=km kilometern=km meile=mi meilen=mi gramm=g kilo=kg
 kilogramm=kg tonne=t tonnen=t liter=l prozent=% prozentpunkte=pp prozentpunkten=pp dollar=usd euro=eur cent=ct
 pfund=gbp franken=chf sekunde=s sekunden=s minute=min minuten=min stunde=h stunden=h tag=d tage=d tagen=d woche=w
 wochen=w monat=mo monate=mo monaten=mo jahr=a jahre=a jahren=a jahrzehnte=10a jahrzehnten=10a
es milímetro=mm milímetros=mm centímetro=cm centímetros=cm metro=m metros=m kilómetro=km kilómetros=km gramo=g
 gramos=g kilo=kg kilos=kg kilogramos=kg tonelada=t toneladas=t litro=l litros=l dólar=usd dólares=usd euro=eur
 euros=eur peso=peso pesos=peso libra=gbp libras=gbp segundo=s segundos=s minuto=min minutos=min hora=h horas=h día=d
 días=d semana=w semanas=w mes=mo meses=mo año=a años=a décadas=10a
fr millimètre=mm millimètres=mm centimètre=cm centimètres=cm mètre=m mètres=m kilomètre=km kilomètres=km gramme=g
 grammes=g kilo=kg kilos=kg kilogrammes=kg tonne=t tonnes=t litre=l litres=l dollar=usd dollars=usd euro=eur euros=eur
 livres=gbp seconde=s secondes=s minute=min minutes=min heure=h heures=h jour=d jours=d semaine=w semaines=w mois=mo
 an=a ans=a année=a années=a
ru миллиметр=mm миллиметра=mm миллиметров=mm мм=mm сантиметр=cm сантиметра=cm сантиметров=cm см=cm метр=m метра=m
 метров=m километр=km километра=km километров=km км=km грамм=g грамма=g граммов=g килограмм=kg килограмма=kg
 килограммов=kg кг=kg тонна=t тонны=t тонн=t литр=l литра=l литров=l процент=% процента=% процентов=% доллар=usd
 доллара=usd долларов=usd евро=eur рубль=rub рубля=rub рублей=rub копеек=kop секунды=s секунд=s минута=min минуты=min
 минут=min час=h часа=h часов=h день=d дня=d дней=d неделя=w недели=w недель=w месяц=mo месяца=mo месяцев=mo год=a
 года=a лет=a
ar مليمتر=mm مليمترات=mm سنتيمتر=cm سنتيمترات=cm متر=m مترا=m أمتار=m كيلومتر=km كيلومترا=km كيلومترات=km غرام=g
 غراما=g غرامات=g كيلوغرام=kg كيلوغراما=kg كيلوغرامات=kg طن=t طنا=t أطنان=t لتر=l لترا=l دولار=usd دولارا=usd
 دولارات=usd يورو=eur جنيه=egp جنيها=egp جنيهات=egp ثانية=s ثوان=s دقيقة=min دقائق=min ساعة=h ساعات=h يوم=d يوما=d
 أيام=d أسبوع=w أسبوعا=w أسابيع=w شهر=mo شهرا=mo أشهر=mo شهور=mo عام=a عاما=a أعوام=a سنة=a سنوات=a
"""

_UNITS = read_pairs(_TABLE)
_PLAIN = dict(pair.split("=") for pair in _SIGNS.split())


def read_unit(word: str, language: str) -> str | None:
    """Return what unit *word*, in lower case, is in *language*; `None` if it is none that is known."""
    return _UNITS.get(language, {}).get(word) or _PLAIN.get(word)
