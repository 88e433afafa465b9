"""The PDF: tagged, complete, one typeface, one first page, the same bytes everywhere."""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pypdf
import pytest

from tests.report.harbour import PLAN, averages, build, claim, effect, explored, planned
from whoworks.plan.plan import Plan
from whoworks.report.write import compose_files

ROOT = Path(__file__).resolve().parents[2]
NASTY = "=cmd() *_#$ <b> & $x^2$ #panic(1) \\\\alpha"
HASH = """
import hashlib, json, sys
from tests.report.harbour import make_evidence
from whoworks.report.write import compose_files
print(json.dumps({n: hashlib.sha256(c).hexdigest() for n, c in sorted(compose_files(make_evidence()).items())}))
"""


@pytest.fixture(scope="module")
def reader(files) -> pypdf.PdfReader:
    return pypdf.PdfReader(io.BytesIO(files["report.pdf"]))


def walk(node: Any) -> Iterator[Any]:
    """Yield every element of a structure tree."""
    node = node.get_object() if hasattr(node, "get_object") else node
    if isinstance(node, list):
        for child in node:
            yield from walk(child)
    elif isinstance(node, dict):
        yield node
        yield from walk(node.get("/K", []))


def elements(reader: pypdf.PdfReader, kind: str) -> list[Any]:
    return [node for node in walk(reader.root_object["/StructTreeRoot"]) if node.get("/S") == kind]


def test_it_is_tagged_and_says_its_language_and_title(reader):
    root = reader.root_object
    assert root["/MarkInfo"]["/Marked"]
    assert str(root["/Lang"]).lower().startswith("en")
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert reader.metadata.title == "Harbour small-group reading pilot"
    assert b"<pdfuaid:part>1</pdfuaid:part>" in root["/Metadata"].get_data()


def test_every_figure_has_words_for_who_cannot_see_it(files, reader):
    figures = elements(reader, "/Figure")
    assert len(figures) == sum(name.startswith("figures/") for name in files)
    assert all(len(str(figure["/Alt"])) > 40 for figure in figures)


def test_every_head_of_a_column_says_that_it_is_one(reader):
    heads = elements(reader, "/TH")
    assert heads
    for head in heads:
        attributes = head["/A"].get_object()
        listed = attributes if isinstance(attributes, list) else [attributes]
        assert any(item.get_object().get("/Scope") for item in listed)


def test_headings_stand_in_order_and_make_bookmarks(reader):
    assert len(elements(reader, "/H1")) == 11
    assert len(reader.outline) >= 10


def test_every_font_is_embedded_and_of_one_family(reader):
    fonts = {}
    for page in reader.pages:
        for font in page["/Resources"].get("/Font", {}).values():
            child = font.get_object()["/DescendantFonts"][0].get_object()
            fonts[str(child["/BaseFont"])] = child["/FontDescriptor"].get_object()
    assert fonts
    assert all("SourceSansPro" in name for name in fonts)
    assert all("/FontFile2" in descriptor or "/FontFile3" in descriptor for descriptor in fonts.values())


def first_page_is_whole(files: dict[str, bytes]) -> bool:
    pages = [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(files["report.pdf"])).pages]
    return "are withheld throughout." in pages[0] and pages[1].lstrip().startswith("Who took part")


def test_the_first_page_holds_all_of_it(files):
    assert first_page_is_whole(files)


@pytest.fixture(scope="module")
def crowded() -> dict[str, bytes]:
    """A report with names that are long and look like code, and nine moderators."""
    long = f"{NASTY} and a name that goes on and on, and then some more " * 3
    text = PLAN.replace("Harbour small-group reading pilot", long).replace("Do daily small groups", long)
    text = text.replace('"small groups"', f'"{NASTY} small groups of no more than four"')
    text = text.replace("free or reduced-price lunch", f"{NASTY} free or reduced-price lunch 数学 😀")
    more = "".join(
        f'[[moderators]]\ncolumn = "m{k}"\nlabel = "{NASTY} moderator {k}"\nlevel = "class"\nplanned = true\n'
        f'values = {{ a = "first {k}", b = "{NASTY} second {k}" }}\n\n'
        for k in range(6)
    )
    plan = Plan.parse(text.replace("[covariates]", more + "[covariates]"))
    found = [*averages(), *planned()]
    for k in range(6):
        own = {"moderator": f"m{k}", "status": "confirmatory"}
        found += [effect(3.0 + k, 2.3, question="subgroup", level=level, **own) for level in "ab"]
        found.append(claim(6.3 - k, 2.2, level="b", reference="a", p_adjusted=0.2, credibility="very low", **own))
    evidence = build(plan, [*found, *explored()])
    long_caveat = replace(evidence.caveats[0], sentence="A caveat of great length. " * 30)
    return compose_files(replace(evidence, caveats=(long_caveat, long_caveat, *evidence.caveats)))


def test_the_first_page_never_spills(crowded):
    assert first_page_is_whole(crowded)


def test_names_that_look_like_code_are_literal(crowded):
    reader = pypdf.PdfReader(io.BytesIO(crowded["report.pdf"]))
    text = " ".join(" ".join(page.extract_text() for page in reader.pages).split())
    assert "=cmd() *_#$ <b> & $x^2$ #panic(1)" in text
    assert "=cmd() *_#$ &lt;b&gt; &amp; $x^2$ #panic(1)" in crowded["figures/forest.svg"].decode()


def test_nothing_drawn_leaves_the_page(crowded):
    for page in pypdf.PdfReader(io.BytesIO(crowded["report.pdf"])).pages:
        width, height = float(page.mediabox.width), float(page.mediabox.height)
        seen = []
        page.extract_text(visitor_text=lambda text, cm, tm, font, size: seen.append((text, cm, tm)))  # noqa: B023
        for text, cm, tm in seen:
            if text.strip():
                x, y = tm[4] * cm[0] + tm[5] * cm[2] + cm[4], tm[4] * cm[1] + tm[5] * cm[3] + cm[5]
                assert 0 <= x <= width
                assert 0 <= y <= height


def test_the_same_run_gives_the_same_bytes_in_another_folder_process_and_number_of_threads(tmp_path, files):
    seed = "2" if os.environ.get("PYTHONHASHSEED") != "2" else "3"
    environment = os.environ | {"PYTHONHASHSEED": seed, "OMP_NUM_THREADS": "2", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", HASH], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}


def test_the_time_inside_is_the_day_of_registration(reader):
    assert reader.metadata.creation_date.date().isoformat() == "2026-08-15"
