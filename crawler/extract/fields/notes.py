"""What an article says beside its story → fields: corrections, wherever they stand, and boxes of facts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from crawler.extract.body.blocks import read_blocks
from crawler.extract.page.metadata import Metadata, text_of
from crawler.extract.page.signs import BYLINE, CAPTION, COMMENT, CONSENT, CORRECTION, GALLERY, PAYWALL, RELATED
from crawler.extract.page.tree import BLOCK_TAGS, HEADING_TAGS

if TYPE_CHECKING:
    from crawler.extract.fields.openings import Opening
    from crawler.extract.fields.statements import Fields
    from crawler.extract.page.tree import Element

_LABELS = (
    r"corrections?(?: and clarifications?)?|clarifications?|editor['’]?s['’]? notes?|editors['’] note|for the record"
    r"|korrektur(?:hinweis)?|richtigstellung|berichtigung|anmerkung(?:en)? der redaktion|hinweis der redaktion"
    r"|rectificatif|erratum|errata|mise au point|note de la rédaction|corrección|rectificación|fe de (?:errores"
    r"|erratas)"
    r"|aclaración|nota (?:de la redacción|del editor|da redação|del director|della redazione)|errata corrige|rettifica"
    r"|precisazione|correção|erramos|correctie|rectificatie|verduidelijking|rättelse|rettelse|oikaisu|sprostowanie"
    r"|korekta|oprava|düzeltme|helyesbítés|erată|διόρθωση|исправление|уточнение|поправка|від редакції|виправлення"
    r"|सुधार|भूल सुधार|संशोधन|সংশোধন|תיקון|הבהרה|แก้ไข"
    r"|koreksi|ralat|catatan redaksi|đính chính|تصحيح|تنويه|توضيح|ملاحظة المحرر|اصلاحیه|訂正|おわび|更正|勘误|勘誤|정정"
    r"|바로잡습니다"
)
_SENTENCES = (
    r"(?:an|the) (?:earlier|previous|original) version of (?:this|the)\b|this (?:article|story|report|post|piece|item"
    r"|page)"
    r" (?:was|has been) (?:amended|corrected|edited|clarified|updated) (?:on|to|at|since|after)\b"
    r"|this (?:article|story|report|post|piece) has been corrected"
    r"|in (?:einer|der) (?:früheren|ersten|vorherigen|ursprünglichen) (?:version|fassung)|une (?:première )?version"
    r" (?:précédente|antérieure|initiale)|dans une (?:première|précédente) version|una versión anterior de|una versione"
    r" precedente|uma versão anterior|in een eerdere versie|i en tidligare version|i en tidigare version"
    r"|i en tidligere (?:version|versjon|utgave)|jutun aiemmassa|w poprzedniej wersji|w pierwotnej wersji"
    r"|इस (?:ख़बर|खबर|लेख|रिपोर्ट) के (?:पिछले|पहले) संस्करण"
    r"|в предыдущей версии|в попередній версії|önceki versiyonunda|versi sebelumnya"
)
_OPENING = r"^[\s*\[(【■▼●†‡]*"
_NOTE = re.compile(
    rf"{_OPENING}(?:(?:{_LABELS})\s*(?:[\])】]|：|[:،.—–-](?!\w)|\(|,? \d|$|\s*(?:am|on|of|vom|du|del)? ?\d)"
    rf"|(?:{_SENTENCES}))",
    re.IGNORECASE,
)
_LABEL = re.compile(rf"{_OPENING}(?:{_LABELS})[\s\])】:：.—–-]*$", re.IGNORECASE)
_LETTERS = (
    "co cl ed fo ko ri be an hi re er mi no fe ac pr ve rä oi sp op dü he δι ис ут по ві ви ra ca đí th in un da "
    "ju w в ön i si um une у सु भू सं इस সং תי הב แก تص تن تو مل اص 訂正 おわ 更正 勘误 勘誤 정정 바로"
)
NOTE_STARTS = frozenset([*_LETTERS.split(), "w ", "в ", "i ", "у "])
"""The first two letters of all these, by which nearly every other line is passed over at once."""
_NOTE_CHARS = 3_000
_LEAST_CHARS = 25
_MAX_NOTES = 20
_ELSEWHERE = frozenset({"comments", "related", "links", "a nav element", "a form element", "consent", "hidden"})
_BOX_REASONS = frozenset({"a aside element", "facts", "furniture", "a details element", "role complementary"})
_NO_FACTS = RELATED | COMMENT | CONSENT | PAYWALL | GALLERY | BYLINE | CAPTION
_FACTS_NAME = re.compile(
    r"fact-?s?(?:box|\b)|info-?box|fakten|faktaboks|faktaruta|kasten|encadr|recuadro|despiece|box-?info|key-?points"
    r"|explainer|glossar|steckbrief",
    re.IGNORECASE,
)
_BOX_CHARS = (80, 4_000)
_BOX_ELEMENTS = 150
_TITLE_CHARS = 120
_ENDS = (".", "!", "?", "…", "。", "؟", "۔", "।", ".”", '."', ".»", ")")


def begins_as_note(text: str) -> bool:
    """Whether *text* begins as corrections and notes of editors do."""
    return _NOTE.match(text[:200]) is not None


def read_corrections(fields: Fields, found: Metadata, place: Element, openings: list[Opening]) -> None:
    """Add `corrections`: the notes of the editors that *place* shows, else those that JSON-LD states."""
    notes: dict[str, None] = {}
    end = place.order
    seen: set[Element | None] = {None}
    for element, opening in openings:
        if not end <= element.order < place.end or not _NOTE.match(opening):
            continue
        block = _find_block(element)
        if block in seen:
            continue
        seen.add(block)
        holder = _find_holder(block, place) if block is not None else None
        if holder is None or any(one.dropped in _ELSEWHERE for one in [holder, *holder.ancestors()] if one.dropped):
            continue
        text = holder.text()
        if len(text) >= _LEAST_CHARS and (holder is not block or begins_as_note(text)):
            notes[text] = None
            end = holder.end
            if len(notes) >= _MAX_NOTES:
                break
    for box in [box for box in place.signed(CORRECTION) if box.dropped == "a correction"][:_MAX_NOTES]:
        text = box.text()
        if not any(note in text or text in note for note in notes):
            notes[text] = None
    fields.put("corrections", list(notes), "visible")
    stated = found.article.get("correction")
    if stated:
        items = stated if isinstance(stated, list) else [stated]
        texts = [
            text_of(one.get("text") or one) if isinstance(one, dict) else text_of(one) for one in items[:_MAX_NOTES]
        ]
        fields.put("corrections", [text for text in texts if text], "json-ld")


def _find_block(element: Element) -> Element | None:
    return next((one for one in (element, *element.ancestors()) if one.tag in BLOCK_TAGS), None)


def _find_holder(block: Element, place: Element) -> Element | None:
    """Return *block*, in which a note may begin, or the box in *place* of which it is but the label."""
    if block.chars > _NOTE_CHARS:
        return None
    label = block.text()
    if not _LABEL.match(label):
        return block
    around = block.parent
    if around is None or around.order <= place.order or around.chars > _NOTE_CHARS:
        return None
    return around if around.text().startswith(label) else None


def read_fact_boxes(fields: Fields, container: Element) -> None:
    """Add `fact_boxes`: what stands in the body's boxes that have a heading and sentences or a list of their own."""
    boxes: list[dict[str, str]] = []
    end = 0
    for element in container.walk():
        if element.order < end or not element.dropped:
            continue
        end = element.end
        if element.dropped in _BOX_REASONS and (box := _read_box(element)):
            boxes.append(box)
            if len(boxes) >= _MAX_NOTES:
                break
    fields.put("fact_boxes", boxes, "visible")


def _read_box(element: Element) -> dict[str, str] | None:
    if not _BOX_CHARS[0] <= element.chars <= _BOX_CHARS[1] or element.end - element.order > _BOX_ELEMENTS:
        return None
    named = _FACTS_NAME.search(f"{element.get('class')} {element.get('id')}") is not None
    if element.signs & _NO_FACTS or element.link_density > 0.3 or (element.dropped == "furniture" and not named):
        return None
    if element.find("input", "button", "form", "iframe", "video", "audio") is not None:
        return None
    heading = element.find(*HEADING_TAGS, "summary", "strong", "b")
    if heading is None or not 1 < heading.chars <= _TITLE_CHARS or heading.link_density > 0.5:
        return None
    if element.text_before(heading):
        return None
    title = heading.text()
    lines = [line for block in read_blocks([element]) for line in block.lines]
    lines = lines[1:] if lines and lines[0] == title else lines
    sentences = sum(len(line) for line in lines if line.endswith(_ENDS))
    listed = len(element.below("li", "tr", "dd"))
    if not lines or (2 * sentences < sum(map(len, lines)) and listed < 3 and not named):
        return None
    return {"title": title, "text": "\n".join(lines)}
