import importlib.util
from pathlib import Path


def load_migration(name):
    """Return a script of the upgrade to this version, e.g. `post-states`."""
    [path] = (Path(__file__).parents[1] / 'migrations').glob(f'*/{name}.py')
    spec = importlib.util.spec_from_file_location(name.replace('-', '_'), path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
