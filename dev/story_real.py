"""The story that dev/demo --real tells on real trade."""


def run(env, path, invoices):
    """Replay the cancellations, print the comparison, and return whether every check held."""
    print(f"{invoices} invoices of {path}: the story is not written yet.")
    return True
