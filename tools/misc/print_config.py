"""Print a config with everything merged and filled in, and where each key comes from."""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from sdpose.apis import cli  # noqa: E402


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add('config', help="config file, or the name of one of the package's configs")
    add('keys', nargs='*', metavar='KEY', help='dotted keys, with all below them (default: every key)')
    add('--python', action='store_true', help='print the whole config as one Python file, without origins')
    cli.add_override_option(parser)
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    from sdpose.config.load import load_config
    from sdpose.config.origins import key_origins
    from sdpose.errors import ConfigError

    if args.python:
        print(load_config(args.config, args.cfg_options).pretty_text)
        return
    found = key_origins(args.config, args.cfg_options)
    for key in args.keys:
        if not any(f'{each.key}.'.startswith(f'{key}.') for each in found):
            top = ', '.join(dict.fromkeys(each.key.partition('.')[0] for each in found))
            raise ConfigError(f'{args.config} has no key {key}; its keys begin with {top}')
    for each in found:
        if not args.keys or any(f'{each.key}.'.startswith(f'{key}.') for key in args.keys):
            says = f', {each.reference}' if each.reference else ''
            print(f'{each.key} = {each.value!r}  # {each.source}{says}')


if __name__ == '__main__':
    sys.exit(cli.run(main))
