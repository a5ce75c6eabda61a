"""Names that code gives to records, in each language that is installed."""


def name_in_each_language(records, get_names):
    """Name records in each language, as if they came with its translations.

    :param records: records with a translated `name`.
    :param get_names: called with the records in one language after the other; returns their names
        in it.
    """
    for code, _label in records.env['res.lang'].get_installed():
        translated = records.with_context(lang=code)
        for record, name in zip(translated, get_names(translated), strict=True):
            record.name = name
