"""Prints the schema in its definition language: `python -m api.graphql.print_schema > schema.graphql`."""

import sys

from api.graphql.schema import build_schema


def printed_schema() -> str:
    return f"{build_schema().as_str()}\n"


if __name__ == "__main__":
    sys.stdout.write(printed_schema())
