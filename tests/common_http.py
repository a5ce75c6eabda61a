from odoo import tests


class PatientHttpCase(tests.HttpCase):
    """Requests to a real server that wait as long as a slow machine needs.

    Odoo gives a page 12 seconds, and a request 20 seconds until the one before it in the same test
    is done: enough on an idle machine, too little on one that runs other tests beside it.
    """

    test_cursor_lock_timeout = 180

    def url_open(self, url, *args, timeout=180, **kwargs):
        """Override of `odoo`."""
        return super().url_open(url, *args, timeout=timeout, **kwargs)

    def start_tour(self, url_path, tour_name, timeout=600, **kwargs):
        """Override of `odoo`."""
        return super().start_tour(url_path, tour_name, timeout=timeout, **kwargs)
