"""First names that many have and words that no name has, in Arabic, which knows no capitals. Data, and its look-ups."""

from __future__ import annotations

_NAMES = """
محمد أحمد محمود علي حسن حسين إبراهيم إسماعيل يوسف يونس خليل خالد عمر عثمان سعيد سعد سالم سامي سمير كريم كمال جمال جميل
طارق فؤاد فارس فيصل ماجد مازن مروان مصطفى منير موسى عيسى نادر ناصر نبيل نزار هاني هشام وائل وليد ياسر ياسين زياد زين
رامي رشيد رائد رياض صالح صلاح طلال عادل عامر عباس عماد غسان فادي قاسم لؤي داود سليمان بلال أنس أيمن أمجد أكرم أنور
فاطمة عائشة مريم زينب خديجة ليلى سلمى سعاد سميرة نادية هدى هند رنا ريم رانيا دينا دلال جميلة أمل أمينة إيمان منى مها
نجلاء نورا نور هالة وفاء ياسمين سارة سحر سناء شيماء لمى لينا عبير غادة فرح حنان رجاء سوسن جورج إلياس بطرس ميشال أنطوان
"""
_GIVEN_NAMES = frozenset(_NAMES.split())
_FUNCTION_TEXT = """
من في على إلى عن مع أن إن كان كانت قد لقد لم لن لا ما هذا هذه ذلك تلك التي الذي الذين بعد قبل منذ حتى خلال عند
حول ضد بين
"""
_FUNCTION_WORDS = frozenset(_FUNCTION_TEXT.split())
_SERVANT = "عبد"
"""Begins the names that call one a servant of God."""
_AND = "و"


def is_function_word(word: str) -> bool:
    """Whether *word* joins others, and stands in no name."""
    return word in _FUNCTION_WORDS


def is_given_name(word: str) -> bool:
    """Whether *word* is a first name that many have."""
    return word in _GIVEN_NAMES or word.startswith(_SERVANT) or word.removeprefix(_AND) in _GIVEN_NAMES
