"""Texts changed as a whole: parts taken away or put in, other letters, other widths, parts joined."""

from __future__ import annotations

from meristem.errors import EvaluationError, Reason
from meristem.language.vocabulary import primitive, subroutine
from meristem.primitives._columns import check_size


@primitive(
    "text, int, text -> text", cost=2, examples=[(("7", 3, "."), "7.."), (("7", 3, ""), EvaluationError)]
)
def pad_right(text: str, width: int, fill: str) -> str:
    """The text filled up on its right to a width with one character. A fill that is none fails."""
    if len(fill) != 1:
        raise EvaluationError(Reason.DOMAIN)
    check_size(width)
    return text.ljust(width, fill)


@primitive("text, text -> text", cost=2, examples=[(("--a-b.", "-."), "a-b"), (("ab", ""), "ab")])
def strip_characters(text: str, unwanted: str) -> str:
    """The text without any of some characters at its ends."""
    return text.strip(unwanted) if unwanted else text


subroutine(
    "remove_text",
    "text, text -> text",
    "text, part",
    'replace(text, part, "")',
    doc="The text without another wherever that stands.",
    hints={1: (" ", ",", "-", ".")},
    examples=[(("801-345-1987", "-"), "8013451987"), (("ab", ""), EvaluationError)],
)
subroutine(
    "replace_first",
    "text, text, text -> text",
    "text, old, new",
    "let place = text_find(text, old) in "
    "if is_some(place) then concat_text(concat_text(text_take(text, value(place)), new), "
    "text_drop(text, value(place) + text_length(old))) else text",
    doc="The text with one text put for another where that first stands; as it is where it does not.",
    cost=2,
    examples=[(("aba", "a", "c"), "cba"), (("ab", "x", "c"), "ab"), (("ab", "", "c"), "cab")],
)
subroutine(
    "replace_nth",
    "text, text, text, int -> text",
    "text, old, new, n",
    "let parts = split(text, old) in if length(parts) <= n + 1 then text else "
    "concat_text(concat_text(join_text(take(parts, n + 1), old), new), join_text(drop(parts, n + 1), old))",
    doc="The text with one text put for another where that stands for the time that a number says, from 0.",
    cost=3,
    examples=[(("a-b-c", "-", "+", 1), "a-b+c"), (("a-b", "-", "+", 1), "a-b")],
)
subroutine(
    "remove_first_text",
    "text, text -> text",
    "text, part",
    'replace_first(text, part, "")',
    doc="The text without another where that first stands.",
    cost=2,
    examples=[(("zx66z", "z"), "x66z"), (("ab", "x"), "ab")],
)
subroutine(
    "remove_prefix",
    "text, text -> text",
    "text, part",
    "if starts_with(text, part) then text_drop(text, text_length(part)) else text",
    doc="The text without another at its start.",
    cost=2,
    examples=[(("Dr. Ada", "Dr. "), "Ada"), (("Ada", "Dr. "), "Ada")],
)
subroutine(
    "remove_suffix",
    "text, text -> text",
    "text, part",
    "if ends_with(text, part) then text_drop_last(text, text_length(part)) else text",
    doc="The text without another at its end.",
    cost=2,
    examples=[(("Trucking Inc.", " Inc."), "Trucking"), (("a", "b"), "a")],
)
subroutine(
    "insert_text",
    "text, int, text -> text",
    "text, index, part",
    "concat_text(concat_text(text_take(text, index), part), text_drop(text, index))",
    doc="The text with another put in at a position.",
    cost=2,
    examples=[(("0612", 2, "-"), "06-12"), (("ab", -1, "-"), EvaluationError)],
)
subroutine(
    "surround",
    "text, text, text -> text",
    "text, before, after",
    "concat_text(concat_text(before, text), after)",
    doc="The text with one text before and another after it.",
    examples=[(("a", "(", ")"), "(a)")],
)
subroutine(
    "join_with",
    "text, text, text -> text",
    "left, separator, right",
    "concat_text(concat_text(left, separator), right)",
    doc="Two texts with a separator between them.",
    hints={1: (" ", ", ", ",", "-", ".", "/", "_", ": ", "\n")},
    examples=[(("Withers", ", ", "L."), "Withers, L.")],
)
subroutine(
    "join_present",
    "list[text], text -> text",
    "parts, separator",
    "join_text(filter(part => not text_empty(part), parts), separator)",
    doc="Those texts that are not empty end to end, with another one between them.",
    cost=2,
    hints={1: (" ", ", ", ",", "-", "\n")},
    examples=[((["figs", "", "apples"], ", "), "figs, apples")],
)
subroutine(
    "concat_texts",
    "list[text] -> text",
    "parts",
    'join_text(parts, "")',
    doc="Texts end to end.",
    examples=[((["a", "b"],), "ab"), (([],), "")],
)
subroutine(
    "join_words",
    "list[text] -> text",
    "parts",
    'join_text(parts, " ")',
    doc="Texts end to end, with a space between them.",
    examples=[((["a", "b"],), "a b")],
)
subroutine(
    "join_lines",
    "list[text] -> text",
    "parts",
    'join_text(parts, "\\n")',
    doc="Texts end to end, with a line end between them.",
    cost=2,
    examples=[((["a", "b"],), "a\nb")],
)
subroutine(
    "squeeze_spaces",
    "text -> text",
    "text",
    "join_words(words(text))",
    doc="The text with one space for each stretch of white space, and none at its ends.",
    examples=[((" a   b ",), "a b")],
)
subroutine(
    "remove_spaces",
    "text -> text",
    "text",
    "concat_texts(words(text))",
    doc="The text without any white space.",
    examples=[((" a   b ",), "ab")],
)
subroutine(
    "capitalize",
    "text -> text",
    "text",
    "concat_text(upper(text_take(text, 1)), lower(text_drop(text, 1)))",
    doc="The text with its first character as a capital and all others as small letters.",
    examples=[(("aDA",), "Ada"), (("",), "")],
)
subroutine(
    "capitalize_first",
    "text -> text",
    "text",
    "concat_text(upper(text_take(text, 1)), text_drop(text, 1))",
    doc="The text with its first character as a capital.",
    cost=2,
    examples=[(("the UN",), "The UN")],
)
subroutine(
    "snake_case",
    "text -> text",
    "text",
    'lower(join_text(tokens(text, "word"), "_"))',
    doc="The words of a text in small letters, with underscores between them.",
    cost=3,
    examples=[(("First Name (long)",), "first_name_long")],
)
subroutine(
    "kebab_case",
    "text -> text",
    "text",
    'lower(join_text(tokens(text, "word"), "-"))',
    doc="The words of a text in small letters, with hyphens between them.",
    cost=3,
    examples=[(("Hello, World!",), "hello-world")],
)
subroutine(
    "camel_case",
    "text -> text",
    "text",
    'let parts = map(word => capitalize(word), tokens(text, "word")) in '
    "let joined = concat_texts(parts) in "
    "concat_text(lower(text_take(joined, 1)), text_drop(joined, 1))",
    doc="The words of a text end to end, each but the first with a capital.",
    cost=3,
    examples=[(("first name",), "firstName")],
)
subroutine(
    "reverse_words",
    "text -> text",
    "text",
    "join_words(reverse(words(text)))",
    doc="The words from last to first.",
    cost=2,
    examples=[(("Ada King Lovelace",), "Lovelace King Ada")],
)
subroutine(
    "sort_characters",
    "text -> text",
    "text",
    "concat_texts(sort(characters(text)))",
    doc="The characters in rising order.",
    cost=2,
    examples=[(("cab",), "abc")],
)
subroutine(
    "unique_characters",
    "text -> text",
    "text",
    "concat_texts(unique(characters(text)))",
    doc="The different characters, each where it first stands.",
    cost=2,
    examples=[(("banana",), "ban")],
)
subroutine(
    "is_upper",
    "text -> bool",
    "text",
    "text == upper(text) and text != lower(text)",
    doc="Whether all letters of a text are capitals, at least one.",
    examples=[(("AB 1",), True), (("Ab",), False), (("1",), False)],
)
subroutine(
    "is_lower",
    "text -> bool",
    "text",
    "text == lower(text) and text != upper(text)",
    doc="Whether all letters of a text are small, at least one.",
    examples=[(("ab 1",), True), (("Ab",), False), (("1",), False)],
)
subroutine(
    "common_prefix",
    "text, text -> text",
    "one, other",
    "let a = characters(one) in let b = characters(other) in "
    "concat_texts(take(a, length(take_while(same => same, zip_with((x, y) => x == y, a, b)))))",
    doc="What two texts both begin with.",
    cost=3,
    examples=[(("interval", "internal"), "inter"), (("a", "b"), "")],
)
subroutine(
    "common_suffix",
    "text, text -> text",
    "one, other",
    "text_reverse(common_prefix(text_reverse(one), text_reverse(other)))",
    doc="What two texts both end with.",
    cost=3,
    examples=[(("walking", "talking"), "alking")],
)
subroutine(
    "shift_letters",
    "text, int -> text",
    "text, shift",
    "concat_texts(map(letter => let code = code_of(letter) in "
    "if code >= 65 and code <= 90 then character((code - 65 + shift) % 26 + 65) else "
    "if code >= 97 and code <= 122 then character((code - 97 + shift) % 26 + 97) else letter, "
    "characters(text)))",
    doc="The text with each letter a to z replaced by the one so many places later, going round.",
    cost=3,
    examples=[(("Abz, y", 2), "Cdb, a")],
)
