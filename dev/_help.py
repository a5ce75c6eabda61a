"""Write the help pages of the app: static/help/{ROLE}{,.zh_CN}.html, from dev/_help_pages.py.

    python dev/_help.py

Plain pages without scripts, which the app opens (`sale.return.worklist.action_help`). Their
pictures are taken by `dev/screenshots` into static/help/images.
"""

import re
import shutil
from html import escape
from pathlib import Path

from _help_pages import FRAMES, PAGES

STATIC = Path(__file__).resolve().parents[1] / 'static'
FOLDER = STATIC / 'help'
LAYOUT = """<!DOCTYPE html>
<html lang="{lang}">
<head>
<meta charset="utf-8"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<title>{title} · {app}</title>
<link rel="stylesheet" href="help.css"/>
</head>
<body>
<nav aria-label="{app}">
{links}
</nav>
<main>
<h1>{title}</h1>
<p class="lead">{lead}</p>
{sections}
</main>
</body>
</html>
"""
SECTION = """<section>
<h2>{title}</h2>
{body}
</section>"""
IMAGE = (
    '<img src="images/{name}-desktop{suffix}.webp" alt="{alt}" width="1280" height="800"'
    ' loading="lazy"/>'
)


def main():
    """Write the pages; remove unused pictures."""
    shown = {
        f"{section[2]}-desktop{'' if lang == 'en_US' else f'-{lang}'}.webp"
        for lang, pages in PAGES.items()
        for _title, _lead, sections in pages.values()
        for section in sections
        if len(section) > 2
    }
    images = FOLDER / 'images'
    for path in images.glob('*.webp'):
        if path.name not in shown:
            path.unlink()
    if missing := sorted(name for name in shown if not (images / name).is_file()):
        print(f"pictures are missing: {', '.join(missing)}")
    # The page of the app may only use files beside it.
    text = (STATIC / 'description' / 'index.html').read_text(encoding='utf-8')
    for name in re.findall(r'src="([^"]+[.]webp)"', text):
        shutil.copyfile(images / name, STATIC / 'description' / name)
    for lang, pages in PAGES.items():
        suffix = '' if lang == 'en_US' else f'-{lang}'
        ending = '' if lang == 'en_US' else f'.{lang}'
        for role in pages:
            path = FOLDER / f'{role}{ending}.html'
            path.write_text(build(lang, pages, role, suffix, ending), encoding='utf-8')


def build(lang, pages, role, suffix, ending):
    """Return one page."""
    title, lead, sections = pages[role]
    app = FRAMES[lang]
    links = [
        f'<a href="{other}{ending}.html"{current(other, role)}>{escape(page[0])}</a>'
        for other, page in pages.items()
    ]
    return LAYOUT.format(
        lang=lang.replace('_', '-'),
        title=escape(title),
        app=escape(app),
        links='\n'.join(links),
        lead=escape(lead),
        sections='\n'.join(build_section(suffix, *section) for section in sections),
    )


def current(other, role):
    return ' aria-current="page"' if other == role else ''


def build_section(suffix, title, steps, image=None):
    items = '\n'.join(f'<li>{mark(step)}</li>' for step in steps)
    body = f'<ol>\n{items}\n</ol>'
    if image:
        body += '\n' + IMAGE.format(name=image, suffix=suffix, alt=escape(title))
    return SECTION.format(title=escape(title), body=body)


def mark(text):
    """Return a text as HTML; *text of the screen* is bold."""
    parts = escape(text).split('*')
    return ''.join(f'<b>{part}</b>' if n % 2 else part for n, part in enumerate(parts))


if __name__ == '__main__':
    main()
