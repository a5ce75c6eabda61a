import { _t } from "@web/core/l10n/translation";

/** Every word and sentence of the bench that does not come from the server. */
export const say = {
    // Where one is.
    title: _t("Returns Bench"),
    startTitle: _t("Scan the parcel"),
    startHelp: _t(
        "Scan the return slip, the tracking number, the order, a serial number or a product. You can also type it."
    ),
    loading: _t("Getting the bench ready…"),
    noBench: _t("The server cannot be reached. What you have counted is safe; try again."),
    expected: _t("Expected"),
    counted: _t("Counted"),
    found: _t("What was found"),
    nothingCounted: _t("Nothing counted yet: scan the goods."),
    countOf: (counted, expected) =>
        _t("%(counted)s of %(expected)s", { counted, expected }),
    countedOf: (product, counted, expected) =>
        _t("%(product)s: %(counted)s of %(expected)s counted", { product, counted, expected }),
    customerSays: (reason, note) => _t("%(reason)s: “%(note)s”", { reason, note }),
    kitOf: (kit) => _t("Part of %(kit)s", { kit }),
    ordersOf: (orders) => _t("Order %(orders)s", { orders }),

    // The bar to scan.
    scanLabel: _t("Barcode, number or name"),
    scanPlaceholder: _t("Scan or type…"),
    scanSend: _t("Enter the barcode"),
    cameraOn: _t("Scan with the camera"),
    cameraOff: _t("Switch the camera off"),
    cameraFailed: (reason) => _t("The camera cannot be used: %(reason)s", { reason }),
    soundOn: _t("Switch the sound on"),
    soundOff: _t("Switch the sound off"),
    leave: _t("Leave the bench"),

    // The network.
    lost: (count) =>
        _t(
            "No connection. Not sent yet: %(count)s. You can go on scanning: everything is kept in order and sent as soon as the connection is back.",
            { count }
        ),
    sending: (count) => _t("Sending: %(count)s", { count }),
    retry: _t("Try again now"),
    again: _t("Try again"),
    failed: (reason) => _t("This was not done: %(reason)s", { reason }),

    // What is done with goods.
    grade: _t("Condition"),
    liability: _t("Whose fault"),
    disposition: _t("What happens to the goods"),
    proposed: _t("proposed"),
    byRule: _t("Back to the proposal"),
    changeDisposition: _t("Change"),
    undecided: _t("Decided when the condition is known"),
    quantity: _t("Quantity"),
    more: _t("One more"),
    less: _t("One less"),
    addOne: (product) => _t("Count one more: %(product)s", { product }),
    lot: (lot) => _t("Serial or lot %(lot)s", { lot }),
    note: _t("Note"),
    notePlaceholder: _t("What should be known about it"),
    yes: _t("Yes"),
    no: _t("No"),
    required: _t("required"),
    answerOf: (question) => _t("Answer: %(question)s", { question }),
    photo: _t("Photo"),
    photoOf: (product) => _t("Take a photo: %(product)s", { product }),
    photos: (count) => _t("Photos: %(count)s", { count }),
    missing: {
        grade: _t("Condition missing"),
        note: _t("Note missing: why is it not as proposed?"),
        answers: _t("Answers missing"),
        photo: _t("Photo missing"),
    },
    kinds: {
        over: _t("More than expected"),
        wrong_product: _t("Wrong product"),
        wrong_lot: _t("Wrong serial or lot"),
        damaged: _t("Damaged in transit"),
        empty: _t("Empty box"),
        short: _t("Too little"),
    },
    select: (product) => _t("Continue with %(product)s", { product }),

    // What is done with the parcel.
    done: _t("Done"),
    undo: _t("Undo"),
    undoOf: (step) => _t("Undo: %(step)s", { step }),
    problem: _t("Problem"),
    problemWhat: _t("What is wrong with the parcel?"),
    problemWhich: _t("Which goods?"),
    discard: _t("Put aside"),
    discardSure: _t(
        "Put this parcel aside? Nothing was booked; counted goods are removed from the bench."
    ),
    addReturn: _t("Another return in the parcel"),
    cancel: _t("Cancel"),

    // The parcel nobody expected.
    findTitle: _t("Whose parcel is this?"),
    findHelp: _t(
        "Type anything from the label: order, the customer's order number, tracking number, serial number, phone, name or product."
    ),
    findPlaceholder: _t("Anything on the label…"),
    findNothing: _t("Nothing found. Try another part of the label, or park the parcel."),
    findFor: (text) => _t("Search for “%(text)s”", { text }),
    finding: _t("Searching…"),
    attach: _t("Take this return"),
    makeReturn: _t("Create a return"),
    reason: _t("Reason"),
    whys: {
        return: _t("return"),
        tracking: _t("tracking number"),
        order: _t("order"),
        customer_ref: _t("customer's order number"),
        serial: _t("serial number"),
        phone: _t("phone"),
        name: _t("name"),
        product: _t("product"),
        email: _t("email"),
        address: _t("address"),
    },
    park: _t("Park the parcel"),
    parkHelp: _t("It stays in the list of parked parcels until its owner is found."),
    tracking: _t("Tracking number"),
    carrier: _t("Carrier"),
    place: _t("Where it is put"),
    parked: _t("Parked parcels"),
    parcelOf: (name) => _t("Parked parcel %(name)s", { name }),

    // After a parcel.
    finishedTitle: _t("Parcel finished"),
    correct: _t("Correct a result"),
    received: (quantity) => _t("Received: %(quantity)s", { quantity }),
    stillMissing: (quantity) => _t("Still to come: %(quantity)s", { quantity }),
    credited: (amount) => _t("Credited: %(amount)s", { amount }),
    creditPending: _t("The credit note follows."),
    discrepancies: (names) => _t("Discrepancies: %(names)s", { names }),
    labels: (count) => _t("Print put-away labels: %(count)s", { count }),
    next: _t("Next parcel"),
};
