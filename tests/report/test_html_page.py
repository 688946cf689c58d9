"""The page is self-contained, loads nothing and escapes all names."""

import base64
import html
import re
import shutil
import subprocess
import sys
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

import gaussmix
from gaussmix import FileError, GaussianMixture, MissingPackageError, Mixture, ParameterError
from gaussmix.plots.picture_export import Picture
from gaussmix.report import render_html, uncertain_rows, write_report
from tests.report.conftest import FittedSearch

FETCHING_ATTRIBUTES = {"src", "href", "srcset", "poster", "data", "action", "formaction", "background", "xlink:href"}
SECTIONS = ["summary", "data", "assignment", "densities", "components", "selection", "fit", "about"]
MARKUP_NAMES = ["<script>alert(1)</script>", "\" onerror='alert(2)' x=\"", "{{ 7 * 7 }} & $x^2$"]


class Page(HTMLParser):
    """Parsed tags, attributes and text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "img", "br", "hr", "link", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"<{tag}> is closed out of turn"

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] != "style":
            self.text += data

    def attributes(self, tag: str, name: str) -> list[str]:
        return [attrs[name] or "" for found_tag, attrs in self.tags if found_tag == tag and name in attrs]

    @property
    def svgs(self) -> list[str]:
        head = "data:image/svg+xml;base64,"
        sources = self.attributes("img", "src")
        assert all(source.startswith(head) for source in sources)
        return [base64.b64decode(source.removeprefix(head)).decode("utf-8") for source in sources]


@pytest.fixture(scope="module")
def text(fitted_search: FittedSearch) -> str:
    return render_html(
        fitted_search.mixture,
        fitted_search.rows,
        fit=fitted_search.fit,
        selection=fitted_search.selection,
        source_name="faithful.csv",
    )


@pytest.fixture(scope="module")
def plain_page(fitted_search: FittedSearch) -> str:
    return render_html(fitted_search.mixture, fitted_search.rows)


@pytest.fixture(scope="module")
def page(text: str) -> Page:
    return Page(text)


def test_markup_is_balanced_and_complete(page: Page) -> None:
    assert page.open == []
    assert page.tags[0][0] == "html"
    assert {attrs.get("id") for _, attrs in page.tags} >= set(SECTIONS)


def test_table_of_contents_leads_to_every_section(page: Page) -> None:
    assert page.attributes("a", "href") == [f"#{section}" for section in SECTIONS]


def test_nothing_is_fetched(text: str, page: Page) -> None:
    for tag, attrs in page.tags:
        assert tag not in ("script", "link", "iframe", "object", "embed", "base")
        for name, value in attrs.items():
            assert name not in FETCHING_ATTRIBUTES or (value or "").startswith(("#", "data:image/"))
            assert not name.startswith("on")
    assert not re.search(r"@import|url\(|https?://", text)


def test_pictures_refer_to_nothing_outside_themselves(page: Page) -> None:
    for svg in page.svgs:
        for element in ElementTree.fromstring(svg).iter():
            assert not element.tag.endswith(("script", "foreignObject"))
            for name, value in element.attrib.items():
                if name.rpartition("}")[2] == "href":
                    assert value.startswith(("#", "data:image/"))
                assert "url(http" not in value


def test_a_policy_forbids_what_the_page_does_not_need(page: Page) -> None:
    (policy,) = [a["content"] for t, a in page.tags if t == "meta" and a.get("http-equiv") == "Content-Security-Policy"]
    assert (policy or "").startswith("default-src 'none'")


def test_every_picture_has_a_description(page: Page) -> None:
    alts = page.attributes("img", "alt")
    assert len(alts) == 6
    assert all(len(alt) > 30 for alt in alts)
    assert len(set(alts)) == len(alts)


def test_texts_and_numbers_are_shown(page: Page) -> None:
    page_text = page.text.replace("\u202f", " ")
    for expected in (
        "Gaussian mixture of faithful.csv",
        "Kass and Raftery (1995) call “positive”",
        "EEE (tied)",
        "waiting",
        "35.6 %",
        "2 314.30",
        "Converged: the last gain was below the tolerance.",
        f"gaussmix {gaussmix.__version__}",
    ):
        assert expected in page_text


def test_sections_depend_on_the_arguments(fitted_search: FittedSearch, plain_page: str) -> None:
    plain = Page(plain_page)
    ids = {attrs.get("id") for _, attrs in plain.tags}
    assert not ids & {"selection", "fit"}
    assert "Source:" not in plain.text
    with_fit = {
        attrs.get("id")
        for _, attrs in Page(render_html(fitted_search.mixture, fitted_search.rows, fit=fitted_search.fit)).tags
    }
    assert with_fit - ids == {"fit"}
    assert "Gaussian mixture" in plain.text


def test_title_is_a_parameter(fitted_search: FittedSearch) -> None:
    assert "<title>Geysers &amp; more</title>" in render_html(
        fitted_search.mixture, fitted_search.rows, title="Geysers & more"
    )


def test_equal_input_gives_equal_pages(fitted_search: FittedSearch, plain_page: str) -> None:
    assert render_html(fitted_search.mixture, fitted_search.rows) == plain_page


def test_the_page_does_not_depend_on_the_matplotlib_style(fitted_search: FittedSearch, plain_page: str) -> None:
    import matplotlib

    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "black"}):
        assert render_html(fitted_search.mixture, fitted_search.rows) == plain_page


def test_weights_change_counts_and_histograms(fitted_search: FittedSearch, plain_page: str) -> None:
    weights = np.where(fitted_search.rows[:, 0] > 3, 2.0, 1.0)
    unweighted = Page(plain_page)
    weighted = Page(render_html(fitted_search.mixture, fitted_search.rows, sample_weight=weights))
    assert "total weight" in weighted.text
    changed = [a != b for a, b in zip(unweighted.svgs, weighted.svgs, strict=True)]
    assert changed == [False, False, True, True]


def make_page_with_markup_names() -> Page:
    mixture = Mixture.from_parameters(
        [0.5, 0.5], [[0.0] * 3, [4.0] * 3], [np.eye(3), np.eye(3)], feature_names=MARKUP_NAMES
    )
    return Page(render_html(mixture, mixture.sample(60, 0)[0], title=MARKUP_NAMES[0], source_name=MARKUP_NAMES[1]))


def test_names_are_never_markup() -> None:
    page = make_page_with_markup_names()
    assert not [tag for tag, _ in page.tags if tag == "script"]
    assert not [name for _, attrs in page.tags for name in attrs if name.startswith("on")]
    for name in MARKUP_NAMES:
        assert name in page.text
    for svg in page.svgs:
        assert not [e for e in ElementTree.fromstring(svg).iter() if e.tag.endswith("script")]
    assert any(html.escape(MARKUP_NAMES[0], quote=False) in svg for svg in page.svgs)


def test_missing_glyphs_raise_no_warning() -> None:
    mixture = Mixture.from_parameters([1.0], [[0.0]], [[[1.0]]], feature_names=("漢字 🦆",))
    page = Page(render_html(mixture, mixture.sample(20, 0)[0]))
    assert all("漢字 🦆" in svg for svg in page.svgs)


@pytest.mark.parametrize(("n_components", "n_features"), [(1, 1), (1, 3), (2, 1), (20, 2), (3, 30)])
def test_any_size(n_components: int, n_features: int) -> None:
    rng = np.random.default_rng(0)
    means = 4 * rng.normal(size=(n_components, n_features))
    mixture = Mixture.from_parameters(
        np.full(n_components, 1 / n_components), means, np.tile(np.eye(n_features), (n_components, 1, 1))
    )
    page = Page(render_html(mixture, mixture.sample(50, 0)[0]))
    n_row_pictures = (2 if n_components > 1 else 0) + (n_features > 2 or n_components == 1)
    assert len(page.svgs) == min(n_features, 16) + n_row_pictures


@pytest.mark.parametrize(("scale", "shift"), [(1e-150, 0.0), (1e150, 0.0), (1.0, 1e8)])
def test_any_units(scale: float, shift: float, faithful: Any) -> None:
    X = (faithful + shift) * scale
    estimator = GaussianMixture(2, random_state=0).fit(X)
    assert "nan" not in Page(render_html(estimator.model_, X, fit=estimator.fit_)).text


@pytest.mark.filterwarnings("ignore::gaussmix.DegenerateFitWarning")
def test_a_degenerate_fit_is_reported() -> None:
    rows = np.array([[0.0, 1.0], [1.0, 0.0]])
    search = gaussmix.select(rows, [1, 2], "VVV", n_starts=1)
    page_text = render_html(search.best.mixture, rows, fit=search.best.fit, selection=search)  # type: ignore[arg-type]
    assert "treat it with caution" in page_text


def test_a_subset_of_many_rows_is_drawn_and_the_page_says_so(fitted_search: FittedSearch) -> None:
    rows = fitted_search.mixture.sample(6000, 0)[0]
    page = render_html(fitted_search.mixture, rows)
    assert "The picture shows 5\u202f000 of 6\u202f000 rows" in page


def test_the_file_contains_the_rendered_page(fitted_search: FittedSearch, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    write_report(path, fitted_search.mixture, fitted_search.rows, title="T", source_name="S")
    assert path.read_text(encoding="utf-8") == render_html(
        fitted_search.mixture, fitted_search.rows, title="T", source_name="S"
    )
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_folder_is_a_file_error(fitted_search: FittedSearch, tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"cannot write .*nowhere"):
        write_report(tmp_path / "nowhere" / "report.html", fitted_search.mixture, fitted_search.rows)


def test_missing_jinja2_is_one_sentence(fitted_search: FittedSearch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(MissingPackageError, match=r"the report needs jinja2.*pip install 'gaussmix\[cli\]'"):
        render_html(fitted_search.mixture, fitted_search.rows)


@cache
def render_nine_components(n_features: int, n_rows: int = 300, weight: float | None = None) -> str:
    """Return the page of a mixture of nine components."""
    means = 8.0 * np.random.default_rng(0).normal(size=(9, n_features))
    mixture = Mixture.from_parameters(np.full(9, 1 / 9), means, np.tile(np.eye(n_features), (9, 1, 1)))
    weights = None if weight is None else np.full(n_rows, weight)
    return render_html(mixture, mixture.sample(n_rows, 0)[0], sample_weight=weights)


def test_tables_of_many_components_are_transposed_if_that_is_narrower(monkeypatch: pytest.MonkeyPatch) -> None:
    picture = Picture("data:", "a picture that is not drawn", 100)
    for name in ("draw_axes_picture", "draw_figure_picture"):
        monkeypatch.setattr(f"gaussmix.report.pictures.{name}", lambda *arguments: picture)
    assert (
        '<th scope="col" class="text">component</th><th scope="col" class="name">weight</th>'
        in render_nine_components(2)
    )
    assert '<th scope="col" class="name">weight</th>' not in render_nine_components(13)


def test_the_numbers_of_uncertain_rows_are_those_of_data_rows(fitted_search: FittedSearch, plain_page: str) -> None:
    table = plain_page[plain_page.index(">data row</th>") :]
    found = re.findall(r"<tr><td>(\d+)</td>", table[: table.index("</table>")])
    rows = uncertain_rows(fitted_search.mixture, fitted_search.rows)
    assert found == [str(row.row_index + 1) for row in rows[: len(found)]]
    assert len(found) > 3
    assert "The first data row is number 1." in plain_page


def test_a_page_about_one_row_uses_the_singular() -> None:
    text = render_nine_components(2, 1)
    assert "The 1 row of 2 columns is described" in text
    assert "<h3>The row</h3>" in text
    assert not re.search(r"\b1 (rows|passes|candidates|least certain rows|iterations)", text)


def test_huge_weights_fit_the_page() -> None:
    page = Page(render_nine_components(2, weight=1e90))
    assert "of the weight" in page.text
    assert not re.search(r"\S{40}", page.text.replace("\u202f", ""))
    assert "of the weight" not in Page(render_nine_components(2)).text


def test_names_with_markup_are_literal_text() -> None:
    names = ("<b>bold</b> $x_1$ \\alpha", "sixty letters " * 4 + "\nend")
    mixture = Mixture.from_parameters([1.0], [[1e6, 1e6]], [1e6 * np.eye(2)], feature_names=names)
    page = Page(render_html(mixture, mixture.sample(40, 0)[0]))
    assert "b" not in {tag for tag, _ in page.tags}
    assert names[0] in page.text
    assert html.escape(names[0], quote=False) in page.svgs[0]
    shown = names[1].replace("\n", " ")
    assert f"{shown[:15]}" in page.svgs[0]
    assert f"{shown[-15:]}" in page.svgs[0]
    assert shown[:25] not in page.svgs[0]


@pytest.mark.parametrize("width", [1280, 400])
def test_the_page_fits_a_browser_window(width: int, text: str, tmp_path: Path) -> None:
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("needs a chromium to open the page in")
    probe = "<script>document.title = [document.documentElement.scrollWidth <= innerWidth, " + (
        "[...document.images].every(i => i.complete && i.naturalWidth > 0), document.images.length, "
        "[...document.querySelectorAll('.views figure')].filter(f => f.offsetHeight > 0).length].join(' ')</script>"
    )
    path = tmp_path / "page.html"
    # The page's own policy would forbid the probe.
    path.write_text(re.sub(r"<meta http-equiv[^>]*>", "", text).replace("</body>", probe + "</body>"), encoding="utf-8")
    quiet = ["--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", f"--window-size={width},900", *quiet]
    command += [f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", path.as_uri()]
    process = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert "<title>true true 6 1</title>" in process.stdout, process.stderr[-2000:]


def test_dependent_columns_are_named_and_not_drawn() -> None:
    parts = np.random.default_rng(0).normal(size=(60, 2)) + np.repeat([[0.0], [6.0]], 30, axis=0)
    rows = np.column_stack([np.ones(60), parts, parts.sum(axis=1)])
    selection = gaussmix.select(rows, [1, 2], ["EII"], feature_names=["one", "a", "b", "total"])
    best = selection.best
    page = Page(render_html(best.mixture, rows, fit=best.fit, selection=selection))
    assert "total = a + b: the mixture is fitted without column 'total'" in page.text
    assert "Column 'one' is constant" in page.text
    pictures = [attributes["alt"] or "" for tag, attributes in page.tags if tag == "img"]
    assert pictures
    assert not any("total" in text or "one:" in text for text in pictures)


def test_rows_are_numbered_from_one_and_named(fitted_search: FittedSearch) -> None:
    names = [f"<eruption {i}>" for i in range(272)]
    years = range(1000, 1272)
    text = render_html(fitted_search.mixture, fitted_search.rows, identifiers={"name": names, "year": years})
    first = uncertain_rows(fitted_search.mixture, fitted_search.rows)[0].row_index
    assert f'<td class="id">&lt;eruption {first}&gt;</td><td class="id">{first + 1000}</td>' in text
    assert '>name</th><th scope="col" class="text name" title="year">year</th>' in text
    assert "<details" not in text, "the least certain rows stand open"
    with pytest.raises(ParameterError, match=r"identifiers\['name'\].*272"):
        render_html(fitted_search.mixture, fitted_search.rows, identifiers={"name": names[:3]})
    numbered = render_html(fitted_search.mixture, fitted_search.rows, row_numbers=range(1001, 1273))
    assert f"<tr><td>{first + 1001}</td>" in numbered
    with pytest.raises(ParameterError, match=r"row_numbers.*272"):
        render_html(fitted_search.mixture, fitted_search.rows, row_numbers=range(3))


def test_two_columns_have_one_picture_with_a_switch(page: Page) -> None:
    ids = page.attributes("input", "id")
    assert ids == ["show-soft", "show-hard"]
    assert page.attributes("label", "for") == ids
    assert page.attributes("input", "type") == ["radio", "radio"]
    assert sum("uncertain rows are ringed" in alt for alt in page.attributes("img", "alt")) == 2
    assert not any("rows coloured by the probability" in alt for alt in page.attributes("img", "alt"))


def test_one_candidate_has_a_sentence_and_no_chart(faithful: Any) -> None:
    search = gaussmix.select(faithful, 2, "EEE", n_starts=1)
    page = Page(render_html(search.best.mixture, faithful, selection=search))  # type: ignore[arg-type]
    assert "One candidate was fitted" in page.text
    assert not any("by number of components" in alt for alt in page.attributes("img", "alt"))


@pytest.mark.filterwarnings("ignore::gaussmix.DataWarning")
def test_columns_and_the_edge_of_the_search_are_said_beside_the_choice() -> None:
    rng = np.random.default_rng(0)
    rows = np.column_stack([rng.normal(size=120) + np.repeat([0.0, 9.0], 60), rng.exponential(size=120) ** 3])
    search = gaussmix.select(rows, [1, 2], ["VVI"], n_starts=1, feature_names=["height", "income"])
    text = Page(render_html(search.best.mixture, rows, selection=search)).text  # type: ignore[arg-type]
    beside_choice = text[text.rindex("has the lowest BIC") : text.index("rank")]
    assert "It is at the edge of the search" in beside_choice
    assert re.search(r"No Gaussian describes income \(.*skewed\).*See Data", beside_choice)


def test_the_noise_is_in_every_legend() -> None:
    rng = np.random.default_rng(0)
    rows = np.vstack([rng.normal(size=(60, 2)), rng.normal(size=(60, 2)) + 9, rng.uniform(-20, 30, (30, 2))])
    mixture = GaussianMixture(2, noise=True, random_state=0).fit(rows).model_
    text = render_html(mixture, rows)
    legends = re.findall(r'<p class="key".*?</p>', text, re.DOTALL)
    assert len(legends) == 2
    assert all("noise, " in legend and "component 1, " in legend for legend in legends)


@pytest.mark.parametrize("n_components", [2, 14])
def test_the_noise_is_in_every_table(n_components: int) -> None:
    """Fourteen components of two columns stand in lines, two in columns."""
    rng = np.random.default_rng(0)
    groups = [rng.normal((9 * k, 5 * (k % 3)), size=(30, 2)) for k in range(n_components)]
    rows = np.vstack([*groups, rng.uniform(-20, 30, (30, 2))])
    model = GaussianMixture(n_components, noise=True, random_state=0).fit(rows).model_
    text = re.sub(r"<[^>]+>", " ", render_html(model, rows))
    n_noise = int((model.predict(rows) == -1).sum())
    assert n_noise > 0
    components = text[text.index("Mean ± standard deviation") : text.index("Rows: the rows for which")]
    assert re.search(r"\bnoise\b", components)
    assert re.search(rf"\b{n_noise}\b", components)
    uncertain = text[text.index("least certain rows") : text.index("The first data row")]
    assert re.search(r"noise: \d", uncertain)
    assert "-1" not in uncertain


def test_noise_to_which_no_row_belongs_is_in_the_table() -> None:
    rows = np.random.default_rng(0).normal(size=(60, 2))
    model = GaussianMixture(1, noise=1e9, random_state=0).fit(rows).model_
    assert (model.predict(rows) == 0).all()
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", render_html(model, rows)))
    assert "rows 60 0 expected rows" in text


def test_a_page_on_ten_thousand_rows_has_less_than_a_megabyte() -> None:
    rng = np.random.default_rng(0)
    means = 4.0 * rng.normal(size=(5, 8))
    mixture = Mixture.from_parameters(np.full(5, 0.2), means, [np.eye(8)] * 5)
    assert len(render_html(mixture, mixture.sample(10_000, 0)[0])) < 1_000_000
