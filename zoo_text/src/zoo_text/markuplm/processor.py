"""MarkupLM's processor: pages in HTML become texts, each with its path in the document."""

from __future__ import annotations

import html
from collections.abc import Sequence
from html.entities import html5
from html.parser import HTMLParser
from typing import Any

from zoo_core.errors import ProcessingError
from zoo_core.processing import BatchFeature, FeatureExtractionMixin, ProcessorMixin

#: tags that hold nothing and need no end
_EMPTY = frozenset(
    {"area", "base", "basefont", "bgsound", "br", "col", "command", "embed", "frame", "hr", "image", "img"}
    | {"input", "isindex", "keygen", "link", "menuitem", "meta", "nextid", "param", "source", "spacer"}
    | {"track", "wbr"}
)


class Node:
    """An element: its tag, and its place among the elements that stand beside it."""

    __slots__ = ("children", "number", "parent", "tag")

    def __init__(self, tag: str, parent: Node | None) -> None:
        self.tag, self.parent = tag, parent
        self.children: dict[str, int] = {}
        self.number = 0
        if parent is not None:
            self.number = parent.children[tag] = parent.children.get(tag, 0) + 1

    def path(self) -> str:
        """As in XPath; a number stands where there are several of one tag."""
        steps = []
        node = self
        while node.parent is not None:
            several = node.parent.children[node.tag] > 1
            steps.append(f"/{node.tag}[{node.number}]" if several else f"/{node.tag}")
            node = node.parent
        return "".join(reversed(steps))


class TextNodes(HTMLParser):
    """Collects the texts of a page in order, each with the element that holds it.

    Elements end where their end tag stands, or one of an element around them: what lacks an end holds all
    that follows, as in Beautiful Soup over the standard library's parser. Comments count as texts.
    """

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.root = self.here = Node("", None)
        self.open: dict[str, int] = {}
        #: empty elements whose end tag, should one follow, is not news
        self.ended: list[str] = []
        self.found: list[tuple[str, Node]] = []
        self.pending: list[str] = []

    def finish(self) -> None:
        """End the text that is being collected."""
        text = html.unescape("".join(self.pending)).strip()
        self.pending.clear()
        if text and self.here is not self.root:
            self.found.append((text, self.here))

    def apart(self, text: str) -> None:
        """A text of its own."""
        self.finish()
        self.pending.append(text)
        self.finish()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.begin(tag)
        if tag in _EMPTY:
            self.end(tag)
            self.ended.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.begin(tag)
        self.end(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self.ended:
            self.ended.remove(tag)
        else:
            self.end(tag)

    def begin(self, tag: str) -> None:
        """Open an element."""
        self.finish()
        self.here = Node(tag, self.here)
        self.open[tag] = self.open.get(tag, 0) + 1

    def end(self, tag: str) -> None:
        """Close the innermost element of this tag, and what is open inside it."""
        self.finish()
        while self.open.get(tag):
            closed = self.here
            self.open[closed.tag] -= 1
            assert closed.parent is not None
            self.here = closed.parent
            if closed.tag == tag:
                break

    def handle_data(self, data: str) -> None:
        self.pending.append(data)

    def handle_charref(self, name: str) -> None:
        self.pending.append(html.unescape(f"&#{name};"))

    def handle_entityref(self, name: str) -> None:
        self.pending.append(html5.get(f"{name};", f"&{name}"))

    def handle_comment(self, data: str) -> None:
        self.apart(data)

    def handle_decl(self, decl: str) -> None:
        self.apart(decl[len("DOCTYPE ") :])

    def unknown_decl(self, data: str) -> None:
        self.apart(data[len("CDATA[") :] if data.upper().startswith("CDATA[") else data)

    def handle_pi(self, data: str) -> None:
        self.apart(data)


def text_nodes(page: str) -> tuple[list[str], list[str]]:
    """The texts of a page in HTML, and the path of each."""
    parser = TextNodes()
    parser.feed(page)
    parser.close()
    parser.finish()
    return [text for text, _ in parser.found], [node.path() for _, node in parser.found]


class MarkupLMFeatureExtractor(FeatureExtractionMixin):
    """Texts and their paths from pages in HTML."""

    def __call__(self, html_strings: str | Sequence[str]) -> BatchFeature:
        """A page or several to `nodes` and `xpaths`, a list for each page.

        Raises:
            ProcessingError: what was given is no text.
        """
        pages = [html_strings] if isinstance(html_strings, str) else html_strings
        if not isinstance(pages, list | tuple) or not all(isinstance(page, str) for page in pages):
            raise ProcessingError(
                "HTML strings must of type `str`, `list[str]` (batch of examples), "
                f"but is of type {type(html_strings)}."
            )
        found = [text_nodes(page) for page in pages]
        return BatchFeature({"nodes": [nodes for nodes, _ in found], "xpaths": [paths for _, paths in found]})


class MarkupLMProcessor(ProcessorMixin):
    """A feature extractor that reads HTML, and a tokenizer of texts with paths."""

    attributes = ("feature_extractor", "tokenizer")
    #: whether calls take HTML; else nodes and their paths
    parse_html = True

    def __call__(  # type: ignore[override]
        self,
        html_strings: str | Sequence[str] | None = None,
        nodes: Any = None,
        xpaths: Any = None,
        node_labels: Any = None,
        questions: Any = None,
        **kwargs: Any,
    ) -> Any:
        """Ids of texts with the tags and numbers of their paths.

        Args:
            html_strings: pages; or with `parse_html` off, `nodes` and `xpaths` of each page.
            node_labels: one a node. questions: one for each page.
            **kwargs: keywords of the tokenizer.

        Raises:
            ProcessingError: nodes are given where pages are parsed, or none where they are not.
        """
        if self.parse_html:
            if html_strings is None:
                raise ProcessingError("Make sure to pass HTML strings in case `parse_html` is set to `True`")
            if nodes is not None or xpaths is not None or node_labels is not None:
                raise ProcessingError(
                    "Please don't pass nodes, xpaths nor node labels in case `parse_html` is set to `True`"
                )
            features = self.feature_extractor(html_strings)
            nodes, xpaths = features["nodes"], features["xpaths"]
        else:
            if html_strings is not None:
                raise ProcessingError("You have passed HTML strings but `parse_html` is set to `False`.")
            if nodes is None or xpaths is None:
                raise ProcessingError(
                    "Make sure to pass nodes and xpaths in case `parse_html` is set to `False`"
                )
        text, pair = nodes, None
        if questions is not None:
            alone = self.parse_html and isinstance(questions, str)
            text, pair = [questions] if alone else questions, nodes
        return self.tokenizer(text, pair, xpaths=xpaths, node_labels=node_labels, **kwargs)
