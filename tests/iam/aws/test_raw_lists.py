"""Cutting list members out of an answer: exactly what an XML parser would find, or an error, never less."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iam.aws.errors import AwsError, ErrorKind
from iam.aws.raw_lists import MALFORMED, cut_lists

ACTION = "iam:ListThings"
HEAD = "<ListThingsResponse><ListThingsResult>"
TAIL = "</ListThingsResult></ListThingsResponse>"


def cut(inner: str, *, head: str = HEAD, tail: str = TAIL) -> tuple[bytes, list[bytes]]:
    envelope, lists = cut_lists(f"{head}{inner}{tail}".encode(), tags=(b"Things",), action=ACTION)
    return envelope, lists[b"Things"]


def test_members_come_out_in_order_and_the_rest_stays_for_botocore() -> None:
    envelope, members = cut(
        "<Things><member><A>1</A></member><member>2</member></Things><IsTruncated>false</IsTruncated>"
    )
    assert members == [b"<member><A>1</A></member>", b"<member>2</member>"]
    assert envelope == f"{HEAD}<Things></Things><IsTruncated>false</IsTruncated>{TAIL}".encode()


def test_nested_members_stay_inside_of_theirs() -> None:
    inner = "<member><L><member>a</member><member><M><member>b</member></M></member></L></member>"
    assert cut(f"<Things>{inner}<member>c</member></Things>")[1] == [inner.encode(), b"<member>c</member>"]


def test_white_space_between_members_is_nothing() -> None:
    assert cut("<Things>\n  <member>a</member>\n\t<member>b</member>\n </Things>")[1] == [
        b"<member>a</member>",
        b"<member>b</member>",
    ]


def test_tags_inside_of_text_are_escaped_and_no_tags() -> None:
    inner = "<member>&lt;member&gt; &lt;/member&gt; &lt;/Things&gt; é</member>"
    assert cut(f"<Things>{inner}</Things>")[1] == [inner.encode()]


@pytest.mark.parametrize("inner", ["<Things></Things>", "<Things/>", "<IsTruncated>false</IsTruncated>"])
def test_an_empty_or_absent_list_is_empty(inner: str) -> None:
    assert cut(inner)[1] == []


MALFORMED_ANSWERS = {
    "cut off in a member": ("<Things><member>a</member><member>b", HEAD, ""),
    "cut off between members": ("<Things><member>a</member>", HEAD, ""),
    "list not closed": ("<Things><member>a</member>", HEAD, TAIL),
    "list not opened": ("<member>a</member></Things>", HEAD, TAIL),
    "list closed before it is opened": ("</Things><Things>", HEAD, TAIL),
    "list twice": ("<Things><member>a</member></Things><Things></Things>", HEAD, TAIL),
    "list closed twice": ("<Things><member>a</member></Things></Things>", HEAD, TAIL),
    "member not closed": ("<Things><member>a</member><member>b</Things>", HEAD, TAIL),
    "member not opened": ("<Things><member>a</member></member></Things>", HEAD, TAIL),
    "text between members": ("<Things><member>a</member>x<member>b</member></Things>", HEAD, TAIL),
    "text after the last member": ("<Things><member>a</member>x</Things>", HEAD, TAIL),
    "another element between members": ("<Things><member>a</member><Member>b</Member></Things>", HEAD, TAIL),
    "a member with an attribute": (
        '<Things><member>a</member><member id="1">b</member></Things>',
        HEAD,
        TAIL,
    ),
    "an empty member element": ("<Things><member/></Things>", HEAD, TAIL),
    "a comment": ("<Things><!-- <member>a</member> --></Things>", HEAD, TAIL),
    "a CDATA section": ("<Things><member><![CDATA[</member>]]></member></Things>", HEAD, TAIL),
    "a document type": ("<Things/>", '<!DOCTYPE x [<!ENTITY e "x">]>' + HEAD, TAIL),
    "another encoding": ("<Things/>", '<?xml version="1.0" encoding="utf-16"?>' + HEAD, TAIL),
    "another answer": ("<Things/>", "<ErrorResponse>", "</ErrorResponse>"),
    "a page of HTML": ("", "<html><body>", "</body></html>"),
    "nothing": ("", "", ""),
}


@pytest.mark.parametrize(("inner", "head", "tail"), MALFORMED_ANSWERS.values(), ids=MALFORMED_ANSWERS)
def test_a_doubtful_answer_is_an_error_and_not_a_shorter_list(inner: str, head: str, tail: str) -> None:
    with pytest.raises(AwsError) as caught:
        cut(inner, head=head, tail=tail)
    assert (caught.value.kind, caught.value.code) == (ErrorKind.UNEXPECTED, MALFORMED)
    assert caught.value.is_retryable


def test_a_list_inside_of_another_is_an_error() -> None:
    body = f"{HEAD}<A><member><B><member>x</member></B></member></A>{TAIL}".encode()
    with pytest.raises(AwsError, match="inside of another"):
        cut_lists(body, tags=(b"A", b"B"), action=ACTION)


def test_the_declaration_of_utf_8_is_fine() -> None:
    assert cut("<Things><member>a</member></Things>", head='<?xml version="1.0" encoding="UTF-8"?>\n' + HEAD)[
        1
    ]


texts = st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=0x2FFF), max_size=12)
trees = st.recursive(texts, lambda inner: st.lists(inner, max_size=3), max_leaves=8)


def element(tree: object, tag: str) -> ElementTree.Element:
    made = ElementTree.Element(tag)
    if isinstance(tree, str):
        made.text = tree
    else:
        assert isinstance(tree, list)
        ElementTree.SubElement(made, "L").extend(element(child, "member") for child in tree)
    return made


@given(st.lists(trees, max_size=5))
def test_any_list_is_cut_as_a_parser_sees_it(lines: list[object]) -> None:
    things = ElementTree.Element("Things")
    things.extend(element(tree, "member") for tree in lines)
    body = ElementTree.tostring(things, encoding="unicode", short_empty_elements=False)
    members = cut(body)[1]
    assert b"".join(members).decode() == body.removeprefix("<Things>").removesuffix("</Things>")
    assert len(members) == len(lines)


@given(st.lists(trees, min_size=1, max_size=4), st.data())
def test_a_body_cut_off_anywhere_is_an_error(lines: list[object], data: st.DataObject) -> None:
    things = ElementTree.Element("Things")
    things.extend(element(tree, "member") for tree in lines)
    whole = f"{HEAD}{ElementTree.tostring(things, encoding='unicode')}{TAIL}".encode()
    kept = data.draw(st.integers(min_value=0, max_value=len(whole) - 1))
    with pytest.raises(AwsError):
        cut_lists(whole[:kept], tags=(b"Things",), action=ACTION)
