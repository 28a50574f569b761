"""Names of the days of the week → their number. Data, and its look-up."""

from __future__ import annotations

from jobs.edits.vocabulary.rows import read_pairs, read_rows

_TABLE = """
en monday tuesday wednesday thursday friday saturday sunday
de montag dienstag mittwoch donnerstag freitag samstag sonntag
es lunes martes miércoles jueves viernes sábado domingo
fr lundi mardi mercredi jeudi vendredi samedi dimanche
it lunedì martedì mercoledì giovedì venerdì sabato domenica
pt segunda-feira terça-feira quarta-feira quinta-feira sexta-feira sábado domingo
ru понедельник вторник среда четверг пятница суббота воскресенье
ar الاثنين الثلاثاء الأربعاء الخميس الجمعة السبت الأحد
"""
"""From Monday to Sunday."""
_FORMS = """
de sonnabend=6 montagabend=1 dienstagabend=2
ru понедельника=1 вторника=2 среду=3 среды=3 четверга=4 пятницу=5 пятницы=5 субботу=6 субботы=6 воскресенья=7
ar الإثنين=1 الاربعاء=3 الاحد=7
"""
"""Their other forms."""

_NUMBERS = {
    language: {name: str(number) for number, name in enumerate(names, 1)} | read_pairs(_FORMS).get(language, {})
    for language, names in read_rows(_TABLE).items()
}
_NONE: dict[str, str] = {}


def read_days(language: str) -> dict[str, str]:
    """Return the days of the week in *language* → number from 1, in lower case; none if it is not known."""
    return _NUMBERS.get(language, _NONE)
