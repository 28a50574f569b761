"""Words that stand before names (forms of address, posts, kinds of places and bodies) and between their parts. Data."""

from __future__ import annotations

from jobs.edits.vocabulary.rows import read_rows

_TABLE = """
en mr mrs ms dr sir lord lady dame president minister senator mayor governor judge general captain professor secretary
 chancellor king queen prince princess pope
de herr herrn frau dr prof präsident präsidentin minister ministerin kanzler kanzlerin bürgermeister bürgermeisterin
 oberbürgermeister oberbürgermeisterin richter richterin sprecher sprecherin senator senatorin trainer trainerin
 vorsitzende vorsitzender vorsitzenden chef chefin autor autorin direktor direktorin könig königin professor professorin
 abgeordnete abgeordneter landrat landrätin innenminister innenministerin finanzminister finanzministerin außenminister
 außenministerin geschäftsführer geschäftsführerin
ar السيد السيدة الدكتور الدكتورة الرئيس الرئيسة الوزير الوزيرة النائب النائبة المدير المديرة القاضي القاضية اللواء
 العميد العقيد الشيخ الأمير الأميرة الملك الملكة المتحدث المتحدثة المدرب اللاعب الكاتب الكاتبة المحامي المحامية الأستاذ
 الأستاذة المهندس المهندسة الجنرال الأمين رئيس رئيسة وزير وزيرة مدير مديرة محافظ عمدة أمين مدينة بلدة قرية محافظة شركة
 منطقة حي نهر ميناء جامعة مستشفى باسم سفير قائد حاكم الباحث الباحثة الطبيب الطبيبة الصحفي الصحفية الفنان الفنانة الشاعر
 الشاعرة المخرج المخرجة العالم العالمة المؤلف المؤلفة المعلم المعلمة الطالب الطالبة السائق الشاب الشابة الشاهد الشاهدة
 المتهم المتهمة اللاعبة الممثل الممثلة جمعية مؤسسة منظمة فرقة مصنع نادي فندق مطعم مسرح مدرسة كلية بحيرة جبل جزيرة شارع
 وادي قلعة صحيفة مجلة قناة فيلم رواية كتاب مصرف بنك
"""
_PARTICLES = """
фон ван де да ди аль de del la las los el da das do dos di du des van von der den ter ten zu zur bin al ibn
and y und e i
"""

PARTICLES = frozenset(_PARTICLES.split())
"""Words between the parts of a name, in any language."""
_WORDS = {language: frozenset(words) for language, words in read_rows(_TABLE).items()}
_NONE: frozenset[str] = frozenset()


def read_titles(language: str) -> frozenset[str]:
    """Return words that stand before names in *language*, in lower case; none if it is not known."""
    return _WORDS.get(language, _NONE)
