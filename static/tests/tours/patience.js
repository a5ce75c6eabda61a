import { TourAutomatic } from "@web_tour/js/tour_automatic/tour_automatic";

// How long a step that says nothing waits for its element: Odoo's 10 seconds are too short for a
// slow machine that runs other tests beside it.
TourAutomatic.prototype.timeout = 60000;
