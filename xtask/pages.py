"""Writes the notebooks as pages that need nothing but a browser, and a front page with the drawing panel.

    pages.py PROJECT FOLDER

It ends with 1 if a page would ask a host for something, or if a link leads nowhere.
"""

import re
import sys
from pathlib import Path

import nbformat
from nbconvert import HTMLExporter

PAGES = [("index.html", "Draw a digit"), ("lenet5.html", "LeNet-5"), ("by_hand.html", "By hand"),
         ("explore.html", "What it learned"), ("results.html", "Results")]
# What a browser would fetch when it shows the page.
LOADS = re.compile(r"""<(?:script|img|iframe|source)[^>]*\ssrc=["']?(?!data:)([^"'\s>]+)|<link[^>]*\shref=["']?([^"'\s>]+)"""
                   r"""|@import\s+([^;]+)|url\(["']?(?!data:)([^"')]+)|\bfrom\s+["'](https?:[^"']+)""")
LINK = re.compile(r'<a[^>]*\shref="([^"#:]+)(?:#[^"]*)?"')


def front(project):
    """A notebook of the front page: some words, and the panel that the walkthrough shows."""
    new = nbformat.v4
    draw = next(cell for cell in notebook(project, "lenet5").cells if cell.id == "draw")
    words = [new.new_markdown_cell((project / "xtask/pages" / name).read_text()) for name in ("front.md", "more.md")]
    return new.new_notebook(cells=[words[0], draw, words[1]])


def notebook(project, name):
    return nbformat.read(project / f"notebooks/{name}.ipynb", as_version=4)


def html_of(project, file, title):
    """The page of this name."""
    name = file.removesuffix(".html")
    if name == "index":
        content = front(project)
    elif name == "results":
        text = (project / "RESULTS.md").read_text()
        content = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text)])
    else:
        content = notebook(project, name)
    exporter = HTMLExporter(template_name="pages", extra_template_basedirs=[str(project / "xtask")])
    resources = {"pages": PAGES, "page": file, "metadata": {"name": f"{title} · LeNet-5 in Rust"}}
    html, _ = exporter.from_notebook_node(content, resources)
    html = re.sub(r'(<a[^>]*\shref="[^":]*)\.ipynb', r"\1.html", html)
    return re.sub(r'(<a[^>]*\shref=")\.\./RESULTS\.md', r"\1results.html", html)


def main():
    project, folder = Path(sys.argv[1]), Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    problems = []
    for file, title in PAGES:
        html = html_of(project, file, title)
        without_panels = re.sub(r"<script>\n\(\(\) => \{.*?</script>", "", html, flags=re.DOTALL)
        problems += [f"{file} loads {' '.join(filter(None, found))}" for found in LOADS.findall(without_panels)]
        problems += [f"{file} links to {target}" for target in LINK.findall(html) if target not in dict(PAGES)]
        (folder / file).write_text(html)
        print(f"{folder / file}: {len(html) / 1e6:.1f} MB")
    # GitHub's own page builder would leave some files out.
    (folder / ".nojekyll").touch()
    if problems:
        sys.exit("\n".join(problems))


if __name__ == "__main__":
    main()
