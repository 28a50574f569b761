"""What names are made of, in Han letters, which have no capitals: of people, places, bodies. Data, and its look-ups."""

from __future__ import annotations

_SURNAME_LETTERS = """
王李张張刘劉陈陳杨楊黄黃赵趙吴吳周徐孙孫马馬朱胡郭何林高罗羅郑鄭梁谢謝宋唐许許韩韓冯馮邓鄧曹彭曾肖蕭田董袁潘于蒋蔣蔡
余杜叶葉程苏蘇魏吕呂丁任沈姚卢盧姜崔钟鐘谭譚陆陸汪范石廖贾賈夏韦韋付方白邹鄒孟熊秦邱江尹薛闫閻段雷侯龙龍史陶黎贺賀顾
顧毛郝龚龔邵万萬钱錢严嚴覃武戴莫孔向汤湯欧歐柯章施温溫纪紀康骆駱阮裴苗安常岳齐梅盛童
"""
_SURNAMES = frozenset("".join(_SURNAME_LETTERS.split()))
_PLACE_ENDS = "省市县縣区區州镇鎮村乡鄉国國岛島河江山湖路街桥橋港湾灣"
_BODY_WORDS = """
公司 集团 集團 大学 大學 医院 醫院 银行 銀行 委员会 委員會 法院 协会 協會
"""
_BODY_ENDS = tuple(_BODY_WORDS.split())
_KIND_BEGINNINGS = (*_PLACE_ENDS, *_BODY_ENDS, "有限公司", "股份")
_ROLE_WORDS = """
先生 女士 部长 部長 总统 總統 总理 總理 市长 市長 主席 书记 書記 局长 局長 主任 发言人 發言人 教授 博士 经理 經理 校长
校長 院长 院長 厂长 廠長 村长 镇长 鎮長 选手 選手 队员 隊員 球员 球員 演员 演員 作家 画家 畫家 歌手 警官 院士 老师
老師 工程师 科学家 乘客 船长 机长 司机 店主 医生 醫生 护士 学生 學生 法官 律师 律師 议员 議員 记者 記者 教练 教練 队长
隊長 馆长 館長 所长 所長 处长 處長 省长 省長 县长 縣長 导演 导师 候选人 候選人
"""
_ROLES = tuple(_ROLE_WORDS.split())
_MOST_OF_NAME = 4


def is_name(text: str) -> bool:
    """Whether *text*, Han letters, is built as the name of a person or place is."""
    if 2 <= len(text) <= _MOST_OF_NAME and text[0] in _SURNAMES:
        return True
    return len(text) > 1 and (text[-1] in _PLACE_ENDS or text.endswith(_BODY_ENDS))


def is_surname(letter: str) -> bool:
    """Whether *letter* is a family name that many have."""
    return letter in _SURNAMES


def begins_with_kind(text: str) -> bool:
    """Whether *text* begins with what a place or a company is, behind its name."""
    return text.startswith(_KIND_BEGINNINGS)


def ends_in_role(text: str) -> bool:
    """Whether *text* ends in what people are called by their post, after which a name stands."""
    return text.endswith(_ROLES)


def begins_with_role(text: str) -> bool:
    """Whether *text* begins with what people are called by their post, before which a name may stand."""
    return text.startswith(_ROLES)
