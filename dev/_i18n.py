"""Keep the translations complete.

    python dev/_i18n.py check EXPORT.pot     compare with i18n/, print what is missing, exit with 1
    python dev/_i18n.py update EXPORT.pot    rewrite the template in i18n/ and merge the languages

EXPORT.pot is what Odoo exports from a database that has the add-on and its dependencies only.
"""

import re
import sys
from pathlib import Path

import polib

I18N = Path(__file__).resolve().parent.parent / 'i18n'
TEMPLATE = I18N / 'sale_return.pot'
LANGUAGES = {'zh_CN': 'nplurals=1; plural=0;'}
PLACEHOLDER = re.compile(r'%\(\w+\)[a-z]|%[sdf]|%%|\{\w*\}|</?\w+')
# They change with every export and are irrelevant.
DATES = ('POT-Creation-Date', 'PO-Revision-Date')


def terms(catalog):
    """Return what has to be equal: each term with its occurrences."""
    return {
        (entry.msgctxt, entry.msgid): (sorted(entry.occurrences), entry.comment)
        for entry in catalog
        if not entry.obsolete
    }


def check_template(exported):
    if not TEMPLATE.exists():
        return [f"{TEMPLATE.name} is not there: run dev/i18n."]
    wanted, found = terms(exported), terms(polib.pofile(TEMPLATE))
    changed = [key for key in wanted.keys() | found.keys() if wanted.get(key) != found.get(key)]
    return [
        f"{TEMPLATE.name} differs at {key[1]!r}: run dev/i18n." for key in sorted(changed, key=str)
    ]


def check_language(exported, language):
    path = I18N / f'{language}.po'
    if not path.exists():
        return [f"{path.name} is not there: run dev/i18n and translate it."]
    catalog = polib.pofile(path)
    entries = {(entry.msgctxt, entry.msgid): entry for entry in catalog if not entry.obsolete}
    problems = []
    for key in terms(exported):
        entry = entries.get(key)
        if not entry or not entry.translated():
            problems.append(f"{path.name} lacks {key[1]!r}")
        elif sorted(PLACEHOLDER.findall(entry.msgid)) != sorted(PLACEHOLDER.findall(entry.msgstr)):
            problems.append(f"{path.name} has other placeholders or tags in {entry.msgstr!r}")
    superfluous = len(catalog) - len(entries) + len(entries.keys() - terms(exported).keys())
    if superfluous:
        problems.append(f"{path.name} has {superfluous} terms that are not used: run dev/i18n.")
    return problems


def check(exported):
    problems = check_template(exported)
    for language in LANGUAGES:
        problems += check_language(exported, language)
    for problem in problems:
        print(problem)
    print(f"{len(terms(exported))} terms, {len(problems)} problems")
    return bool(problems)


def update(exported):
    I18N.mkdir(exist_ok=True)
    for name in DATES:
        exported.metadata.pop(name, None)
    exported.save(TEMPLATE)
    for language, plural in LANGUAGES.items():
        path = I18N / f'{language}.po'
        catalog = polib.pofile(path) if path.exists() else polib.POFile()
        catalog.metadata = exported.metadata | {'Language': language, 'Plural-Forms': plural}
        catalog.header = exported.header
        catalog.merge(exported)
        for entry in catalog.obsolete_entries():
            catalog.remove(entry)
        catalog.save(path)
        missing = catalog.untranslated_entries() + catalog.fuzzy_entries()
        print(f"{path.name}: {len(catalog)} terms, {len(missing)} to translate")
        for entry in missing:
            print(f"  {entry.msgid!r}")
    return 0


if __name__ == '__main__':
    verb, export = sys.argv[1:]
    sys.exit({'check': check, 'update': update}[verb](polib.pofile(export)))
