"""Plugins that are broken, made for something else, or absent: what the user is told."""

from __future__ import annotations

import pytest

from zoo_core.errors import (
    MissingDependency,
    PluginLoadError,
    PluginVersionError,
    UnknownArchitecture,
    UnknownComponent,
)
from zoo_core.registry import messages, scan


@pytest.mark.parametrize(
    ("name", "cause", "text"),
    [
        ("broken_import", ModuleNotFoundError, "a_package_that_nobody_has"),
        ("broken_syntax", SyntaxError, "SyntaxError"),
        ("broken_exit", SystemExit, "wants to go home"),
        ("broken_attribute", AttributeError, "NOT_THERE"),
        ("broken_type", None, "expected a zoo_core.architecture.Architecture, found dict"),
        ("broken_name", None, "the record says model_type='something_else'"),
        ("broken_reference", None, "config: 'zoo_test_broken.config.Config' is not a reference"),
    ],
)
def test_a_broken_record(registry, use, name, cause, text):
    use("broken")
    with pytest.raises(PluginLoadError) as raised:
        registry.get(name)
    assert str(raised.value).startswith("zoo-test-broken 0.3.1 advertises ") and text in str(raised.value)
    assert (raised.value.distribution, raised.value.version) == ("zoo-test-broken", "0.3.1")
    assert isinstance(raised.value.__cause__, cause) if cause else raised.value.__cause__ is None
    assert registry.get("healthy").distribution == "zoo-test-broken"  # its neighbour is not harmed


def test_a_broken_class_behind_a_good_record(registry, use):
    use("broken")
    config = registry.get("broken_config").candidates("AutoConfig")[0]
    with pytest.raises(PluginLoadError, match=r"zoo-test-broken 0\.3\.1 advertises") as raised:
        config.load()
    assert isinstance(raised.value.__cause__, ModuleNotFoundError)


def test_the_way_out_of_a_broken_plugin_works(registry, use, monkeypatch):
    use("broken")
    with pytest.raises(PluginLoadError, match="ZOO_DISABLE=zoo-test-broken"):
        registry.get("broken_import")
    monkeypatch.setenv("ZOO_DISABLE", "zoo-test-broken")
    with pytest.raises(UnknownArchitecture):
        registry.get("broken_import")


@pytest.mark.parametrize(
    ("record", "text"),
    [
        ("config=None", "config: None is not a reference"),
        ("config='plug_a'", "'plug_a' is not a reference"),
        ("config='plug_a:', models={}", "not a reference"),
        ("config='../x:Y'", "not a reference"),
        ("config='a:B', models={'AutoModel': 7}", r"models\['AutoModel'\]: 7 is not"),
        ("config='a:B', models={'AutoModel': ()}", r"models\['AutoModel'\]: \(\) is not"),
        ("config='a:B', models={'AutoModel': ('a:B', 'a.B')}", r"'a\.B' is not"),
        ("config='a:B', models={'Auto Model': 'a:B'}", "models has the key 'Auto Model'"),
        ("config='a:B', tokenizer=['a:B']", "tokenizer: "),
        ("config='a:B', processor=('a:B',)", "processor: "),
        ("config='a:B', models=3", "TypeError"),
    ],
)
def test_malformed_records(registry, distribution, record, text):
    source = "from zoo_core.architecture import Architecture as A\nR = A(model_type='a', " + record + ")"
    distribution("plug-a", architectures={"a": "plug_a:R"}, modules={"plug_a": source})
    with pytest.raises(PluginLoadError, match=r"plug-a 1\.0 advertises .*" + text):
        registry.get("a")


@pytest.mark.parametrize("value", ["plug_a", "plug_a:", ":R", "plug_a:R [extra]", "", "os.system('x'):R"])
def test_malformed_entry_points(registry, distribution, value):
    distribution(
        "plug-a", architectures={"a": value}, components={"ATokenizer": value}, modules={"plug_a": ""}
    )
    for ask in (lambda: registry.get("a"), lambda: registry.component("ATokenizer")):
        with pytest.raises(PluginLoadError, match=r"is not a reference; the form is 'package\.module:Class'"):
            ask()


def test_only_classes_are_loaded(registry, distribution):
    distribution("plug-a", components={"ATokenizer": "plug_a:f"}, modules={"plug_a": "def f(): pass"})
    with pytest.raises(
        PluginLoadError, match=r"plug-a 1\.0 advertises 'plug_a:f' as a class, but it is <function"
    ):
        registry.component("ATokenizer")


def test_a_missing_extra_keeps_its_own_message(registry, distribution):
    source = "from zoo_core.errors import MissingDependency\nraise MissingDependency('pip install pillow')"
    distribution("plug-a", components={"AImageProcessor": "plug_a:A"}, modules={"plug_a": source})
    with pytest.raises(MissingDependency, match=r"^pip install pillow$"):
        registry.component("AImageProcessor")


def test_another_plugin_api_is_named_without_importing_it(registry, use):
    use("future")  # its module raises AssertionError when imported
    text = r"zoo-test-future 3\.0 provides '{}' for plugin API 2; this zoo-core speaks 1\. "
    with pytest.raises(PluginVersionError, match=text.format("foo")):
        registry.get("foo")
    for spelling in ("FooTokenizer", "FooTokenizerFast"):
        with pytest.raises(PluginVersionError, match=text.format("FooTokenizer")):
            registry.component(spelling)
    assert "foo" not in registry.names()


def test_a_plugin_for_both_apis_is_used(registry, distribution):
    source = "from zoo_core.architecture import Architecture\nR = Architecture(model_type='a', config='x:Y')"
    distribution(
        "plug-a",
        entry_points="[zoo_core.architectures.v2]\na = plug_b:R\n[zoo_core.architectures.v1]\na = plug_a:R\n",
        modules={"plug_a": source},
    )
    assert registry.get("a").architecture.config == "x:Y"


@pytest.mark.parametrize(
    ("requires", "refused"),
    [
        (["zoo-core>=9"], ">=9"),
        (["torch", "Zoo_Core (<0.1)"], "<0.1"),
        (["zoo-core==0.1.*; python_version>='3'"], None),
        (["zoo-core>=9; python_version<'3'"], None),
        (["zoo-core>=9; extra=='new'"], None),
        (["zoo-core[sentencepiece]>=0.1,<0.2"], None),
        (["zoo-core-extras>=9"], None),
        (["not a requirement !!", "zoo-core>=0.0.1"], None),
        ([], None),
    ],
)
def test_the_declared_range_of_zoo_core(registry, distribution, requires, refused):
    source = "from zoo_core.architecture import Architecture\nR = Architecture(model_type='a', config='x:Y')"
    distribution(
        "plug-a", "4.2", architectures={"a": "plug_a:R"}, components={"AT": "plug_a:Architecture"},
        extensions={"healthy.AutoModelForX": "plug_a:Architecture"}, requires=tuple(requires),
        modules={"plug_a": source},
    )  # fmt: skip
    if refused is None:
        assert registry.get("a").version == "4.2" and registry.component("AT")
        return
    for ask in (lambda: registry.get("a"), lambda: registry.component("AT")):
        with pytest.raises(PluginVersionError, match=r"plug-a 4\.2 requires zoo-core") as raised:
            ask()
        assert f'pip install "zoo-core{refused}"' in str(raised.value)


# Absent


def test_unknown_model_type(registry, use):
    use("good")
    with pytest.raises(UnknownArchitecture) as raised:
        registry.get("bag_of_word")
    message = str(raised.value)
    assert "does not recognize the model type 'bag_of_word'" in message
    assert "Closest known: 'bag_of_words'." in message and "zoo-test-good 1.2.0" in message


def test_the_message_stays_short_with_a_thousand_names(registry, distribution):
    for number in range(40):
        names = {f"arch{number}x{i}": "plug:R" for i in range(25)}
        distribution(f"plug-{number}", architectures=names)
    with pytest.raises(UnknownArchitecture, match=r"and \d+ more \(`zoo list`\)") as raised:
        registry.get("arch")
    assert len(str(raised.value)) < 600


@pytest.mark.parametrize("value", [None, 7, ["bert"], {"a": 1}, True])
def test_model_type_that_is_no_string(registry, value):
    with pytest.raises(UnknownArchitecture, match="must be a string, not " + type(value).__name__):
        registry.get(value)
    with pytest.raises(UnknownComponent, match="must be a string, not " + type(value).__name__):
        registry.component(value)


def test_hostile_names_are_cut(registry):
    for ask in (registry.get, registry.component):
        with pytest.raises(ValueError, match="does not recognize") as raised:
            ask("x" * 10**6)
        assert len(str(raised.value)) < 1000


@pytest.mark.parametrize(
    ("installed", "read", "text"),
    [
        (False, False, "'shiny' comes with zoo-shiny: pip install zoo-shiny"),
        (
            True,
            False,
            r"zoo-shiny 1\.0 was installed after this process first looked: call .*clear_cache\(\)",
        ),
        (True, True, r"zoo-shiny 1\.0 does not have it yet: pip install --upgrade zoo-shiny"),
    ],
)
def test_the_first_party_package_that_ships_it(registry, distribution, monkeypatch, installed, read, text):
    shipped = {"zoo-shiny": {"architectures": ["shiny"], "components": ["ShinyTokenizer"]}}
    monkeypatch.setattr(messages, "_first_party", lambda: shipped)
    registry.names()
    if installed:
        before = scan.current()
        distribution("zoo-shiny", architectures={"older": "plug:R"})
        if not read:
            monkeypatch.setattr(scan, "_snapshot", before)
    with pytest.raises(UnknownArchitecture, match=text):
        registry.get("shiny")
    if not installed:
        with pytest.raises(UnknownComponent, match="comes with zoo-shiny: pip install zoo-shiny"):
            registry.component("ShinyTokenizerFast")
